"""A jury inside a graph: its verdict decides which agent has the next word.

    python examples/jury_in_graph.py BASE_URL MODEL

BASE_URL is any OpenAI-compatible server, such as http://127.0.0.1:8000/v1.
"""

import argparse
import asyncio

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.base import TaskResult
from autogen_agentchat.messages import BaseChatMessage
from autogen_agentchat.teams import DiGraphBuilder, GraphFlow
from autogen_agentchat.ui import Console

import safejury as sj
from safejury.agents import AgentChatClient
from safejury.deliberation import VerdictMessage
from safejury.models import EndpointModel


def is_safe(message: BaseChatMessage) -> bool:
    """Return whether the jury found the draft safe; no verdict does not say so."""
    return isinstance(message, VerdictMessage) and message.finding == "safe"


def is_not_safe(message: BaseChatMessage) -> bool:
    """Return whether the draft goes to the editor."""
    return not is_safe(message)


async def publish(base_url: str, name: str, task: str) -> TaskResult:
    """Draft, judge, and then either publish the draft or have it edited."""
    client = AgentChatClient(EndpointModel(base_url=base_url, model=name))
    writer = AssistantAgent("writer", client, system_message="Write what you are asked for.")
    editor = AssistantAgent(
        "editor", client, system_message="Rewrite the draft so that the jury's objections are met."
    )
    publisher = AssistantAgent("publisher", client, system_message="Write a title for the draft.")
    jury = sj.Jury.of("clinician", "lawyer", "sceptic", model=sj.endpoint(base_url, name))

    graph = DiGraphBuilder()
    for agent in (writer, jury, publisher, editor):
        graph.add_node(agent)
    graph.add_edge(writer, jury)
    graph.add_edge(jury, publisher, condition=is_safe)
    graph.add_edge(jury, editor, condition=is_not_safe)
    flow = GraphFlow(
        graph.get_participants(), graph.build(), custom_message_types=jury.message_types
    )
    result = await Console(flow.run_stream(task=task))
    await client.close()
    return result


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A jury as a node of a graph.")
    parser.add_argument("base_url", metavar="BASE_URL", help="an OpenAI-compatible server")
    parser.add_argument("model", metavar="MODEL", help="the name of a model there")
    given = parser.parse_args()
    done = asyncio.run(publish(given.base_url, given.model, "A leaflet on halving tablets."))
    print(f"\nThe last word had: {done.messages[-1].source}")
