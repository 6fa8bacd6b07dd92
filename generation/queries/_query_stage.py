"""The stage `queries`: proposed in dialogue with the panel, and the best of them kept."""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass

from ..items import Candidate
from ..pipeline import CANDIDATES, QUERIES, Calls, Scratch, Workshop, in_order
from ._bus import DialogueBus
from ._estimate import estimate_queries
from ._inputs import dialogue_inputs
from ._query_dialogue import OpenScenario, QueryEditor, ScenarioDone, batches_planned
from ._selection import decide, known_texts
from ._shortfall import check_shortfall
from ._tally import Tally


@dataclass(frozen=True, slots=True)
class QueriesStage:
    """Makes `candidates.jsonl`, all that was proposed, and `queries.jsonl`, what is kept."""

    name: str = "queries"

    def outputs(self, workshop: Workshop) -> Collection[str]:
        """Return the files that it writes."""
        return CANDIDATES, QUERIES

    def inputs(self, workshop: Workshop) -> object:
        """Return all that decides its result."""
        prompts = ("query_propose", "query_revise", "query_score", "score_scale")
        settings = asdict(workshop.settings.queries)
        return {"queries": settings, **dialogue_inputs(workshop, *prompts)}

    def estimate(self, workshop: Workshop) -> tuple[Calls, ...]:
        """Return what it will ask of the models, a guess."""
        return estimate_queries(workshop)

    async def make(self, workshop: Workshop) -> None:
        """Make the queries of all scenarios.

        Raises:
            BudgetError: The budget does not cover a call.
            FirstContactError: A model never answered once and waiting won't help.
            ModelError: See `StageCounts.settle`; what there is is written.
            PanelRefusedError: There is no query at all; what was proposed is written.
        """
        scenarios = workshop.scenario_ids()
        planned = len(scenarios) * batches_planned(workshop.settings.queries)
        workshop.progress.stage(self.name, planned)
        with Scratch(workshop.folder, self.name) as scratch:
            tally = await _talk(workshop, scratch)
            workshop.folder.write(CANDIDATES, _decided(workshop, scratch))
        candidates = workshop.folder.read(CANDIDATES, Candidate)
        kept = (one for one in candidates if one.state == "kept")
        workshop.folder.write(QUERIES, kept)
        self._account(workshop, tally)

    def _account(self, workshop: Workshop, tally: Tally) -> None:
        """Count what became of all, and tell where less is kept than was wanted."""
        wanted, scenarios = workshop.settings.queries.per_scenario, workshop.scenario_ids()
        kept = Counter[str]()
        for one in workshop.folder.read(CANDIDATES, Candidate):
            tally.add(one.state)
            if one.state == "kept":
                tally.add(f"kept_{one.form}s")
                kept[one.scenario] += 1
        for scenario in scenarios:
            if missing := wanted - kept[scenario]:
                tally.add(f"short.{scenario}", missing)
                workshop.progress.notify(
                    f"{self.name}: {scenario} has {kept[scenario]} of the {wanted} wanted"
                )
        workshop.folder.count(self.name, {"scenarios": len(scenarios), **tally.sorted()})
        check_shortfall(
            workshop,
            self.name,
            tally,
            made=kept.total(),
            wanted=wanted * len(scenarios),
            kept_in=CANDIDATES,
        )


async def _talk(workshop: Workshop, scratch: Scratch) -> Tally:
    """Have the dialogues of all scenarios, and put what was proposed on a pile for each."""
    taxonomy, tally = workshop.taxonomy(), Tally()

    def take(done: ScenarioDone) -> None:
        tally.add_all(done.tally)
        with scratch.pile(done.scenario) as pile:
            for candidate in done.candidates:
                pile.add(candidate)

    async with DialogueBus(workshop, QueryEditor) as bus:
        await in_order(
            (
                bus.ask_editor(OpenScenario(taxonomy.resolve(name)), ScenarioDone)
                for name in workshop.scenario_ids()
            ),
            workshop.concurrency,
            take,
        )
    return tally


def _decided(workshop: Workshop, scratch: Scratch) -> Iterator[Candidate]:
    """Yield all candidates with what becomes of them, a scenario at a time."""
    settings = workshop.settings.queries
    known = known_texts(settings.near_duplicate)
    for scenario in workshop.scenario_ids():
        yield from decide(list(scratch.read(scenario, Candidate)), known, settings)
