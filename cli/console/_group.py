"""The commands of the program, each imported when it is first asked for."""

import shlex
from collections.abc import Iterator, Mapping, MutableMapping
from contextvars import ContextVar
from importlib import import_module
from typing import Any, ClassVar, NamedTuple

import typer
from typer.core import TyperGroup

_typed: ContextVar[tuple[str, ...]] = ContextVar("_typed", default=())


class CommandPlace(NamedTuple):
    """Where a command is, and what the list of commands says of it.

    Attributes:
        folder: The folder of `cli/` that it is imported from.
        summary: The first sentence of its docstring.
        attribute: Its name there; by default its own, with underscores.
    """

    folder: str
    summary: str
    attribute: str = ""


class CommandGroup(TyperGroup):
    """The commands; remembers what was typed, so that a message can repeat it.

    Attributes:
        places: Where each command is.
    """

    places: ClassVar[Mapping[str, CommandPlace]] = {}

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.commands = _ImportedCommands(self.places, self.commands)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the words behind the program's name."""
        if ctx.parent is None:
            _typed.set(tuple(args))
        return super().parse_args(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List the commands without importing any: all of them take longer than Python itself."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, place.summary) for name, place in self.places.items()])


class _ImportedCommands(MutableMapping[str, Any]):
    """The commands by name, each imported and made when it is looked up.

    Args:
        places: Where each is.
        made: Those that are made already.
    """

    def __init__(self, places: Mapping[str, CommandPlace], made: Mapping[str, Any]) -> None:
        self._places = places
        self._made = dict(made)

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            place = self._places[name]
            folder = import_module(f"..{place.folder}", __package__)
            found = getattr(folder, place.attribute or name.replace("-", "_"))
            self._made[name] = _made(name, found)
        return self._made[name]

    def __contains__(self, name: object) -> bool:
        return name in self._places or name in self._made

    def __iter__(self) -> Iterator[str]:
        yield from dict.fromkeys([*self._places, *self._made])

    def __len__(self) -> int:
        return len(list(iter(self)))

    def __setitem__(self, name: str, command: Any) -> None:
        self._made[name] = command

    def __delitem__(self, name: str) -> None:
        del self._made[name]


def _made(name: str, found: Any) -> Any:
    """Return the command of a function, or of an app with commands of its own."""
    holder = typer.Typer(
        add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False
    )
    if isinstance(found, typer.Typer):
        holder.add_typer(found, name=name)
        group: Any = typer.main.get_command(holder)
        return group.commands[name]
    holder.command(name)(found)
    return typer.main.get_command(holder)


def same_command() -> str:
    """Return the command line that was typed, to be typed again."""
    return shlex.join(["safejury", *_typed.get()])
