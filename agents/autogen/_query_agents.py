"""The generator of queries and its judges as AgentChat agents, for teams of any kind.

They keep the rules by which sets are made: what a model is asked is written by `QueryPrompts`
alone, and what others say in the team reaches it as data, never as an instruction.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from autogen_agentchat.agents import BaseChatAgent
from autogen_agentchat.base import Response
from autogen_agentchat.messages import BaseAgentEvent, BaseChatMessage, TextMessage
from autogen_core import CancellationToken
from pydantic import BaseModel, TypeAdapter

from ..query import (
    ProposedQuery,
    QueryGenerator,
    QueryJudge,
    QueryPrompts,
    QueryReply,
    QueryScore,
)
from ._ballot_caster import linked
from ._conversation import USER

NOTHING_TO_ADD = "I have nothing to add."
"""How a judge ends that criticizes no query; a team may end with it."""
_QUERIES, _SCORES = "queries", "scores"
_ITEM = re.compile(r"^\s*\d{1,3}[.)]\s+(\S.*)$", re.MULTILINE)
_REMARK_KEPT = 300
_queries = TypeAdapter(list[ProposedQuery])
_scores = TypeAdapter(list[QueryScore])


def proposed_in(messages: Sequence[BaseChatMessage | BaseAgentEvent]) -> list[ProposedQuery]:
    """Return the queries that a team's generator proposed last; none if it never did."""
    for message in reversed(messages):
        if isinstance(message, BaseChatMessage) and _QUERIES in message.metadata:
            return _queries.validate_json(message.metadata[_QUERIES])
    return []


class _State(BaseModel):
    """What an agent keeps of a conversation."""

    queries: list[str] = []
    remarks: list[list[str]] = []
    calls: int = 0


class _QueryAgent(BaseChatAgent):
    """Base of the agents that work on queries in a team."""

    def __init__(self, name: str, description: str, prompts: QueryPrompts) -> None:
        super().__init__(name, description)
        self._prompts = prompts
        self._state = _State()

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        """Words; what they hold as data is in their `metadata`."""
        return (TextMessage,)

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        """Forget the conversation."""
        self._state = _State()

    async def save_state(self) -> Mapping[str, Any]:
        """Return what is kept of the conversation."""
        return self._state.model_dump()

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on with the conversation of a state."""
        self._state = _State.model_validate(state)

    def _call_id(self) -> str:
        self._state.calls += 1
        return f"{self.name}/{self._state.calls}"

    def _say(self, words: str, **data: str) -> Response:
        return Response(chat_message=TextMessage(content=words, source=self.name, metadata=data))

    def _failed(self, what: str, reply: QueryReply[Any]) -> Response:
        said = "the model declined" if reply.refused else "none could be read"
        if reply.failure is not None:
            said = f"{reply.failure.reason}, {reply.failure.detail}"
        return self._say(f"I have no {what}: {said}")


class QueryGeneratorAgent(_QueryAgent):
    """Proposes queries in a team, and revises them after criticism.

    Its first words are the proposals, a numbered list. From then on it revises what a judge
    criticizes, or what any other agent says something of; what the user says is left out.

    Args:
        name: The agent's name.
        generator: Writes the queries.
        prompts: What it is asked.
        count: How many queries are proposed, at least 1.
    """

    def __init__(
        self, name: str, generator: QueryGenerator, prompts: QueryPrompts, *, count: int = 3
    ) -> None:
        super().__init__(name, "Proposes queries for a safety test, and revises them.", prompts)
        self._generator = generator
        self._count = count

    async def on_messages(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> Response:
        """Return the proposals, or what became of them.

        Raises:
            BudgetError: The budget does not cover the call.
            FirstContactError: The model never answered once and waiting won't help.
        """
        if not self._state.queries:
            call = self._prompts.propose(self._count, self._call_id())
            reply = await linked(self._generator.answer(call), cancellation_token)
            if not reply.items:
                return self._failed("queries", reply)
            self._state.queries = [item.text for item in reply.items.values()]
            return self._proposals()
        remarks = self._remarks(messages)
        places = [place for place, said in enumerate(remarks) if said]
        if places:
            call = self._prompts.revise(
                [self._state.queries[place] for place in places],
                [" | ".join(remarks[place]) for place in places],
                self._call_id(),
            )
            reply = await linked(self._generator.answer(call), cancellation_token)
            if reply.failure is not None:
                return self._failed("better queries", reply)
            for number, place in enumerate(places, 1):
                if (item := reply.items.get(number)) is not None:
                    self._state.queries[place] = item.text
        return self._proposals()

    def _proposals(self) -> Response:
        items = [ProposedQuery(number=n, text=t) for n, t in enumerate(self._state.queries, 1)]
        words = "\n".join(f"{item.number}. {item.text}" for item in items)
        return self._say(words, **{_QUERIES: _queries.dump_json(items).decode()})

    def _remarks(self, messages: Iterable[BaseChatMessage]) -> list[list[str]]:
        """Return what was said of each query that somebody criticizes."""
        remarks: list[list[str]] = [[] for _ in self._state.queries]
        for message in messages:
            if _SCORES in message.metadata:
                for score in _scores.validate_json(message.metadata[_SCORES]):
                    if score.criticism and 0 < score.number <= len(remarks):
                        remarks[score.number - 1].append(_points(score))
            elif message.source not in (self.name, USER):
                said = " ".join(message.to_model_text().split())[:_REMARK_KEPT]
                for each in remarks if said else ():
                    each.append(said)
        return remarks


class QueryJudgeAgent(_QueryAgent):
    """Scores the queries that were proposed last in a team, and says what would make them better.

    A numbered list by any other agent is taken for proposals as well. Where it criticizes none
    it ends with `NOTHING_TO_ADD`.

    Args:
        name: The agent's name.
        judge: Scores the queries.
        prompts: What it is asked.
    """

    def __init__(self, name: str, judge: QueryJudge, prompts: QueryPrompts) -> None:
        super().__init__(name, "Scores queries for a safety test.", prompts)
        self._judge = judge

    async def on_messages(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> Response:
        """Return the scores and the criticism.

        Raises:
            BudgetError: The budget does not cover the call.
            FirstContactError: The model never answered once and waiting won't help.
        """
        for message in messages:
            if queries := self._proposed(message):
                self._state.queries = queries
        if not self._state.queries:
            return self._say("I have nothing to score: nobody proposed a query.")
        call = self._prompts.score(self._state.queries, self._call_id())
        reply = await linked(self._judge.answer(call), cancellation_token)
        if not reply.items:
            return self._failed("scores", reply)
        scores = [score.model_copy(update={"number": n}) for n, score in reply.items.items()]
        lines = [f"{score.number}. {_points(score)}" for score in scores]
        missing = len(self._state.queries) - len(scores)
        if not missing and not any(score.criticism for score in scores):
            lines.append(NOTHING_TO_ADD)
        return self._say("\n".join(lines), **{_SCORES: _scores.dump_json(scores).decode()})

    def _proposed(self, message: BaseChatMessage) -> list[str]:
        if _QUERIES in message.metadata:
            return [item.text for item in proposed_in([message])]
        if _SCORES in message.metadata or message.source in (self.name, USER):
            return []
        return _ITEM.findall(message.to_model_text())


def _points(score: QueryScore) -> str:
    return (
        f"feasibility {score.feasibility}, harmfulness {score.harmfulness}, "
        f"applicability {score.applicability}: {score.criticism or 'nothing to add'}"
    )
