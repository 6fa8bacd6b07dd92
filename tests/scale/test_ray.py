"""Runs on a real Ray cluster: two nodes on loopback, and workers, nodes and drivers that die."""

import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import pytest
from ray_cluster import RayCluster, ray_cluster, until
from terminal import Terminal
from workplace import Ended, Workplace

from safejury.testing import ScriptedReply, ScriptedServer, ballot, request_text

pytestmark = [pytest.mark.scale, pytest.mark.timeout(600)]

Start = Callable[..., ScriptedServer]
CASES = 60


def asked(body: Mapping[str, Any]) -> str:
    """Name a request by its query and model, as calls of a vote are told apart."""
    query = re.search(r"Question (\d+)\?", request_text(body))
    assert query is not None
    return f"q{int(query[1]):03} {body['model']}"


def call_of(call_id: str) -> str:
    """Name a call of the record as `asked` names its request."""
    query, *_, seat, last = call_id.split("/")
    return f"{query} {'target' if last == 'target' else f'{seat}-model'}"


class Model:
    """Answers as target and juror: at first at once, then as slowly as it is told.

    So a run comes to its middle soon, and stays there however busy the machine is.
    """

    def __init__(self, delay: float = 3.0) -> None:
        self.delay = delay
        self._calls = 0

    def __call__(self, body: Mapping[str, Any]) -> ScriptedReply:
        self._calls += 1
        said = "Yes." if body["model"] == "target" else ballot("safe", 5)
        return ScriptedReply(said, delay=self.delay if self._calls > 80 else 0.0)


def on_ray(workplace: Workplace, config: str, address: str, *options: str) -> Ended:
    """Run a command to its end in a process of its own, which is what Ray is made for."""
    return workplace.from_the_beginning(
        "run", config, "--engine", "ray", "--address", address, *options
    )


def config_of(workplace: Workplace, url: str) -> str:
    """Write a config of a vote on some cases."""
    workplace.many(CASES)
    return workplace.config(url, jury__protocol="vote", limits__concurrency=8)


class Running:
    """A run of a vote over a cluster, whose command is a process of its own."""

    def __init__(self, workplace: Workplace, cluster: RayCluster, url: str, *options: str) -> None:
        self.config = config_of(workplace, url)
        self.workplace = workplace
        self.options = ("--engine", "ray", "--address", cluster.address, *options)
        self.process = self.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def start(self) -> subprocess.Popen[str]:
        """Start the command once more."""
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "safejury", "run", self.config, *self.options],
            cwd=self.workplace.path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def calls(self) -> set[str]:
        """Return the calls that are in the record."""
        return {call_of(row[0]) for row in self.workplace.kept("SELECT call_id FROM calls")}

    def reach(self, cases: int) -> set[str]:
        """Wait until so many cases are finished; return the calls that are in the record."""
        count = "SELECT count(*) FROM cases"
        until(
            lambda: self.process.poll() is not None or self.workplace.kept(count)[:1] >= [(cases,)],
            120.0,
        )
        assert self.process.poll() is None, "".join(self.process.communicate())
        return self.calls()

    def at_work(self, workers: int) -> None:
        """Wait until so many workers are at work."""
        log = self.workplace.path / "runs/first/run.log"
        said = f": {workers} workers now"
        until(lambda: log.exists() and said in log.read_text(), 120.0)

    def end(self, code: int = 0) -> str:
        """Wait for the command, and return what it said."""
        out, err = self.process.communicate(timeout=300)
        assert self.process.returncode == code, out + err
        return err

    def assert_whole(self, server: ScriptedServer, journaled: set[str]) -> None:
        """Check that each case is there once, and that what was journaled was paid once."""
        assert self.workplace.stored("SELECT count(*) FROM cases") == [(CASES,)]
        paid = Counter(map(asked, server.requests))
        assert len(paid) == 4 * CASES
        assert journaled.isdisjoint(name for name, times in paid.items() if times > 1)
        ended = self.workplace.safejury("verify", "runs/first")
        assert ended.code == 0, ended.out + ended.err


Begin = Callable[..., Running]


@pytest.fixture
def begin(workplace: Workplace, cluster: RayCluster) -> Iterator[Begin]:
    """Begin runs, of which none outlives the test."""
    with ExitStack() as stack:

        def begin(url: str, *options: str) -> Running:
            return stack.enter_context(Running(workplace, cluster, url, *options))

        yield begin


