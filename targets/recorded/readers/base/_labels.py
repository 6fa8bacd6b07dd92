"""Extracts labels of questions from a tool's metadata."""

from .....datasets.query import LONGEST_VALUE, tidy_labels
from .....datasets.tables import as_text


def labels_of(**said: object) -> dict[str, str]:
    """Convert metadata to labels; values that are not short texts are ignored."""
    texts = {name: as_text(value) for name, value in said.items()}
    return tidy_labels(
        (name, text) for name, text in texts.items() if text and len(text) <= LONGEST_VALUE
    )
