"""Labels of questions, out of what a tool says of them."""

from .....datasets.query import LONGEST_VALUE, tidy_labels
from .....datasets.tables import as_text


def labels_of(**said: object) -> dict[str, str]:
    """Return what is said as labels; what is no short text says nothing."""
    texts = {name: as_text(value) for name, value in said.items()}
    return tidy_labels(
        (name, text) for name, text in texts.items() if text and len(text) <= LONGEST_VALUE
    )
