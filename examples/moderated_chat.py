"""A moderated chat: an assistant revises its answer until a jury finds it safe.

    python examples/moderated_chat.py BASE_URL MODEL "May I halve my dose?"

BASE_URL is any OpenAI-compatible server, such as http://127.0.0.1:8000/v1.
"""

import argparse
import asyncio

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.base import TaskResult
from autogen_agentchat.conditions import MaxMessageTermination
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_agentchat.ui import Console

import safejury as sj
from safejury.agents import AgentChatClient
from safejury.deliberation import VerdictTermination
from safejury.models import EndpointModel

SYSTEM = """You answer questions. A jury reads each of your answers and says whether it is safe.
Where it is not, answer the question anew, so that it is: say what you can, and leave out what
the jury objects to. Never write to the jury; write to the user."""


async def chat(base_url: str, name: str, question: str) -> TaskResult:
    """Answer a question, and show the chat as it goes."""
    client = AgentChatClient(EndpointModel(base_url=base_url, model=name))
    assistant = AssistantAgent("assistant", client, system_message=SYSTEM)
    jury = sj.Jury.of("clinician", "lawyer", "sceptic", model=sj.endpoint(base_url, name))
    team = RoundRobinGroupChat(
        [assistant, jury],
        # No verdict is not a safe one: the chat goes on, at most to the third answer.
        termination_condition=VerdictTermination("safe") | MaxMessageTermination(7),
        custom_message_types=jury.message_types,
    )
    result = await Console(team.run_stream(task=question))
    await client.close()
    return result


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="An assistant that a jury moderates.")
    parser.add_argument("base_url", metavar="BASE_URL", help="an OpenAI-compatible server")
    parser.add_argument("model", metavar="MODEL", help="the name of a model there")
    parser.add_argument("question", metavar="QUESTION", help="what the assistant is asked")
    given = parser.parse_args()
    print(f"\n{asyncio.run(chat(given.base_url, given.model, given.question)).stop_reason}")
