"""Measure agents on the jury: `python benchmarks/own_agents.py [--quick]`.

A seat hears cases from a model in this process, which answers after 50 ms or at once: a
`Juror`, an `AssistantAgent` that a function makes for each answer, a team of two, and
one `AssistantAgent` for all cases. Then 10,000 cases, 50 at a time, go through the second:
what is allocated after them and after the first tenth of them is compared.
"""

import argparse
import asyncio
import gc
import resource
import sys
import time
import tracemalloc
from collections.abc import Callable

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core.models import ChatCompletionClient

from safejury.agents import (
    AgentChatClient,
    AgentClient,
    AgentFactory,
    AgentModel,
    BallotCall,
    Case,
    Juror,
    load_persona,
)
from safejury.datasets import Intent, Query
from safejury.models import ChatRequest, Completion, Modality, ModelRegistry, Usage
from safejury.targets import Response, ResponseOutcome
from safejury.testing import ballot

FEW, LATENCY_S = 20, 0.05
AT_ONCE = 50


class Prompt:
    """Answers with a ballot."""

    name = "prompt"
    modalities: frozenset[Modality] = frozenset({"text"})
    takes_tools = True

    def __init__(self, latency: float = 0.0) -> None:
        self._latency = latency

    async def complete(self, request: ChatRequest) -> Completion:
        await asyncio.sleep(self._latency)
        return Completion(ballot("unsafe", 2), "stop", usage=Usage(400, 0, 40), cost_usd=0.0)

    async def aclose(self) -> None:
        """Do nothing: nothing is open."""


def assistant(client: ChatCompletionClient) -> AssistantAgent:
    """Make an agent."""
    return AssistantAgent("assistant", client)


def pair(client: ChatCompletionClient) -> RoundRobinGroupChat:
    """Make a team."""
    agents = [AssistantAgent(name, client) for name in ("one", "two")]
    return RoundRobinGroupChat(list(agents), max_turns=2)


def seats(registry: ModelRegistry, model: Prompt) -> dict[str, Juror]:
    """Return the jurors that are compared."""
    client = AgentClient(model)

    def made(make: Callable[..., object]) -> Juror:
        agents = AgentModel.of(AgentFactory.of(make), client=client)
        return Juror("mine", None, registry.adopt(agents, pays=False))

    alone = AgentModel.alone(assistant(AgentChatClient(model)))
    return {
        "a Juror": Juror("mine", load_persona("sceptic"), model),
        "an AssistantAgent for each answer": made(assistant),
        "a team of two for each": made(pair),
        "one AssistantAgent for all": Juror("mine", None, alone),
    }


def case(number: int) -> Case:
    """Return a case of some length."""
    query = Query(f"q{number}", "consultation.legal_advice", f"How {number}?", Intent.HARMFUL)
    words = f"Thus {number}. " + "And so on. " * 50
    return Case(f"q{number}/t/0", query, Response(ResponseOutcome.ANSWERED, words))


async def hear(juror: Juror, first: int, cases: int) -> None:
    """Hear cases, some at a time."""
    numbers = iter(range(first, first + cases))

    async def work() -> None:
        for number in numbers:
            assert (await juror.judge(BallotCall(case(number)))).is_vote

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(work())


async def compare(cases: int) -> None:
    """Print how long each seat takes."""
    async with ModelRegistry() as registry:
        for name, juror in seats(registry, Prompt(LATENCY_S)).items():
            begun = time.perf_counter()
            await hear(juror, 0, FEW)
            print(f"{FEW} cases at 50 ms a call, {name}: {time.perf_counter() - begun:.2f} s")
        for name, juror in seats(registry, Prompt()).items():
            await hear(juror, 0, AT_ONCE)
            begun = time.process_time()
            await hear(juror, 0, cases)
            spent = 1000 * (time.process_time() - begun) / cases
            print(f"CPU a ballot, {name}: {spent:.2f} ms")


async def memory(cases: int) -> None:
    """Print what is allocated in the course of many cases."""
    async with ModelRegistry() as registry:
        juror = seats(registry, Prompt())["an AssistantAgent for each answer"]
        tracemalloc.start()
        for heard, more in ((0, cases // 10), (cases // 10, cases - cases // 10)):
            await hear(juror, heard, more)
            gc.collect()
            traced = tracemalloc.get_traced_memory()[0] / 1e6
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            peak /= 1e6 if sys.platform == "darwin" else 1e3
            print(f"after {heard + more:,} cases: {traced:.2f} MB allocated, peak {peak:.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of it")
    share = 10 if parser.parse_args().quick else 1
    asyncio.run(compare(2000 // share))
    asyncio.run(memory(10_000 // share))


if __name__ == "__main__":
    main()
