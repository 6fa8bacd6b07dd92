"""The stage `queries`: proposes queries and keeps the best."""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass

from ..items import Candidate
from ..pipeline import CANDIDATES, QUERIES, Calls, StageContext, TemporaryItems, in_order
from ._bus import DialogueBus
from ._dialogue_counts import DialogueCounts
from ._estimate import estimate_queries
from ._inputs import dialogue_inputs
from ._query_dialogue import QueryCoordinator, ScenarioRequest, ScenarioResult, batches_planned
from ._selection import decide, known_texts
from ._shortfall import check_shortfall


@dataclass(frozen=True, slots=True)
class QueriesStage:
    """Writes all proposals to `candidates.jsonl` and those that are kept to `queries.jsonl`."""

    name: str = "queries"

    def outputs(self, context: StageContext) -> Collection[str]:
        """Return the files that it writes."""
        return CANDIDATES, QUERIES

    def inputs(self, context: StageContext) -> object:
        """Return all that decides its result."""
        prompts = ("query_propose", "query_revise", "query_score", "score_scale")
        settings = asdict(context.settings.queries)
        return {"queries": settings, **dialogue_inputs(context, *prompts)}

    def estimate(self, context: StageContext) -> tuple[Calls, ...]:
        """Return the estimated calls."""
        return estimate_queries(context)

    async def make(self, context: StageContext) -> None:
        """Make the queries of all scenarios.

        Raises:
            BudgetError: The budget does not cover a call.
            FirstContactError: A model never answered once and waiting won't help.
            ModelError: See `StageCounts.settle`; what there is is written.
            PanelRefusedError: There is no query at all; what was proposed is written.
        """
        scenarios = context.scenario_ids()
        planned = len(scenarios) * batches_planned(context.settings.queries)
        context.progress.stage(self.name, planned)
        with TemporaryItems(context.folder, self.name) as temporary:
            counts = await _run_dialogues(context, temporary)
            context.folder.write(CANDIDATES, _decided(context, temporary))
        candidates = context.folder.read(CANDIDATES, Candidate)
        kept = (one for one in candidates if one.state == "kept")
        context.folder.write(QUERIES, kept)
        self._account(context, counts)

    def _account(self, context: StageContext, counts: DialogueCounts) -> None:
        """Count the candidates by state, and report scenarios that fall short."""
        wanted, scenarios = context.settings.queries.per_scenario, context.scenario_ids()
        kept = Counter[str]()
        for one in context.folder.read(CANDIDATES, Candidate):
            counts.add(one.state)
            if one.state == "kept":
                counts.add(f"kept_{one.form}s")
                kept[one.scenario] += 1
        for scenario in scenarios:
            if missing := wanted - kept[scenario]:
                counts.add(f"short.{scenario}", missing)
                context.progress.notify(
                    f"{self.name}: kept {kept[scenario]} of {wanted} wanted for {scenario}"
                )
        context.folder.count(self.name, {"scenarios": len(scenarios), **counts.sorted()})
        check_shortfall(
            context,
            self.name,
            counts,
            made=kept.total(),
            wanted=wanted * len(scenarios),
            kept_in=CANDIDATES,
        )


async def _run_dialogues(context: StageContext, temporary: TemporaryItems) -> DialogueCounts:
    """Run the dialogues of all scenarios, and write the candidates of each to a file."""
    taxonomy, counts = context.taxonomy(), DialogueCounts()

    def take(done: ScenarioResult) -> None:
        counts.add_all(done.counts)
        with temporary.writer(done.scenario) as writer:
            for candidate in done.candidates:
                writer.add(candidate)

    async with DialogueBus(context, QueryCoordinator) as bus:
        await in_order(
            (
                bus.ask_coordinator(ScenarioRequest(taxonomy.resolve(name)), ScenarioResult)
                for name in context.scenario_ids()
            ),
            context.concurrency,
            take,
        )
    return counts


def _decided(context: StageContext, temporary: TemporaryItems) -> Iterator[Candidate]:
    """Yield all candidates with their final state, one scenario at a time."""
    settings = context.settings.queries
    known = known_texts(settings.near_duplicate)
    for scenario in context.scenario_ids():
        yield from decide(list(temporary.read(scenario, Candidate)), known, settings)
