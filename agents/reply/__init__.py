"""What a model's reply holds: JSON objects, refusals, thinking."""

from ._ask import ReplyFailure, ReplyFailureReason, Unreadable, ask_model
from ._json import CONTRADICTION, Members, Reply, json_objects, read_objects
from ._model_schema import asked_schema
from ._points import Points
from ._thinking import MARK, UNCLEAR, marks_replaced, without_thinking

__all__ = [
    "CONTRADICTION",
    "MARK",
    "UNCLEAR",
    "Members",
    "Points",
    "Reply",
    "ReplyFailure",
    "ReplyFailureReason",
    "Unreadable",
    "ask_model",
    "asked_schema",
    "json_objects",
    "marks_replaced",
    "read_objects",
    "without_thinking",
]
