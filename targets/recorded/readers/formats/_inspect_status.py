"""Reads from a log's header how much of an Inspect run was completed."""

from collections.abc import Iterator

from .....datasets.tables import Object, as_list, as_object
from ..base import Remark, Row, Unreadable

_SUCCESS = "success"


class Progress:
    """Counts a log's samples, to find those that its run did not reach.

    Args:
        status: The log's status, None if it says none.
        about: The log's `eval`.
    """

    def __init__(self, status: str | None, about: Object) -> None:
        dataset, config = as_object(about.get("dataset")), as_object(about.get("config"))
        self._succeeded = status == _SUCCESS
        self._says = f"says {status}" if status else "does not say how it ended"
        self._epochs = _number(config.get("epochs")) or 1
        self._ids = [str(name) for name in as_list(dataset.get("sample_ids"))]
        size = _number(dataset.get("samples"))
        self._dataset = size and size * self._epochs
        self._selected = len(self._ids) or _limited(size, config.get("limit"))
        self._seen: set[tuple[str, int]] = set()
        self._unknown = 0

    def add(self, name: object, epoch: object) -> None:
        """Record that a sample is in the log, readable or not.

        Args:
            name: Its id, None if that cannot be read.
            epoch: From 1.
        """
        if name is None:
            self._unknown += 1
        else:
            self._seen.add((str(name), epoch if isinstance(epoch, int) else 1))

    def rows(self) -> Iterator[Row]:
        """Yield a warning about samples missing from the log, and those samples."""
        if self._succeeded:
            return
        number = len(self._seen) + self._unknown
        planned = self._selected and self._selected * self._epochs
        lacking = 0 if planned is None else max(0, planned - number)
        whole = planned if self._dataset is None else self._dataset
        of = f"{number:,}" if whole is None else f"{number:,} of {whole:,}"
        part = "" if planned in (whole, None) else f"; {planned:,} of them were to be run"
        samples = "sample" if of == "1" else "samples"
        yield Remark(f"{of} {samples}: the log {self._says}{part}")
        why = f"is not in the log, which {self._says}"
        for place in self._places(lacking):
            yield Unreadable(place, why)

    def _places(self, lacking: int) -> Iterator[str]:
        if not self._ids or self._unknown:
            yield from (f"missing sample {number} of {lacking}" for number in range(1, lacking + 1))
            return
        for epoch in range(1, self._epochs + 1):
            for name in self._ids:
                if (name, epoch) not in self._seen:
                    yield f"sample {name!r}, epoch {epoch}"


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _limited(size: int | None, limit: object) -> int | None:
    """Return how many samples were to be run: the first so many, or a range."""
    ends = [end for end in as_list(limit) if isinstance(end, int)]
    if size is None:
        return None
    if len(ends) == 2:
        return len(range(size)[ends[0] : ends[1]]) or None
    first = _number(limit)
    return size if first is None else min(size, first)
