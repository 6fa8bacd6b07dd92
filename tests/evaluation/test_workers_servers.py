"""Workers examine targets on servers that the driver's process keeps up, and places are found."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from same_process import SameProcess, same_process
from workplace import Workplace

from safejury.assembly import load_config
from safejury.assembly.config import RunLimitsConfig
from safejury.assembly.models import open_models
from safejury.common import ConfigurationError, OutageError, TransportError
from safejury.evaluation import RunPlan, run, set_up
from safejury.evaluation.engine import run_with
from safejury.evaluation.engine.cluster import Node, place
from safejury.models import ChatRequest, Completion, Modality, ModelSpec
from safejury.targets import ServerUse, VllmSpec
from safejury.testing import ScriptedReply, ScriptedServer, ballot

FAKE_VLLM = Path(__file__).parents[1] / "targets" / "fake_vllm"

Start = Callable[..., ScriptedServer]


def planned(config: str, *changes: str) -> RunPlan:
    return set_up(load_config(Path(config), changes), Path())


def managed(workplace: Workplace, **words: object) -> dict[str, Any]:
    """Return what a config says of a server on the CPU; words become `FAKE_…` variables."""
    folder = workplace.path / "tiny"
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"weights")
    fakes = {f"FAKE_{name.upper()}": str(value) for name, value in words.items()}
    return {"model": "./tiny", "gpus": 0, "env": {"PYTHONPATH": str(FAKE_VLLM)} | fakes}


@pytest.mark.slow
async def test_workers_go_on_with_what_one_process_began_on_a_server_of_the_run(
    workplace: Workplace, scripted: Start, tmp_path: Path
) -> None:
    """Its jurors are away at first."""
    workplace.many(12)
    is_well = list[bool]()

    def reply(_: Mapping[str, Any]) -> ScriptedReply | str:
        return ballot("safe", 5) if is_well else ScriptedReply("out of order", status=503)

    server = scripted(reply)
    config = workplace.config(
        server.base_url,
        jury__protocol="vote",
        targets=[{"name": "own", "vllm": managed(workplace)}],
    )
    with pytest.raises(OutageError):
        await run(planned(config, "limit=4", "limits.attempts=1", "limits.outage_patience=0.2"))
    answered = "SELECT count(*) FROM answers"
    assert workplace.stored(answered) == [(4,)]
    is_well.append(True)
    async with same_process(tmp_path / "workers") as pool:
        outcome = await run_with(planned(config), pool)
    assert (outcome.cases, outcome.verdicts) == (12, 12)
    assert workplace.stored(answered) == [(0,)]
    ended = await asyncio.to_thread(workplace.safejury, "verify", "runs/first")
    assert ended.code == 0, ended.out + ended.err


class Away:
    """A model whose server does not answer."""

    name, modalities, takes_tools = "away", frozenset[Modality](), True

    async def complete(self, request: ChatRequest) -> Completion:
        raise TransportError("nothing listens there", permanent=True)

    async def aclose(self) -> None:
        pass


async def test_calls_wait_for_a_server_that_another_process_starts_again() -> None:
    limits = RunLimitsConfig(attempts=1, outage_patience=0.1)
    spec = ModelSpec("own", server="own")
    async with open_models(limits, served=lambda _: Away(), answered=[spec]) as models:
        with pytest.raises(OutageError):
            await models.registry.open(spec).complete(ChatRequest((), call_id="q/own/0/target"))


async def test_workers_that_reach_no_server_of_the_run_are_refused(
    workplace: Workplace, scripted: Start, tmp_path: Path
) -> None:
    target = {"name": "own", "vllm": managed(workplace)}
    plan = planned(workplace.config(scripted().base_url, targets=[target]))

    class Unreached(SameProcess):
        fleet = None

    async with asyncio.TaskGroup() as group:
        with pytest.raises(ConfigurationError, match="set base_url"):
            await run_with(plan, Unreached(tmp_path, 1, group))


def use(name: str, gpus: int | None, **args: object) -> ServerUse:
    return ServerUse(name, VllmSpec.of("some/model", gpus=gpus, args=args))


def node(name: str, gpus: int, cpus: int = 8) -> Node:
    return Node(name, name, "10.0.0.1", cpus, gpus)


def where(uses: list[ServerUse], nodes: list[Node]) -> dict[str, str]:
    return {one.use.name: one.node.name for one in place(uses, nodes)}


def test_a_server_goes_to_the_node_with_the_least_room_that_will_do() -> None:
    nodes = [node("eight", 8), node("two", 2), node("none", 0)]
    uses = [use("small", 1), use("large", 8), use("cpu", 0), use("other", 1)]
    assert where(uses, nodes) == {"small": "two", "large": "eight", "cpu": "none", "other": "two"}


def test_gpus_follow_from_parallel_sizes_and_from_whether_there_are_any() -> None:
    parallel = use("it", None, tensor_parallel_size=4)
    assert [one.gpus for one in place([parallel], [node("four", 4)])] == [4]
    assert [one.gpus for one in place([parallel], [node("none", 0)])] == [0]


@pytest.mark.parametrize(
    ("uses", "nodes", "said"),
    [
        ([use("it", 3)], [node("a", 2), node("b", 2)], "'it' needs 3 GPUs and a CPU of one node"),
        ([use("x", 2), use("y", 1)], [node("a", 2)], "a has 2 GPUs and 8 CPUs, 2 and 1 with x"),
        ([use("x", 0)], [node("a", 0, cpus=1)], "none is left for a worker"),
    ],
)
def test_what_does_not_fit_at_once_is_refused(
    uses: list[ServerUse], nodes: list[Node], said: str
) -> None:
    with pytest.raises(ConfigurationError, match=said):
        place(uses, nodes)
