"""Extracts values from JSON of unknown shape."""

from typing import TypeGuard, cast

from ...common.text import quoted

Object = dict[str, object]


class RowError(ValueError):
    """A row cannot be used; the message says why."""


class UnreadError(RowError):
    """Rows were skipped, because their ends could not be found.

    Args:
        why: What is wrong, in words.
        rest: See below.

    Attributes:
        rest: Whether nothing after it is read, so that the number of lost rows is unknown.
    """

    def __init__(self, why: str, *, rest: bool = False) -> None:
        super().__init__(why)
        self.rest = rest


_TYPES: dict[type, str] = {
    bool: "true or false",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "an object",
    bytes: "bytes",
    type(None): "null",
}


def is_object(value: object) -> TypeGuard[Object]:
    """Return whether a value is a JSON object."""
    return isinstance(value, dict)


def as_object(value: object) -> Object:
    """Return an object, an empty one for anything else."""
    return value if is_object(value) else {}


def as_list(value: object) -> list[object]:
    """Return a list, an empty one for anything else."""
    return cast(list[object], value) if isinstance(value, list) else []


def as_text(value: object) -> str | None:
    """Return a text, None for anything else."""
    return value if isinstance(value, str) else None


def first_text(*values: object) -> str | None:
    """Return the first value that is a non-empty text."""
    return next((v for v in values if isinstance(v, str) and v.strip()), None)


def identifier(value: object, what: str) -> str:
    """Return a query's id; integers are accepted.

    Raises:
        RowError: It is not there, or can be no id.
    """
    name = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(name, str):
        raise RowError(f"{what} must be a text or a whole number, not {describe(value)}")
    if not name or name != name.strip() or not name.isprintable():
        raise RowError(f"{what} {quoted(name)} must be printable text without space around it")
    return name


def optional_text(value: object, what: str) -> str | None:
    """Return a text, or None if there is none.

    Raises:
        RowError: It is something else.
    """
    if value is None or isinstance(value, str):
        return value
    raise RowError(f"{what} must be a text or null, not {describe(value)}")


def as_label(value: object, what: str) -> str | None:
    """Format a value as a label; items of a list are joined by commas; None for null.

    Raises:
        RowError: It is something else.
    """
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    if (items := as_list(value)) or value == []:
        return ", ".join(filter(None, (as_label(item, what) for item in items)))
    raise RowError(f"{what} must be a name, a number or a list, not {describe(value)}")


def describe(value: object) -> str:
    """Describe a value for a message."""
    return quoted(value) if isinstance(value, str) else _TYPES.get(type(value), "that")
