"""What a set says of its own queries: names and values that reports can break down by."""

from collections.abc import Iterable, Mapping

from ...common import DatasetError
from ...common.text import quoted

LONGEST_VALUE = 200
"""Most characters of a label's value; what is longer is a text."""
_LONGEST_NAME = 64


def check_labels(labels: Mapping[str, str]) -> None:
    """Refuse labels that could not be named on a command line or stand in a table's cell.

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
    """Refuse a name of a label that is more than one word.

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
    """Return labels as a set of queries keeps them, without those that say nothing.

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
