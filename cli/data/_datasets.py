"""The commands of `safejury datasets`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from ...common import ConfigurationError, escape_line
from ..console import EXIT_USAGE, Categories, Reveal, busy, guarded, say
from ._asked import Asked, say_notes

datasets_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="List, inspect and convert sets of queries.",
)

SetName = Annotated[
    str,
    typer.Argument(
        metavar="SET", help="`mini`, a JSONL file, LOADER:PATH, or a path of a known format."
    ),
]
LoaderName = Annotated[
    str | None, typer.Option(metavar="LOADER", help="Loader to read a plain path with.")
]
Mapping = Annotated[
    list[str] | None,
    typer.Option(
        "--map", metavar="WHAT=COLUMN", help="For plain tables, such as text=prompt; repeatable."
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Setting of the loader, such as split=test; repeatable.",
    ),
]
Limit = Annotated[int | None, typer.Option(min=1, metavar="N", help="Read only the first N items.")]


@datasets_app.command("list")
@guarded
def list_all(
    loader: Annotated[
        str | None,
        typer.Argument(metavar="LOADER", help="Show details of one.", show_default=False),
    ] = None,
) -> None:
    """List formats with their licenses, or describe one."""
    from ._loader_list import list_loaders

    list_loaders(loader)


@datasets_app.command()
@guarded
def show(
    name: SetName,
    loader: LoaderName = None,
    map: Mapping = None,
    settings: Settings = None,
    categories: Categories = None,
    limit: Limit = None,
) -> None:
    """Count a set's queries, by scenario, intent and media. No text is shown."""
    from ._set_table import show_set

    show_set(Asked(name, loader, tuple(map or ()), tuple(settings or ()), limit, categories))


@datasets_app.command()
@guarded
def validate(
    name: SetName,
    loader: LoaderName = None,
    map: Mapping = None,
    settings: Settings = None,
    categories: Categories = None,
    limit: Limit = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 2 if an item is left out.")
    ] = False,
) -> int:
    """List items that cannot be used. Missing pictures and recordings are among them."""
    from ._validate import validate_set

    asked = Asked(name, loader, tuple(map or ()), tuple(settings or ()), limit, categories)
    bad = validate_set(asked)
    if strict and bad:
        say("Strict: no item may be left out.")
        return EXIT_USAGE
    return 0


@datasets_app.command()
@guarded
def convert(
    name: SetName,
    out: Annotated[
        Path, typer.Argument(metavar="OUT", help="JSONL file to write; media go beside it.")
    ],
    loader: LoaderName = None,
    map: Mapping = None,
    settings: Settings = None,
    categories: Categories = None,
    limit: Limit = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Write nothing if an item is left out.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Write a set as our own JSONL. Its media are copied; all has permissions 0600."""
    from ...common.text import many
    from ...datasets import LoadedSet, write_jsonl

    if os.path.exists(out) and not force:  # not there, if its folder cannot be looked into
        raise ConfigurationError(f"{out}: exists already: add --force to replace it")
    if out.suffix.lower() != ".jsonl":
        raise ConfigurationError(f"{out}: name a file that ends in .jsonl")
    asked = Asked(name, loader, tuple(map or ()), tuple(settings or ()), limit, categories)
    dataset = asked.open(strict=strict)
    with busy(f"Writing {out} …"):
        written = write_jsonl(out, dataset, private=True)
    say_notes(dataset)
    say(f"Wrote {many(written, 'query', 'queries')} to {out} (permissions 0600).")
    if isinstance(dataset, LoadedSet) and dataset.loader.home:
        say(escape_line(f"The set's license holds for the copy too: {dataset.loader.license}."))


@datasets_app.command()
@guarded
def sample(
    name: SetName,
    loader: LoaderName = None,
    map: Mapping = None,
    settings: Settings = None,
    categories: Categories = None,
    limit: Limit = None,
    number: Annotated[
        int, typer.Option("-n", "--number", min=1, metavar="N", help="Number of queries.")
    ] = 5,
    seed: Annotated[int, typer.Option(metavar="N", help="Random seed.")] = 7,
    reveal: Reveal = False,
) -> None:
    """Show some queries, chosen at random; their texts are withheld."""
    from ._sample import sample_set

    asked = Asked(name, loader, tuple(map or ()), tuple(settings or ()), limit, categories)
    sample_set(asked, number=number, seed=seed, reveal=reveal)
