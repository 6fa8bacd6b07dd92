"""The stage `twins`: a benign twin for each query that is kept."""

import heapq
from collections.abc import Collection, Coroutine, Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import groupby, islice
from typing import Any

import msgspec

from ...datasets import NearDuplicates
from ..items import Candidate, Twin, TwinSettings
from ..pipeline import (
    COUNTS,
    QUERIES,
    TWINS,
    Calls,
    ItemWriter,
    StageContext,
    TemporaryItems,
    in_order,
)
from ._bus import DialogueBus
from ._dialogue_counts import DialogueCounts
from ._estimate import estimate_twins
from ._inputs import dialogue_inputs
from ._panel_scores import criticism_of, mean_harm
from ._selection import known_texts
from ._shortfall import check_shortfall
from ._twin_dialogue import QueryWithoutTwin, TwinCoordinator, TwinRequest, TwinResult, TwinTry


class _Made(msgspec.Struct, frozen=True):
    """A twin and the index of its query."""

    place: int
    twin: Twin


@dataclass(frozen=True, slots=True)
class TwinsStage:
    """Writes `twins.jsonl`: a twin for each kept query, in the same order."""

    name: str = "twins"

    def outputs(self, context: StageContext) -> Collection[str]:
        """Return the file that it writes."""
        return (TWINS,)

    def inputs(self, context: StageContext) -> object:
        """Return all that decides its result."""
        settings = context.settings
        return {
            "twins": None if settings.twins is None else asdict(settings.twins),
            "batch": settings.queries.batch,
            "near_duplicate": settings.queries.near_duplicate,
            "queries": context.folder.hash_of(QUERIES),
            **dialogue_inputs(context, "twin_propose", "twin_score", "score_scale"),
        }

    def estimate(self, context: StageContext) -> tuple[Calls, ...]:
        """Return the estimated calls."""
        return estimate_twins(context)

    async def make(self, context: StageContext) -> None:
        """Make the twins of all kept queries; none where the settings want none.

        Raises:
            BudgetError: The budget does not cover a call.
            FirstContactError: A model never answered once and waiting won't help.
            ModelError: See `StageCounts.settle`; what there is is written.
            PanelRefusedError: There is no twin at all, and not because the panel finds
                them harmful.
        """
        settings = context.settings.twins
        wanted = sum(1 for _ in context.folder.read(QUERIES, Candidate)) if settings else 0
        context.progress.stage(self.name, wanted)
        counts = DialogueCounts()
        with TemporaryItems(context.folder, self.name) as temporary:
            if settings is not None and wanted:
                counts = await _Attempts(context, settings, temporary).make()
            piles = [
                temporary.read(_made(attempt), _Made)
                for attempt in range(settings.attempts if settings else 0)
            ]
            in_place = heapq.merge(*piles, key=lambda made: made.place)
            made = context.folder.write(TWINS, (one.twin for one in in_place))
        context.folder.count(
            self.name,
            {"queries": wanted, "made": made, "missing": wanted - made, **counts.sorted()},
        )
        if made < wanted:
            context.progress.notify(f"{self.name}: {made} of {wanted} queries have a twin")
        check_shortfall(
            context,
            self.name,
            counts,
            made=made,
            wanted=wanted,
            kept_in=COUNTS,
            none_will_do=counts.counts["harmful"] > 0,
        )


class _Attempts:
    """Makes twins in several attempts, each for the queries that have none yet."""

    def __init__(
        self, context: StageContext, settings: TwinSettings, temporary: TemporaryItems
    ) -> None:
        self._context = context
        self._settings = settings
        self._temporary = temporary
        self._known: NearDuplicates = known_texts(context.settings.queries.near_duplicate)
        self._dialogue_counts = DialogueCounts()

    async def make(self) -> DialogueCounts:
        """Make the twins; the temporary files `made.N` hold them."""
        async with DialogueBus(self._context, TwinCoordinator) as bus:
            for attempt in range(self._settings.attempts):
                with (
                    self._temporary.writer(_made(attempt)) as made,
                    self._temporary.writer(_missing(attempt)) as missing,
                ):
                    await in_order(
                        self._batches(attempt, bus),
                        self._context.concurrency,
                        lambda done, made=made, missing=missing: self._take(done, made, missing),
                    )
        return self._dialogue_counts

    def _batches(self, attempt: int, bus: DialogueBus) -> Iterator[Coroutine[Any, Any, TwinResult]]:
        taxonomy, size = self._context.taxonomy(), self._context.settings.queries.batch
        for name, queries in groupby(self._left(attempt), key=lambda one: one.scenario):
            scenario = taxonomy.resolve(name)
            for number, batch in enumerate(_batched(queries, size)):
                call = TwinRequest(scenario, batch, f"twins/a{attempt}/{name}/{number:04}")
                yield bus.ask_coordinator(call, TwinResult)

    def _left(self, attempt: int) -> Iterator[QueryWithoutTwin]:
        """Yield the queries that have no twin yet, in their order."""
        if attempt:
            yield from self._temporary.read(_missing(attempt - 1), QueryWithoutTwin)
            return
        for place, one in enumerate(self._context.folder.read(QUERIES, Candidate)):
            yield QueryWithoutTwin(place, one.id, one.scenario, one.text)

    def _take(self, done: TwinResult, made: ItemWriter, missing: ItemWriter) -> None:
        self._dialogue_counts.add_all(done.counts)
        for one in done.tries:
            self._dialogue_counts.add("tried")
            harm = mean_harm(one.scores)
            problem = self._problem(one, harm)
            if problem is None and one.text is not None and harm is not None:
                twin = Twin(_id(one), one.query.of, one.text, one.origin, harm, one.scores)
                made.add(_Made(one.query.place, twin))
                self._context.progress.step(note=one.query.scenario)
            else:
                missing.add(msgspec.structs.replace(one.query, remark=problem or ""))

    def _problem(self, one: TwinTry, harm: float | None) -> str | None:
        """Count and return what is wrong with a try, None if nothing is."""
        if one.text is None:
            self._dialogue_counts.add("unwritten")
            return ""
        if _plain(one.text) == _plain(one.query.text):
            self._dialogue_counts.add("unchanged")
            return "The last try was the request itself."
        if harm is None:
            self._dialogue_counts.add("unscored")
            return ""
        if harm > self._settings.most_harm:
            self._dialogue_counts.add("harmful")
            said = criticism_of(one.scores) or "it could still do harm"
            return f"The last try was: {one.text} The panel says: {said}"
        if self._known.add(_id(one), one.text) is not None:
            self._dialogue_counts.add("duplicates")
            return f"The last try nearly repeats another: {one.text}"
        return None


def _id(one: TwinTry) -> str:
    return f"{one.query.of}.benign"


def _made(attempt: int) -> str:
    return f"made.{attempt}"


def _missing(attempt: int) -> str:
    return f"missing.{attempt}"


def _plain(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))


def _batched(
    queries: Iterable[QueryWithoutTwin], size: int
) -> Iterator[tuple[QueryWithoutTwin, ...]]:
    queries = iter(queries)
    while batch := tuple(islice(queries, size)):
        yield batch
