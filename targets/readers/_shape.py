"""JSON that is one object, where lines or a list are expected: its rows, or what it seems to be."""

from collections.abc import Callable, Collection
from itertools import islice
from pathlib import Path

from ...datasets import ConfigurationError
from ...datasets._nearest import quoted
from ...datasets.tables import BrokenJson, JsonFile, listed
from ._reader import first_line

_MOST_KEYS = 1000
_HEAD_BYTES = 64 * 1024
_JAILBREAKBENCH = (b'"jailbroken"', b'"jailbreaks"')
_TO_DO = "judge a file of responses, one row a line or a list of rows"


def list_within(path: Path, holds_rows: Callable[[Collection[str]], bool]) -> str | None:
    """Return the key of the list in which a document's rows are; None where it has none.

    Args:
        path: A file of JSON.
        holds_rows: Whether an object with these keys may be a row.

    Raises:
        ConfigurationError: The file is one object, and no list in it, or more than one,
            is that of its rows.
    """
    if holds_rows(first_line(path)):
        return None
    with JsonFile(path) as document:
        if document.opens(document.root) != "{":
            return None
        try:
            document.finish()
            members = list(islice(document.members(document.root), _MOST_KEYS))
            rows: dict[str, tuple[str, ...]] = {}
            for key, at in members:
                if document.opens(at) == "[":
                    first = next(document.elements(at), None)
                    if document.opens(first) == "{" and first is not None:
                        rows[key] = document.keys(first, _MOST_KEYS)
        except BrokenJson:
            return None  # lines, or damaged: reading it says where
    fitting = [key for key, names in rows.items() if holds_rows(names)]
    if len(fitting) == 1:
        return fitting[0]
    keys = [key for key, _ in members]
    raise ConfigurationError(f"{path}: {_seems(path, keys, rows, fitting, holds_rows(keys))}")


def _seems(
    path: Path,
    keys: list[str],
    rows: dict[str, tuple[str, ...]],
    fitting: list[str],
    is_row: bool,
) -> str:
    """Return what a document seems to be, and what would work."""
    if is_row:
        return "is one row over several lines: write each row on a line of its own, or a list"
    if fitting:
        return (
            f"is one JSON object with several lists of rows ({', '.join(map(quoted, fitting))}): "
            "save the one that is meant as a file of its own"
        )
    if len(rows) == 1:
        ((key, names),) = rows.items()
        return (
            f"is one JSON object, and the rows of its list {quoted(key)} have no 'response'; their "
            f"keys are {listed(names)}: say which holds the responses with --map response=PATH"
        )
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if any(word in head for word in _JAILBREAKBENCH):
        return (
            "seems to be an evaluation or a submission of JailbreakBench, which is no list of "
            "responses: judge the artifact itself, the JSON with `parameters` and `jailbreaks`"
        )
    return (
        f"is one JSON object without a list of responses; its keys are {listed(keys)}. It seems "
        f"to be settings or a summary: {_TO_DO}"
    )