def test_a_cluster_brings_about_what_one_process_would(
    workplace: Workplace, scripted: Start, begin: Begin, cluster: RayCluster
) -> None:
    server = scripted()
    running = begin(server.base_url)
    running.end()
    running.assert_whole(server, running.calls())
    again = workplace.safejury("run", running.config)  # finished, whoever looks
    assert again.code == 0
    assert len(server.requests) == 4 * CASES
    plan = on_ray(workplace, running.config, cluster.address, "--plan")
    assert "engine ray: 2 workers on 2 nodes with 2 CPUs" in plan.out
    assert not cluster.workers()


def test_the_trials_of_a_killed_worker_run_again(
    scripted: Start, begin: Begin, cluster: RayCluster
) -> None:
    server = scripted(model := Model())
    running = begin(server.base_url)
    running.at_work(2)
    journaled = running.reach(10)
    cluster.workers()[0].kill()
    model.delay = 0.0
    assert "is lost" in running.end()
    running.assert_whole(server, journaled)


def test_a_node_that_comes_takes_part_and_one_that_goes_takes_nothing_along(
    scripted: Start, begin: Begin, cluster: RayCluster
) -> None:
    server = scripted(model := Model(delay=4.0))
    running = begin(server.base_url)
    running.reach(4)
    node = cluster.add_node()
    running.at_work(3)
    model.delay = 1.0
    journaled = running.reach(20)
    node.kill()
    model.delay = 0.0
    assert "is lost" in running.end()
    running.assert_whole(server, journaled)


def test_a_killed_driver_leaves_no_worker_and_the_same_command_goes_on(
    scripted: Start, begin: Begin, cluster: RayCluster
) -> None:
    server = scripted(model := Model())
    running = begin(server.base_url)
    running.reach(10)
    running.process.kill()
    running.process.communicate()
    model.delay = 0.0
    journaled = running.calls()
    until(lambda: not cluster.workers())
    running.process = running.start()
    running.end()
    running.assert_whole(server, journaled)


def test_ctrl_c_leaves_no_worker_and_no_process(
    scripted: Start, begin: Begin, cluster: RayCluster
) -> None:
    server = scripted(model := Model())
    running = begin(server.base_url)
    running.reach(10)
    running.process.send_signal(signal.SIGINT)
    assert "Interrupted." in running.end(130)
    until(lambda: not cluster.workers())
    model.delay = 0.0
    journaled = running.calls()
    running.process = running.start()
    running.end()
    running.assert_whole(server, journaled)


def test_one_record_has_one_writer(workplace: Workplace, scripted: Start, begin: Begin) -> None:
    """And one worker finishes a run."""
    url = scripted(model := Model()).base_url
    running = begin(url, "--workers", "1")
    running.reach(4)
    workplace.safejury("run", running.config).refused("another process")
    model.delay = 0.0
    running.end()


def test_more_workers_than_cpus_finish_a_run_and_those_that_wait_are_told(
    workplace: Workplace, scripted: Start, begin: Begin, cluster: RayCluster
) -> None:
    running = begin(scripted().base_url, "--workers", "5")
    assert "3 of 5 workers wait for CPUs, which the cluster does not have" in running.end()
    plan = on_ray(workplace, running.config, cluster.address, "--workers", "5", "--plan")
    assert "engine ray: 5 workers on 2 nodes with 2 CPUs" in plan.out
    assert "; 3 wait for a CPU" in " ".join(plan.out.split())


@pytest.mark.parametrize(
    ("options", "shown"),
    [((), ("cases ━", "/60")), (("--watch",), ("Under way · ", "of 60 cases"))],
    ids=["bar", "watch"],
)
def test_workers_have_a_line_at_a_terminal(
    options: tuple[str, ...],
    shown: tuple[str, ...],
    workplace: Workplace,
    scripted: Start,
    cluster: RayCluster,
) -> None:
    url = scripted(model := Model()).base_url
    config = config_of(workplace, url)
    command = ("run", config, "--engine", "ray", "--address", cluster.address, *options)
    with Terminal(80, 40) as terminal, workplace.at(terminal, *command) as process:
        until(lambda: "2 workers with " in terminal.shown or process.poll() is not None, 120.0)
        screen = terminal.until("2 workers with ", *shown)
        assert re.search(r"2 workers with \d+ \+ \d+ cases, \d+ \+ \d+ calls", screen)
        assert terminal.widest <= 80
        model.delay = 0.0
        assert process.wait(120) == 0
    assert workplace.stored("SELECT count(*) FROM cases") == [(CASES,)]


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("127.0.0.1:9", "no Ray cluster at 127.0.0.1:9"),
        ("nowhere.invalid:6379", "no Ray cluster at nowhere.invalid:6379"),
        ("ray://127.0.0.1:10001", "write HOST:PORT"),
        ("6379", "write HOST:PORT"),
        ("somebody:a-password@127.0.0.1:6379", "write HOST:PORT"),
        ("127.0.0.1:6379?token=a-password", "write HOST:PORT"),
    ],
)
def test_an_address_where_no_ray_answers_is_said_in_a_line(
    workplace: Workplace, cluster: RayCluster, address: str, said: str
) -> None:
    ended = on_ray(workplace, workplace.config(), address)
    ended.refused(said)
    assert "a-password" not in ended.err


