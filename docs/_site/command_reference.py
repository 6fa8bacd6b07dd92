"""Writes a page for each command from the command line itself."""

from collections.abc import Iterator
from typing import Any

import click
import typer

from safejury.cli import app


def command_pages() -> dict[str, str]:
    """Return the Markdown of each command's page by its name, such as `datasets-list`."""
    root: Any = typer.main.get_command(app)
    return {"-".join(words): _page(words, command) for words, command in _commands(root, ())}


def index_page(pages: dict[str, str]) -> str:
    """Return the page that lists the commands."""
    root: Any = typer.main.get_command(app)
    rows = [
        f"| [`safejury {' '.join(words)}`]({'-'.join(words)}.md) | {_summary(command)} |"
        for words, command in _commands(root, ())
        if "-".join(words) in pages
    ]
    table = "\n".join(["| command | what it does |", "|---|---|", *rows])
    return f"# Commands\n\n{table}\n\n{_escaped(root.epilog or '')}\n"


def _commands(group: Any, above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        if command.hidden:
            continue
        words = (*above, name)
        if hasattr(command, "commands"):
            yield from _commands(command, words)
        else:
            yield words, command


def _page(words: tuple[str, ...], command: Any) -> str:
    name = f"safejury {' '.join(words)}"
    context = click.Context(command, info_name=name)
    usage = command.get_usage(context).removeprefix("Usage: ")
    parts = [f"# {name}", _escaped(command.help or ""), f"```text\n{usage}\n```"]
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    options = [each for each in command.params if each.param_type_name == "option"]
    for title, params in (("Arguments", arguments), ("Options", options)):
        shown = [each.get_help_record(context) for each in params if not each.hidden]
        rows = [f"| `{_code(record[0])}` | {_escaped(record[1])} |" for record in shown if record]
        if rows:
            parts.append(f"## {title}\n\n| | |\n|---|---|\n" + "\n".join(rows))
    return "\n\n".join(parts) + "\n"


def _summary(command: Any) -> str:
    return _escaped((command.help or "").split("\n\n")[0])


def _code(text: str) -> str:
    return text.replace("|", "\\|").replace("`", "'")


def _escaped(text: str) -> str:
    said = " ".join(text.split()) if "\n\n" not in text else text
    for sign in ("\\", "|", "<", "*", "_", "["):
        said = said.replace(sign, f"\\{sign}")
    return said
