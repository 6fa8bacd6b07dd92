"""Validates labels of queries, by which reports can be broken down."""

from collections.abc import Iterable, Mapping

from ...common import DatasetError
from ...common.text import quoted

LONGEST_VALUE = 200
"""Most characters of a label's value; what is longer is a text."""
_LONGEST_NAME = 64


def check_labels(labels: Mapping[str, str]) -> None:
    """Raise an error for labels unfit for the command line or a table cell.

    Raises:
        DatasetError: What is wrong, in words.
    """
    for name, value in labels.items():
        check_label_name(name)
        if not value or value != value.strip() or not value.isprintable():
            raise DatasetError(
                f"the label {name!r} must be printable text without space around it, not "
                f"{quoted(value)}"
            )
        if len(value) > LONGEST_VALUE:
            raise DatasetError(
                f"the label {name!r} has {len(value):,} characters, more than {LONGEST_VALUE}: "
                "a label is a name, no text"
            )


def check_label_name(name: str) -> None:
    """Raise an error for a label name that is not a single word.

    Raises:
        DatasetError: It holds something other than letters, digits, `_`, `-` and `.`.
    """
    plain = name.replace("_", "a").replace("-", "a").replace(".", "a")
    if not plain.isalnum() or len(name) > _LONGEST_NAME:
        raise DatasetError(
            f"{quoted(name)} cannot name a label: write letters, digits, '_', '-' and '.', at "
            f"most {_LONGEST_NAME}"
        )


def tidy_labels(labels: Iterable[tuple[str, str | None]]) -> dict[str, str]:
    """Normalize labels and drop empty ones.

    Runs of white space and what cannot be printed become one space.

    Args:
        labels: Names and values as another project has them.

    Raises:
        DatasetError: One cannot be a label.
    """
    tidy = {name: tidied for name, value in labels if (tidied := _one_line(value or ""))}
    check_labels(tidy)
    return dict(sorted(tidy.items()))


def _one_line(value: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in value).split())