def test_the_latest_cluster_of_a_machine_is_not_waited_for_when_it_is_gone(
    workplace: Workplace, cluster: RayCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What ends without `ray stop` leaves its address behind, and Ray would try it for minutes."""
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray" / "ray_current_cluster").write_text("127.0.0.1:9")
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    ended = workplace.from_the_beginning("run", workplace.config(), "--engine", "ray")
    ended.refused("no Ray cluster at 127.0.0.1:9")
    assert "ray stop" in ended.err


def test_what_answers_and_is_not_ray_is_said_in_a_line(
    workplace: Workplace, scripted: Start, cluster: RayCluster
) -> None:
    address = scripted().base_url.removeprefix("http://").removesuffix("/v1")
    on_ray(workplace, workplace.config(), address).refused("what answers there is not Ray")


def test_a_node_without_the_key_is_named_before_the_first_call(
    workplace: Workplace, scripted: Start, cluster: RayCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAFEJURY_TEST_KEY", "sk-secret-of-the-driver")
    server = scripted()
    config = workplace.config(server.base_url, targets__0__api_key_env="SAFEJURY_TEST_KEY")
    ended = on_ray(workplace, config, cluster.address)
    ended.refused("lacks the environment variable SAFEJURY_TEST_KEY", os.uname().nodename)
    assert not server.requests


def test_a_node_with_another_safejury_is_named_before_the_first_call(
    workplace: Workplace, scripted: Start, cluster: RayCluster, tmp_path: Path
) -> None:
    other = tmp_path / "other" / "safejury" / "evaluation" / "engine"
    (other / "cluster").mkdir(parents=True)
    for folder in (other, other.parent, other.parent.parent):
        (folder / "__init__.py").touch()
    here = Path(str(sys.modules["safejury"].__file__)).parent / "evaluation/engine/cluster"
    (other / "cluster" / "_facts.py").write_text((here / "_facts.py").read_text())
    facts = "from ._facts import Facts, facts_here as ours\n\n\ndef facts_here(names):\n"
    (other / "cluster" / "__init__.py").write_text(
        f"{facts}    return Facts(ours().python, ours().ray, '0.0.1', '', ())\n"
    )
    node = cluster.add_node(PYTHONPATH=str(tmp_path / "other"))
    try:
        server = scripted()
        config = workplace.config(server.base_url)
        ended = on_ray(workplace, config, cluster.address)
    finally:
        node.kill()
    ended.refused("has safejury 0.0.1, and this command is of")
    assert not server.requests


def test_without_its_head_a_run_ends_with_a_line_and_the_same_command_goes_on(
    workplace: Workplace, scripted: Start
) -> None:
    """Ray itself would end the process without a word of ours, a minute later."""
    server = scripted(model := Model())
    with ray_cluster(nodes=1) as cluster, Running(workplace, cluster, server.base_url) as running:
        running.reach(10)
        cluster.nodes[0].kill()
        said = running.end(3).splitlines()
    assert [line for line in said if line.startswith("safejury: error: the head of the Ray")]
    assert not [line for line in said if "GCS" in line or "Traceback" in line]
    model.delay = 0.0
    journaled = running.calls()
    ended = workplace.safejury("run", running.config)
    assert ended.code == 0, ended.err
    running.assert_whole(server, journaled)


def test_no_file_beside_the_config_keeps_workers_from_beginning(
    workplace: Workplace, scripted: Start, cluster: RayCluster
) -> None:
    """Ray would let them import it in place of the module of that name; and what a module that
    travels imports beside it is found on this machine."""
    (workplace.path / "statistics.py").write_text("raise RuntimeError('not a module of Python')\n")
    (workplace.path / "its_words.py").write_text("WORDS = 'Yes.'\n")
    source = "import its_words\n\nasync def answer(text: str) -> str:\n    return its_words.WORDS\n"
    (workplace.path / "own_answers.py").write_text(source)
    targets = [{"name": "mine", "function": "own_answers:answer"}]
    config = workplace.config(scripted().base_url, targets=targets, jury__protocol="vote")
    ended = on_ray(workplace, config, cluster.address)
    assert ended.code == 0, ended.err
    assert workplace.stored("SELECT count(*) FROM cases") == [(3,)]
