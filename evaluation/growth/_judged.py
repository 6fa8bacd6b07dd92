"""Compares what was asked and answered in a run with what its config asks now, case by case."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from ...common import DatasetError, RecordError
from ...common.text import many
from ...datasets import (
    Condition,
    MediaStore,
    PicturePool,
    Query,
    image_variant,
    select_parts,
)
from ...models import redactor
from ...targets import RecordedQuestions, Response, ResponseOutcome
from ..plan import RunPlan
from ..record import CasesByQuery, KeptCase
from ..trials import applies, asked_of

_PICTURES = "pictures"
_ANOTHER = "give this run another run.name."
_DRAWN_BEFORE = (
    "An earlier version drew the pictures of mini with another Pillow: this run can be reported "
    "and shown, but not resumed; give a new run another run.name."
)


class JudgedCases:
    """The cases of a record, to be compared with a plan.

    Args:
        directory: The run's directory, for errors.
        cases: Its cases by query.
        plan: What is asked now.
        reread: Targets whose files of responses have changed.
    """

    def __init__(
        self, directory: Path, cases: CasesByQuery, plan: RunPlan, reread: tuple[str, ...]
    ) -> None:
        self._directory = directory
        self._cases = cases
        self._plan = plan
        self._reread = {name: plan.recorded[name] for name in reread if name in plan.recorded}

    async def compare(self) -> list[str]:
        """Compare all cases, and return those of kept responses to another question.

        Raises:
            RecordError: A finished case is of another query or response than now, or its query is
                gone from the set.
        """
        stale = list[str]()
        with TemporaryDirectory(prefix="safejury-") as folder:
            store = MediaStore(Path(folder))
            for query in self._plan.selection.dataset:
                seen = False  # whether the pictures themselves were compared
                for case in self._cases.take(query.id):
                    difference = self._differs(case, query, store, seen=seen)
                    seen = seen or Condition.named(case.condition).image == "original"
                    if difference is None:
                        difference = await self._answers_otherwise(case)
                    if difference is not None and case.judged:
                        raise RecordError(self._refusal(case, query, difference))
                    if difference is not None:
                        stale.append(case.case_id)
        self._refuse_gone()
        return stale

    def _differs(
        self, case: KeptCase, query: Query, store: MediaStore, *, seen: bool
    ) -> str | None:
        found = case.query
        if found is None:  # an earlier version was killed before it was written
            return None
        condition, dataset = Condition.named(case.condition), self._plan.selection.dataset
        if isinstance(dataset, RecordedQuestions) and case.target in self._plan.recorded:
            query = dataset.as_put(case.target, query, case.epoch)
        if not applies(condition, query):
            return "media"
        variant = image_variant(condition.image)
        skipped = condition.image == "random" or (seen and condition.image != "original")
        try:
            if not skipped:
                seed = self._plan.options.seed
                query = variant.apply(query, seed=seed, store=store, others=PicturePool())
            put = select_parts(query, condition.parts, condition.voice)
        except DatasetError:
            return "media"
        what = next(_different(found, put, pictures=not skipped), None)
        if what is None:
            return None
        hidden = redactor.redact_fields(put)  # as it is where a text holds one of our keys
        return next(_different(found, hidden, pictures=not skipped), None)

    async def _answers_otherwise(self, case: KeptCase) -> str | None:
        target = self._reread.get(case.target)
        if target is None or case.query is None or case.response is None:
            return None
        if case.response.outcome is ResponseOutcome.ERROR:  # such as one that was not there yet
            return None
        now = await target.respond(case.query, epoch=case.epoch, call_id="")
        same = _said(now) == _said(case.response) or _said(redactor.redact_fields(now)) == _said(
            case.response
        )
        return None if same else f"response of {case.target!r}"

    def _refusal(self, case: KeptCase, query: Query, what: str) -> str:
        if what == _PICTURES and self._plan.dataset == "mini":
            said = f"{query.id!r} was judged with other pictures"
            return f"{self._directory}: {said}. {_DRAWN_BEFORE}"
        if what.startswith("response"):
            back = f"put it back as it was, or {_ANOTHER}"
        else:
            back = f"give the query another id, put it back as it was, or {_ANOTHER}"
        an = "other" if what in (_PICTURES, "media", "labels") else "another"
        return (
            f"{self._directory}: {query.id!r} was judged with {an} {what} ({case.case_id}), and "
            f"what is judged must stay as it is: {back}"
        )

    def _refuse_gone(self) -> None:
        """Refuse where a query is gone that a target of the config was asked."""
        own = isinstance(self._plan.selection.dataset, RecordedQuestions)
        names = set(self._plan.target_names)
        gone = Counter(
            query_id for query_id, target in self._cases.left() if not own or target in names
        )
        if not gone:
            return
        first = min(gone)
        raise RecordError(
            f"{self._directory}: {many(len(gone), 'judged query', 'judged queries')} "
            f"{'is' if len(gone) == 1 else 'are'} no more in the set (such as {first!r}), and a "
            "report would count what the set has not: put back what was there, or give this run "
            "another run.name."
        )


def _said(response: Response) -> tuple[str, str]:
    return str(response.outcome), response.text


def _different(one: Query, two: Query, *, pictures: bool) -> Iterator[str]:
    """Yield what differs between two queries, in words."""
    was, now = asked_of(one), asked_of(two)
    skipped = () if pictures else (_PICTURES, "conversation")
    yield from (what for what in was if what not in skipped and was[what] != now[what])
