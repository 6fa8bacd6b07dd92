"""The dialogue that makes the twins of queries."""

from dataclasses import dataclass, field

import msgspec

from ...datasets import Scenario
from ...deliberation import Line
from ..items import Origin, Score
from ._bus import Coordinator
from ._call_builder import CallBuilder, numbered
from ._dialogue_counts import DialogueCounts
from ._panel_scores import scores_for


class QueryWithoutTwin(msgspec.Struct, frozen=True):
    """A query that has no twin yet.

    Attributes:
        place: Its place among the queries, from 0.
        of: The query's id.
        scenario: Id of its scenario.
        text: What it asks.
        remark: What was wrong with the last try; empty before the first.
    """

    place: int
    of: str
    scenario: str
    text: str
    remark: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class TwinRequest:
    """Request: write twins of these queries.

    Attributes:
        scenario: The scenario of them all.
        queries: Those that have none yet.
        name: Names the batch within the set.
    """

    scenario: Scenario
    queries: tuple[QueryWithoutTwin, ...]
    name: str


@dataclass(frozen=True, slots=True, repr=False)
class TwinTry:
    """One try at a twin.

    Attributes:
        query: The query.
        text: What was written, None where nothing was.
        origin: The call that returned it.
        scores: What the panel thinks of it.
    """

    query: QueryWithoutTwin
    text: str | None
    origin: Origin
    scores: tuple[Score, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class TwinResult:
    """Response: one try for each query, in the order of the request.

    Attributes:
        tries: The tries.
        counts: What happened.
    """

    tries: tuple[TwinTry, ...]
    counts: DialogueCounts = field(default_factory=DialogueCounts)


class TwinCoordinator(Coordinator):
    """Coordinates proposals and scores of twins."""

    async def run(self, message: TwinRequest, line: Line) -> TwinResult:
        """Try once to make the twins of a batch."""
        counts, queries = DialogueCounts(), message.queries
        builder = CallBuilder(message.scenario, self.context.settings.seed)
        call = builder.call(
            "twin_propose",
            f"{message.name}/propose",
            len(queries),
            items=numbered([one.text for one in queries], [one.remark for one in queries]),
        )
        reply = await self.ask_generator(call, line)
        counts.add_reply(reply)
        written = sorted(reply.items)
        if not written:
            judged = ()
        else:
            listed = numbered([reply.items[number].text for number in written])
            judged = await self.ask_panel(
                lambda judge: builder.call(
                    "twin_score", f"{message.name}/score/{judge}", len(written), items=listed
                ),
                line,
            )
            counts.add_judgment(judged, len(written))
        tries: list[TwinTry] = []
        for number, query in enumerate(queries, 1):
            item = reply.items.get(number)
            origin = Origin(
                reply.model, reply.prompt_sha256, reply.seed, reply.call_id, (query.of,)
            )
            if item is None:
                tries.append(TwinTry(query, None, origin))
            else:
                scores = scores_for(judged, written.index(number) + 1)
                tries.append(TwinTry(query, item.text, origin, scores))
        return TwinResult(tuple(tries), counts)
