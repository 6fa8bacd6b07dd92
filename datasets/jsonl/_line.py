"""Parses one line of a query file and explains its errors."""

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from ...common import DatasetError, no_items
from ...common.text import did_you_mean, quoted
from ..query import NAIVE, VOICE, Intent, check_labels
from ..taxonomy import Taxonomy
from ._line_messages import MessageLine

_TYPES: dict[type, str] = {
    str: "a string",
    bool: "true or false",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "an object",
    type(None): "null",
}


class ForeignLineError(DatasetError):
    """The line lacks every required key of a query; it may be of another tool."""


class QueryLine(BaseModel):
    """A query as written in a file.

    Attributes:
        id: Unique within the file; printable, without space around it.
        scenario: Any name of a scenario; canonical after `parse_line`.
        text: The question; not blank. Required unless there are `messages`.
        intent: `harmful` or `benign`.
        image: Path of the picture, relative to the file's folder.
        images: Paths of several pictures, instead of `image`.
        audio: Path of the sound, relative to the file's folder.
        source: Where the query comes from.
        underlying_request: What text and media together ask for; not blank.
        intent_assumed: Whether `intent` is a guess, because the original dataset has none.
        labels: The dataset's own labels of the query, by name.
        voices: Paths of recordings of the text, by the voice; for `voices:` of a config.
        naive: Path of the first drawing of the picture; for `images: [naive]`.
        messages: The turns of a conversation, instead of `text` and media beside it.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    id: str
    scenario: str
    text: str | None = None
    intent: Intent
    image: str | None = None
    images: list[str] | None = None
    audio: str | None = None
    source: str | None = None
    underlying_request: str | None = None
    intent_assumed: bool = False
    labels: dict[str, str] = Field(default_factory=no_items)
    voices: dict[str, str] = Field(default_factory=no_items)
    naive: str | None = None
    messages: list[MessageLine] | None = None


def parse_line(line: bytes, taxonomy: Taxonomy) -> QueryLine:
    """Parse one line and resolve its scenario to the canonical id.

    Args:
        line: One JSON object.
        taxonomy: The scenarios that it may name.

    Raises:
        ForeignLineError: It is an object, but lacks a key.
        DatasetError: The line is invalid; the message lacks the line number.
    """
    try:
        query = QueryLine.model_validate_json(line)
    except ValidationError as error:
        errors = error.errors(include_url=False)
        foreign = any(each["type"] == "missing" for each in errors)
        raise (ForeignLineError if foreign else DatasetError)(_explain(errors)) from None
    if not query.id or query.id != query.id.strip() or not query.id.isprintable():
        raise DatasetError(f"id {quoted(query.id)} must be printable text without space around it")
    if query.text is None and query.messages is None:
        raise ForeignLineError(_missing("text"))
    if query.messages is not None and (query.image or query.images or query.audio):
        raise DatasetError("media of a conversation go into its 'messages', not beside them")
    if query.text is not None and not query.text.strip():
        raise DatasetError("'text' is empty; write what is asked")
    if query.underlying_request is not None and not query.underlying_request.strip():
        raise DatasetError("'underlying_request' is empty; write it, or leave it out")
    if query.image is not None and query.images is not None:
        raise DatasetError("give 'image' or 'images', not both")
    if (query.voices or query.naive) and query.messages is not None:
        raise DatasetError("a conversation has no 'voices' and no 'naive'; take them out")
    if any(not VOICE.fullmatch(name) or name == NAIVE for name in query.voices):
        raise DatasetError(
            "'voices' names a voice that is not letters, digits, `.`, `_`, `+` or `-`; rename it"
        )
    check_labels(query.labels)
    scenario = taxonomy.resolve(query.scenario).id
    if scenario != query.scenario:  # to set a field takes pydantic a while
        query.scenario = scenario
    return query


def _explain(errors: list[ErrorDetails]) -> str:
    """Describe the most useful error: an unknown key also explains a missing one."""
    error = min(errors, key=lambda e: e["type"] != "extra_forbidden")
    within, field = len(error["loc"]) > 1, _field(error["loc"])
    match error["type"]:
        case "json_invalid":
            detail = str(error.get("ctx", {}).get("error", "")).replace("line 1 ", "")
            return f"not JSON ({detail}); write one JSON object a line"
        case "extra_forbidden" if within:
            return f"unknown key {quoted(field)}"
        case "missing" if within:
            return f"key {field!r} is missing"
        case "literal_error":
            wanted = error.get("ctx", {}).get("expected", "")
            return f"{field!r} must be {wanted}, not {_found(error['input'])}"
        case "list_type":
            return f"{field!r} must be a list, not {_found(error['input'])}"
        case "extra_forbidden":
            known = QueryLine.model_fields
            return f"unknown key {quoted(field)}{did_you_mean(field, known) or _keys()}"
        case "missing":
            return _missing(field)
        case "enum":
            wanted = " or ".join(repr(str(intent)) for intent in Intent)
            return f"{field!r} must be {wanted}, not {_found(error['input'])}"
        case "string_type":
            return f"{quoted(field)} must be a string, not {_found(error['input'])}"
        case "dict_type":
            return f"{field!r} must be an object of names and values, not {_found(error['input'])}"
        case "model_type":
            what = f"{field!r}" if field else "a line"
            return f"{what} must hold a JSON object, not {_found(error['input'])}"
        case _:
            return f"{quoted(field)} is wrong: {error['msg']}"


def _field(loc: tuple[int | str, ...]) -> str:
    """Return the path of the invalid field, such as `messages[1].content[0].path`."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in loc)
    return "".join(steps).removeprefix(".")


def _missing(field: str) -> str:
    instead = "; a conversation has 'messages' instead of 'text'" if field == "text" else ""
    needed = "'id', 'scenario', 'text' and 'intent'"
    return f"key {field!r} is missing; a line needs {needed}{instead}"


def _keys() -> str:
    return f"; the keys are {', '.join(QueryLine.model_fields)}"


def _found(value: object) -> str:
    return quoted(value) if isinstance(value, str) else _TYPES.get(type(value), "that")
