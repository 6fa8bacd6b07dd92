"""Reads JSON, CSV and Parquet files of other tools, one object at a time."""

from ._column_map import LABEL, ColumnMap, list_names
from ._csv import DELIMITERS, CsvRow, CsvTable
from ._decode import decode
from ._intents import Intents
from ._json_file import BrokenJson, JsonFile
from ._media_values import media_values, pictures
from ._messages import read_messages
from ._objects import json_objects
from ._parquet import parquet_objects
from ._places import MISSING, value_at
from ._shape import OneObject, first_line, is_document, list_within
from ._turns import before_last, split_asked, without_media
from ._values import (
    Object,
    RowError,
    UnreadError,
    as_label,
    as_list,
    as_object,
    as_text,
    describe,
    first_text,
    identifier,
    is_object,
    optional_text,
)

__all__ = [
    "DELIMITERS",
    "LABEL",
    "MISSING",
    "BrokenJson",
    "ColumnMap",
    "CsvRow",
    "CsvTable",
    "Intents",
    "JsonFile",
    "Object",
    "OneObject",
    "RowError",
    "UnreadError",
    "as_label",
    "as_list",
    "as_object",
    "as_text",
    "before_last",
    "decode",
    "describe",
    "first_line",
    "first_text",
    "identifier",
    "is_document",
    "is_object",
    "json_objects",
    "list_names",
    "list_within",
    "media_values",
    "optional_text",
    "parquet_objects",
    "pictures",
    "read_messages",
    "split_asked",
    "value_at",
    "without_media",
]
