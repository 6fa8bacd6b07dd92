"""Managed servers on a real Ray cluster: a third node says that it has GPUs, and a stand-in for
vLLM answers there."""

import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from ray_cluster import Node, RayCluster, until
from workplace import Workplace

from safejury.testing import ScriptedServer

pytestmark = [pytest.mark.scale, pytest.mark.timeout(600)]

Start = Callable[..., ScriptedServer]
FAKE_VLLM = Path(__file__).parents[1] / "targets" / "fake_vllm"


@pytest.fixture(scope="module")
def gpu_node(cluster: RayCluster) -> Iterator[Node]:
    """A node with two CPUs and four GPUs, of which the cluster has no others."""
    node = cluster.add_node(cpus=2, gpus=4)
    yield node
    node.kill()


class Serving:
    """A run whose target is on a managed server."""

    def __init__(self, workplace: Workplace, cluster: RayCluster, url: str) -> None:
        self.workplace, self.cluster, self.url = workplace, cluster, url
        self.mark = uuid.uuid4().hex
        self.gate = workplace.path / "gate"

    def managed(self, gpus: int, **words: object) -> dict[str, Any]:
        """Return what a config says of a server; words become `FAKE_…` variables."""
        folder = self.workplace.path / "tiny"
        folder.mkdir(exist_ok=True)
        (folder / "config.json").write_text("{}")
        (folder / "model.safetensors").write_bytes(b"weights")
        fakes = {f"FAKE_{name.upper()}": str(value) for name, value in words.items()}
        env = {"PYTHONPATH": str(FAKE_VLLM), "TEST_MARK": self.mark} | fakes
        return {"model": "./tiny", "gpus": gpus, "env": env}

    def start(self, cases: int, *options: str, **changes: Any) -> subprocess.Popen[str]:
        """Start the command."""
        self.workplace.many(cases)
        changes = {"jury__protocol": "vote", "limits__concurrency": 4, **changes}
        changes = {"limits__attempts": 4, **changes}  # as by default
        config = self.workplace.config(self.url, **changes)
        at = ("--engine", "ray", "--address", self.cluster.address)
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "safejury", "run", config, *at, *options],
            cwd=self.workplace.path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def processes(self, words: str = "") -> list[psutil.Process]:
        """Return the processes of servers that are there, with such words in their command."""
        found = list[psutil.Process]()
        for process in psutil.process_iter():
            try:
                is_ours = process.environ().get("TEST_MARK") == self.mark
                if is_ours and words in " ".join(process.cmdline()):
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def assert_whole(self, process: subprocess.Popen[str], cases: int) -> str:
        """Check that a command ends with all verdicts, and leaves no process."""
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, out + err
        verdicts = "SELECT count(*) FROM cases WHERE finding IS NOT NULL"
        assert self.workplace.stored(verdicts) == [(cases,)]
        until(lambda: not self.processes(), 30.0)
        return err


@pytest.fixture
def serving(
    workplace: Workplace, scripted: Start, cluster: RayCluster, gpu_node: Node
) -> Iterator[Serving]:
    made = Serving(workplace, cluster, scripted().base_url)
    yield made
    for process in made.processes():
        process.kill()


def test_a_server_runs_on_the_node_with_gpus_and_its_verdicts_come(
    serving: Serving, gpu_node: Node
) -> None:
    judge = {"persona": "sceptic", "vllm": serving.managed(1)}
    target = {"name": "own", "vllm": serving.managed(2, gate=serving.gate)}
    process = serving.start(12, targets=[target], jury__jurors__0=judge)
    until(lambda: process.poll() is not None or bool(serving.processes("parallel-size=2")), 120.0)
    assert process.poll() is None, process.communicate()
    (server,) = serving.processes("tensor-parallel-size=2")
    assert gpu_node.process.pid in [parent.pid for parent in server.parents()]
    environment = server.environ()
    assert len(environment["CUDA_VISIBLE_DEVICES"].split(",")) == 2
    key = environment["VLLM_API_KEY"]
    assert len(key) > 30
    serving.gate.touch()
    said = serving.assert_whole(process, 12)
    assert " on 2 GPUs of " in said
    run = serving.workplace.path / "runs" / "first"
    assert "'tensor_parallel_size': 2" in (run / "servers" / "own.log").read_text()
    for place in (run, serving.cluster.folder):
        for file in (path for path in place.rglob("*") if path.is_file()):
            assert key.encode() not in file.read_bytes(), file
    ended = serving.workplace.safejury("verify", "runs/first")
    assert ended.code == 0, ended.out + ended.err


def test_a_killed_driver_leaves_no_server_and_the_same_command_goes_on(serving: Serving) -> None:
    target = {"name": "own", "vllm": serving.managed(2, child="1")}
    process = serving.start(150, targets=[target])
    count = "SELECT count(*) FROM cases"
    until(
        lambda: (
            process.poll() is not None or (serving.workplace.kept(count)[:1] or [(0,)]) >= [(5,)]
        ),
        120.0,
    )
    assert process.poll() is None, process.communicate()
    assert serving.processes()
    process.kill()
    process.communicate()
    until(lambda: not serving.processes(), 60.0)
    serving.assert_whole(serving.start(150, targets=[target]), 150)


def test_a_server_that_dies_is_started_again_and_no_call_is_lost(serving: Serving) -> None:
    once = serving.workplace.path / "once"
    target = {"name": "own", "vllm": serving.managed(1, dies=5, once=once)}
    process = serving.start(12, targets=[target], limits__attempts=1)
    assert "own: restarting (1 restarts left)" in serving.assert_whole(process, 12)


def test_a_server_that_does_not_start_ends_the_run_with_the_end_of_its_log(
    serving: Serving,
) -> None:
    says = "torch.OutOfMemoryError: CUDA out of memory."
    target = {"name": "own", "vllm": serving.managed(1, says=says)}
    process = serving.start(3, targets=[target])
    out, err = process.communicate(timeout=200)
    assert process.returncode == 2, out + err
    assert "the GPU's memory is too small" in err
    assert str(Path("runs", "first", "servers", "own.log")) in err
    assert not serving.processes()


def test_what_does_not_fit_is_refused_and_the_plan_says_what_does(serving: Serving) -> None:
    target = {"name": "own", "vllm": serving.managed(2)}
    out, err = serving.start(3, "--plan", targets=[target]).communicate(timeout=200)
    assert "server own: " in out, out + err
    assert " on 2 GPUs of " in out
    assert "engine ray: 3 workers" in out
    large = {"name": "large", "vllm": serving.managed(5)}
    process = serving.start(3, targets=[large])
    out, err = process.communicate(timeout=200)
    assert process.returncode == 2, out + err
    assert "the server 'large' needs 5 GPUs and a CPU of one node" in err
    assert not serving.processes()
