"""The commands of `safejury datasets`."""

from pathlib import Path
from typing import Annotated

import typer

from ..console import Categories, guarded

datasets_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Look at sets of queries, and convert them.",
)

SetName = Annotated[
    str,
    typer.Argument(
        metavar="SET", help="`mini`, a JSONL file, LOADER:PATH, or a path whose format is told."
    ),
]
LoaderName = Annotated[
    str | None, typer.Option(metavar="LOADER", help="How the set is read, if it is a path alone.")
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
        "--set", metavar="NAME=VALUE", help="The loader's own settings, such as split=test."
    ),
]
Limit = Annotated[int | None, typer.Option(min=1, help="Read only the first so many items.")]


@datasets_app.command("list")
@guarded
def list_all(
    loader: Annotated[
        str | None, typer.Argument(help="A loader, to read all about it.", show_default=False)
    ] = None,
) -> None:
    """List the formats that can be loaded, with licences, or read about one."""
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
    from ._datasets import Asked, show_set

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
        bool, typer.Option("--strict", help="Exit with 2 if an item has to be left out.")
    ] = False,
) -> int:
    """List the items that cannot be used, and missing pictures and sounds."""
    from ._datasets import Asked, validate_set

    asked = Asked(name, loader, tuple(map or ()), tuple(settings or ()), limit, categories)
    return validate_set(asked, strict=strict)


@datasets_app.command()
@guarded
def convert(
    name: SetName,
    out: Annotated[Path, typer.Argument(help="The JSONL file to write; media go beside it.")],
    loader: LoaderName = None,
    map: Mapping = None,
    settings: Settings = None,
    categories: Categories = None,
    limit: Limit = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Write nothing if an item has to be left out.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Write a set as our own JSONL with its media, readable by its owner alone."""
    from ._datasets import Asked, convert_set

    asked = Asked(name, loader, tuple(map or ()), tuple(settings or ()), limit, categories)
    convert_set(asked, out, strict=strict, force=force)


@datasets_app.command()
@guarded
def sample(
    name: SetName,
    loader: LoaderName = None,
    map: Mapping = None,
    settings: Settings = None,
    categories: Categories = None,
    limit: Limit = None,
    number: Annotated[int, typer.Option("-n", "--number", min=1, help="How many.")] = 5,
    seed: Annotated[int, typer.Option(help="Decides which.")] = 7,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show the texts.")] = False,
) -> None:
    """Show some queries, chosen at random; their texts are withheld."""
    from ._datasets import Asked, sample_set

    asked = Asked(name, loader, tuple(map or ()), tuple(settings or ()), limit, categories)
    sample_set(asked, number=number, seed=seed, reveal=reveal)
