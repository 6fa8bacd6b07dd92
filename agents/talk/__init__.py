"""The roundtable: how jurors are asked to speak, and how what they say is read."""

from ._form import (
    ALL,
    NoRemark,
    RemarkForm,
    addressed,
    parse_remark,
    parse_words,
    remark_schema,
)
from ._prompt import failed_remark, passed, remark_again, remark_messages, remark_of
from ._remark import Remark, RemarkCall, RemarkOutcome

__all__ = [
    "ALL",
    "NoRemark",
    "Remark",
    "RemarkCall",
    "RemarkForm",
    "RemarkOutcome",
    "addressed",
    "failed_remark",
    "parse_remark",
    "parse_words",
    "passed",
    "remark_again",
    "remark_messages",
    "remark_of",
    "remark_schema",
]
