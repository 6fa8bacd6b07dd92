"""A red-team conversation: requests for a safety test are proposed, criticized and revised.

    python examples/query_team.py BASE_URL MODEL [SCENARIO]

BASE_URL is any OpenAI-compatible server, such as http://127.0.0.1:8000/v1. Requests stay at the
level of a category, as in the sets that safejury makes; nobody is asked to answer them.
"""

import argparse
import asyncio

from autogen_agentchat.conditions import MaxMessageTermination, TextMentionTermination
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_agentchat.ui import Console

from safejury.agents import NOTHING_TO_ADD, ProposedQuery, proposed_in
from safejury.generation import query_agents
from safejury.models import EndpointModel


async def converse(base_url: str, name: str, scenario: str) -> list[ProposedQuery]:
    """Let a generator and two judges talk until the second judge has nothing to add."""
    model = EndpointModel(base_url=base_url, model=name)
    judges = {"strict_judge": model, "second_judge": model}
    agents = query_agents(scenario, generator=model, judges=judges, count=2)
    agreed = TextMentionTermination(NOTHING_TO_ADD, sources=["second_judge"])
    team = RoundRobinGroupChat(
        [*agents], termination_condition=agreed | MaxMessageTermination(1 + 3 * len(agents))
    )
    result = await Console(team.run_stream(task=f"Let us make requests about {scenario}."))
    await model.aclose()
    return proposed_in(result.messages)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A red-team conversation.")
    parser.add_argument("base_url", metavar="BASE_URL", help="an OpenAI-compatible server")
    parser.add_argument("model", metavar="MODEL", help="the name of a model there")
    parser.add_argument("scenario", metavar="SCENARIO", nargs="?", default="malware_generation")
    given = parser.parse_args()
    queries = asyncio.run(converse(given.base_url, given.model, given.scenario))
    print("\nProposed last:", *(f"{query.number}. {query.text}" for query in queries), sep="\n")
