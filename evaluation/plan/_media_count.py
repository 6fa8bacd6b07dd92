"""Tells where the memory for media holds cases of a run back."""

from collections.abc import Iterable, Iterator

from ...assembly.config import most_media_bytes
from ...common.text import file_size, many
from ...datasets.media import encoded_size
from ..trials import Trial
from ._plan import RunPlan


class MediaCount:
    """Counts the media of a run's cases.

    Args:
        plan: The run.
    """

    def __init__(self, plan: RunPlan) -> None:
        self._most = most_media_bytes(plan.limits)
        self._at_a_time = plan.most_cases
        self._cases = self._bytes = self._of_different = 0
        self._seen = set[str]()

    def counted(self, trials: Iterable[Trial]) -> Iterator[Trial]:
        """Yield trials, and count the media of each."""
        for trial in trials:
            self._add(trial)
            yield trial

    def _add(self, trial: Trial) -> None:
        media = {one.sha256: encoded_size(one) for one in trial.query.media}
        if not media:
            return
        self._cases += 1
        self._bytes += sum(media.values())
        if self._of_different <= self._most:  # more need not be remembered
            self._of_different += sum(media[sha] for sha in media.keys() - self._seen)
            self._seen |= media.keys()

    @property
    def note(self) -> str | None:
        """How many cases have room at a time, None where all that may be under way have."""
        if self._of_different <= self._most:
            return None
        have_room = max(1, self._most * self._cases // self._bytes)
        if have_room >= min(self._at_a_time, self._cases):
            return None
        return (
            f"limits.media_bytes of {file_size(self._most)} has room for the pictures and sounds "
            f"of about {many(have_room, 'case')} at a time, of {self._at_a_time:,} that may be "
            "under way"
        )
