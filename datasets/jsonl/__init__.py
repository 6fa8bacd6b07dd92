"""Reads, validates and writes query files: JSON Lines, one query a line."""

from ._jsonl import MINI, Dataset, check_lines, load_dataset
from ._line_checks import BadLineError
from ._listed import QueryList
from ._write import write_jsonl

__all__ = [
    "MINI",
    "BadLineError",
    "Dataset",
    "QueryList",
    "check_lines",
    "load_dataset",
    "write_jsonl",
]
