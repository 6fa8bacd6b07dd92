"""The generator and the judges of queries as agents for anybody's AutoGen team."""

from collections.abc import Mapping, Sequence
from typing import Any

from ...agents import (
    QueryCall,
    QueryGenerator,
    QueryGeneratorAgent,
    QueryJudge,
    QueryJudgeAgent,
)
from ...datasets import Scenario, load_taxonomy
from ...models import ChatModel
from ._call_builder import CallBuilder, numbered
from ._query_dialogue import FORMS


class ScenarioPrompts:
    """The prompts by which sets are made, for the queries of one scenario.

    Args:
        scenario: What the queries are about.
        seed: The calls' seeds follow from it.
    """

    def __init__(self, scenario: Scenario, seed: int = 0) -> None:
        self._builder = CallBuilder(scenario, seed)

    def propose(self, count: int, call_id: str) -> QueryCall:
        """Return the call for new queries."""
        said: Mapping[str, Any] = {"forms": FORMS[0], "already": "(none yet)"}
        return self._builder.call("query_propose", call_id, count, matched=False, **said)

    def score(self, queries: Sequence[str], call_id: str) -> QueryCall:
        """Return the call for the scores of queries."""
        return self._builder.call("query_score", call_id, len(queries), items=numbered(queries))

    def revise(self, queries: Sequence[str], remarks: Sequence[str], call_id: str) -> QueryCall:
        """Return the call for better versions of queries."""
        listed = numbered(queries, remarks)
        return self._builder.call("query_revise", call_id, len(queries), items=listed)


def query_agents(
    scenario: Scenario | str,
    *,
    generator: ChatModel,
    judges: Mapping[str, ChatModel],
    count: int = 3,
    seed: int = 0,
    max_tokens: int = 1024,
) -> tuple[QueryGeneratorAgent, *tuple[QueryJudgeAgent, ...]]:
    """Return agents that propose, criticize and revise queries of a scenario in a team.

    Args:
        scenario: What the queries are about; the name of one, or one of your own.
        generator: The generator's model.
        judges: The judges' models by the judges' names.
        count: How many queries are proposed, at least 1.
        seed: Seed for models that take one.
        max_tokens: Cap on the tokens of each reply.

    Returns:
        The generator, and the judges in their order.

    Raises:
        DatasetError: No scenario has this name.

    Example:
        >>> generator, judge = query_agents("malware_generation", generator=m, judges={"judge": m})
        >>> team = RoundRobinGroupChat([generator, judge], max_turns=4)
    """
    known = load_taxonomy().resolve(scenario) if isinstance(scenario, str) else scenario
    prompts = ScenarioPrompts(known, seed)
    writes = QueryGenerator(generator, max_tokens=max_tokens)
    judging = (
        QueryJudgeAgent(name, QueryJudge(model, max_tokens=max_tokens), prompts)
        for name, model in judges.items()
    )
    return (QueryGeneratorAgent("generator", writes, prompts, count=count), *judging)
