"""The dialogue that makes the queries of one scenario."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil

from msgspec import structs

from ...agents import ProposedQuery, QueryReply
from ...common import in_parallel
from ...datasets import NearDuplicates, Scenario
from ...deliberation import Line
from ..calls import seed_for
from ..items import Candidate, Origin, QuerySettings, Score
from ._bus import Coordinator
from ._call_builder import CallBuilder, in_short, numbered
from ._dialogue_counts import DialogueCounts
from ._panel_scores import criticism_of, scores_for, value_of

BATCHES_AT_ONCE = 4
"""Batches of a scenario that are under way together and do not see each other."""
FRUITLESS = 3
"""After so many batches in a row that bring nothing new, a scenario has no more to give."""
SHOWN_AT_MOST = 20
"""How many of the queries that exist already the generator is shown, in short."""
FORMS = (
    "questions that open with what, which or how",
    "instructions that open with a verb, such as write, list or explain",
    "questions that can be answered with yes or no",
    "instructions to write a short text, such as a letter, a post or a summary",
    "questions that first say in a few words who is asking, and why",
    "instructions to compare, to sum up or to advise",
)
"""Sentence forms that the batches of a scenario take in turn."""
_CLOSERS = " \"')]\u2019\u201d"


@dataclass(frozen=True, slots=True, repr=False)
class ScenarioRequest:
    """Request: make the queries of this scenario."""

    scenario: Scenario


@dataclass(frozen=True, slots=True, repr=False)
class ScenarioResult:
    """Response: the candidates of a scenario.

    Attributes:
        scenario: Its id.
        candidates: All that was proposed, by id. Of the versions of a query only the best
            is still `proposed`.
        counts: What happened.
    """

    scenario: str
    candidates: list[Candidate] = field(default_factory=list[Candidate])
    counts: DialogueCounts = field(default_factory=DialogueCounts)


class QueryCoordinator(Coordinator):
    """Coordinates proposals, scores and revisions of queries."""

    async def run(self, message: ScenarioRequest, line: Line) -> ScenarioResult:
        """Make the queries of one scenario: the whole dialogue."""
        dialogue = _ScenarioDialogue(self, message.scenario, line)
        while wave := dialogue.next_wave():
            proposed = await in_parallel(dialogue.propose(batch) for batch in wave)
            fresh = [
                dialogue.sift(batch, reply) for batch, reply in zip(wave, proposed, strict=True)
            ]
            await self._improve(dialogue, fresh)
            await self._improve(dialogue, dialogue.stand_ins())
        return dialogue.end()

    async def _improve(self, dialogue: "_ScenarioDialogue", batches: Sequence["_Batch"]) -> None:
        for versions in await in_parallel(dialogue.improve(batch) for batch in batches):
            dialogue.keep(versions)


def proposals_wanted(settings: QuerySettings) -> int:
    """Return how many queries are to be proposed for each scenario."""
    return ceil(settings.over_generate * settings.per_scenario)


def batches_planned(settings: QuerySettings) -> int:
    """Return how many batches a scenario takes if each brings all that is asked for."""
    return ceil(proposals_wanted(settings) / settings.batch)


def form_of(text: str) -> str:
    """Return the sentence form of a query: a `question` ends with a question mark."""
    return "question" if text.rstrip(_CLOSERS).endswith("?") else "instruction"


@dataclass(frozen=True, slots=True)
class _Batch:
    """A batch of queries that are proposed together.

    Attributes:
        number: From 0, within the scenario.
        size: How many queries are asked for.
        items: What it brought that is new.
        again: Whether its items repeat others and stand in for them.
    """

    number: int
    size: int
    items: tuple[Candidate, ...] = ()
    again: bool = False


class _ScenarioDialogue:
    """The state of the dialogue about one scenario."""

    def __init__(self, coordinator: QueryCoordinator, scenario: Scenario, line: Line) -> None:
        settings = coordinator.context.settings
        self._coordinator = coordinator
        self._line = line
        self._settings = settings.queries
        self._call_builder = CallBuilder(scenario, settings.seed)
        self._known = NearDuplicates(settings.queries.near_duplicate)
        self._done = ScenarioResult(scenario.id)
        self._shown: list[str] = []
        self._repeats: list[tuple[_Batch, Candidate]] = []
        self._settled = set[str]()
        """Ids of the proposals that have a score, by themselves or by a repeat."""
        self._left = proposals_wanted(settings.queries)
        self._batches = self._proposed = self._fruitless = 0

    def next_wave(self) -> list[_Batch]:
        """Return the batches to ask for now, none where the scenario is at its end.

        It ends when enough is proposed, when `FRUITLESS` batches in a row brought
        nothing new, or after twice the batches that were planned.
        """
        if self._fruitless >= FRUITLESS:
            return []
        most, left = 2 * batches_planned(self._settings), self._left
        wave: list[_Batch] = []
        while left > 0 and len(wave) < BATCHES_AT_ONCE and self._batches < most:
            wave.append(_Batch(self._batches, min(left, self._settings.batch)))
            left -= wave[-1].size
            self._batches += 1
        return wave

    async def propose(self, batch: _Batch) -> QueryReply[ProposedQuery]:
        """Return what the generator proposes."""
        call_id = self._call_id(batch, "propose")
        call = self._call_builder.call(
            "query_propose",
            call_id,
            batch.size,
            matched=False,
            forms=FORMS[batch.number % len(FORMS)],
            already=self._already(call_id),
        )
        async with self._coordinator.slots:
            return await self._coordinator.ask_generator(call, self._line)

    def sift(self, batch: _Batch, reply: QueryReply[ProposedQuery]) -> _Batch:
        """Return a batch with the proposals that repeat no earlier one."""
        counts = self._done.counts
        counts.add("batches")
        counts.add("proposed", len(reply.items))
        counts.add_reply(reply)
        self._left -= len(reply.items)
        fresh: list[Candidate] = []
        for item in reply.items.values():
            self._proposed += 1
            candidate = self._candidate(f"{self._done.scenario}.{self._proposed:04}", item, reply)
            original = self._known.add(candidate.id, candidate.text)
            if original is None:
                fresh.append(candidate)
                self._shown.append(candidate.text)
            else:
                repeat = structs.replace(candidate, state="duplicate", duplicate_of=original)
                self._repeats.append((batch, repeat))
        self._fruitless = 0 if fresh else self._fruitless + 1
        return replace(batch, items=tuple(fresh))

    def stand_ins(self) -> list[_Batch]:
        """Return batches of duplicates whose originals have no score.

        They are scored in their place; the other repeats are done with.
        """
        standing = dict[int, _Batch]()
        for batch, repeat in self._repeats:
            if repeat.duplicate_of in self._settled:
                self._done.candidates.append(repeat)
                continue
            before = standing.get(batch.number, _Batch(batch.number, batch.size, again=True))
            standing[batch.number] = replace(before, items=(*before.items, repeat))
        self._repeats.clear()
        return list(standing.values())

    async def improve(self, batch: _Batch) -> list[list[Candidate]]:
        """Return the versions of each query of a batch, scored, the proposed one first."""
        async with self._coordinator.slots:
            versions = [[one] for one in await self._score(batch, batch.items, 0)]
            for turn in range(1, self._settings.revisions + 1):
                revised = await self._revise(batch, [each[-1] for each in versions], turn)
                scored = await self._score(batch, tuple(revised.values()), turn)
                for index, one in zip(revised, scored, strict=True):
                    versions[index].append(one)
        if batch.number < batches_planned(self._settings) and not batch.again:
            self._coordinator.context.progress.step(note=self._call_builder.scenario.title)
        return versions

    def keep(self, versions: Sequence[Sequence[Candidate]]) -> None:
        """Keep all versions of each query; only the best, of equals the last, stays proposed."""
        for each in versions:
            best = max(reversed(each), key=lambda one: -1.0 if one.value is None else one.value)
            if best.value is not None:
                self._settled.add(each[0].duplicate_of or each[0].id)
            for one in each:
                state = "proposed" if one is best else "passed_over"
                self._done.candidates.append(structs.replace(one, state=state, duplicate_of=None))

    def end(self) -> ScenarioResult:
        """Return the result."""
        self._done.candidates.sort(key=lambda one: one.id)
        self._coordinator.context.progress.step(
            max(0, batches_planned(self._settings) - self._batches),
            note=self._call_builder.scenario.title,
        )
        return self._done

    async def _score(self, batch: _Batch, items: Sequence[Candidate], turn: int) -> list[Candidate]:
        """Return the candidates with the panel's scores."""
        if not items:
            return []
        listed, count = numbered([item.text for item in items]), len(items)
        judged = await self._coordinator.ask_panel(
            lambda judge: self._call_builder.call(
                "query_score", self._call_id(batch, f"score{turn}/{judge}"), count, items=listed
            ),
            self._line,
        )
        self._done.counts.add_judgment(judged, count)
        return [self._scored(item, scores_for(judged, n)) for n, item in enumerate(items, 1)]

    def _scored(self, item: Candidate, scores: tuple[Score, ...]) -> Candidate:
        return structs.replace(item, scores=scores, value=value_of(scores, self._settings))

    async def _revise(
        self, batch: _Batch, items: Sequence[Candidate], turn: int
    ) -> Mapping[int, Candidate]:
        """Return new versions of the queries that the panel criticizes, by index in `items`."""
        places = [place for place, item in enumerate(items) if criticism_of(item.scores)]
        if not places:
            return {}
        criticized = [items[place] for place in places]
        call = self._call_builder.call(
            "query_revise",
            self._call_id(batch, f"revise{turn}"),
            len(criticized),
            items=numbered([one.text for one in criticized], [_remark(one) for one in criticized]),
        )
        reply = await self._coordinator.ask_generator(call, self._line)
        self._done.counts.add_reply(reply)
        revised = {
            place: self._candidate(f"{batch.items[place].id}.r{turn}", item, reply, old.id)
            for number, (place, old) in enumerate(zip(places, criticized, strict=True), 1)
            if (item := reply.items.get(number)) is not None and item.text != old.text
        }
        self._done.counts.add("revised", len(revised))
        return revised

    def _candidate(
        self, name: str, item: ProposedQuery, reply: QueryReply[ProposedQuery], *parents: str
    ) -> Candidate:
        origin = Origin(reply.model, reply.prompt_sha256, reply.seed, reply.call_id, parents)
        return Candidate(name, self._done.scenario, item.text, form_of(item.text), origin)

    def _already(self, call_id: str) -> str:
        """Return shortened examples of existing queries, sampled for each call."""
        if not self._shown:
            return "(none yet)"
        drawn = random.Random(seed_for(self._coordinator.context.settings.seed, call_id))
        texts = drawn.sample(self._shown, min(SHOWN_AT_MOST, len(self._shown)))
        return "\n".join(f"- {in_short(text)}" for text in texts)

    def _call_id(self, batch: _Batch, step: str) -> str:
        again = "again/" if batch.again else ""
        return f"queries/{self._done.scenario}/{batch.number:04}/{again}{step}"


def _remark(item: Candidate) -> str:
    """Return the panel's scores and criticism of a query, for the generator."""
    said = [
        f"feasibility {score.feasibility}, harmfulness {score.harmfulness}, "
        f"applicability {score.applicability}: {score.criticism or 'nothing to add'}"
        for score in item.scores
    ]
    return " | ".join(said)
