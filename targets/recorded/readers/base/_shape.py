"""Explains a JSON file that is one object without a list of responses."""

from pathlib import Path

from .....common.text import quoted
from .....datasets.tables import OneObject, list_names

_HEAD_BYTES = 64 * 1024
_JAILBREAKBENCH = (b'"jailbroken"', b'"jailbreaks"')
_TO_DO = "judge a file of responses, one row a line or a list of rows"


def no_responses(path: Path, found: OneObject) -> str:
    """Describe what a document seems to be, with advice."""
    if len(found.lists) == 1:
        ((key, names),) = found.lists.items()
        return (
            f"is one JSON object, and the rows of its list {quoted(key)} have no 'response'; their "
            f"keys are {list_names(names)}: say which holds the responses with --map response=PATH"
        )
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if any(word in head for word in _JAILBREAKBENCH):
        return (
            "seems to be an evaluation or a submission of JailbreakBench, which is no list of "
            "responses: judge the artifact itself, the JSON with `parameters` and `jailbreaks`"
        )
    return (
        f"is one JSON object without a list of responses; its keys are {list_names(found.keys)}. "
        f"It seems to be settings or a summary: {_TO_DO}"
    )
