"""Runs whose targets are on vLLM servers that the run starts: a stand-in for vLLM answers."""

import signal
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from safejury.testing import ScriptedServer

pytestmark = pytest.mark.slow

Start = Callable[..., ScriptedServer]
Managed = Callable[..., dict[str, Any]]
FAKE_VLLM = Path(__file__).parents[1] / "targets" / "fake_vllm"
MARK = "TEST_MANAGED_RUN"


@pytest.fixture
def mark(monkeypatch: pytest.MonkeyPatch) -> str:
    """What only this test's processes have in their environment."""
    value = uuid.uuid4().hex
    monkeypatch.setenv(MARK, value)
    return value


@pytest.fixture
def managed(workplace: Any) -> Managed:
    """Return what a config says of a managed server; words become `FAKE_…` variables."""

    def made(model: str = "tiny", args: dict[str, Any] | None = None, **words: Any) -> Any:
        folder = workplace.path / model
        folder.mkdir(exist_ok=True)
        (folder / "config.json").write_text("{}")
        (folder / "model.safetensors").write_bytes(b"weights")
        fakes = {f"FAKE_{name.upper()}": value for name, value in words.items()}
        env = {"PYTHONPATH": str(FAKE_VLLM)} | fakes
        return {"model": f"./{model}", "args": args or {}, "env": env}

    return made


def servers(mark: str) -> list[int]:
    """Return the processes of stand-ins that are still there."""
    return [
        process.pid
        for process in psutil.process_iter()
        if _of(process).get(MARK) == mark and "vllm.entrypoints" in " ".join(_command(process))
    ]


def _of(process: psutil.Process) -> dict[str, str]:
    try:
        return process.environ()
    except psutil.Error:
        return {}


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def test_targets_on_servers_of_the_run_are_examined_one_after_the_other(
    workplace: Any, scripted: Start, managed: Managed, mark: str
):
    server = scripted()
    config = workplace.config(
        server.base_url,
        targets=[
            {"name": "first", "vllm": managed("one")},
            {"name": "second", "vllm": managed("two")},
            {"name": "elsewhere", "base_url": server.base_url, "model": "other"},
        ],
    )
    ended = workplace.spawn("run", config)
    assert ended.code == 0, ended.err
    assert "second: " in ended.err
    assert "on the CPU, once the responses of first are in" in ended.err
    assert ended.err.index("first: up at") < ended.err.index("second: loading")
    report = workplace.report()
    assert {target["target"]: target["verdicts"] for target in report["targets"]} == {
        "first": 3,
        "second": 3,
        "elsewhere": 3,
    }
    shown = workplace.safejury("show", "runs/first", "q1/second/0", "--reveal")
    assert "heard Question q1?" in shown.out
    assert (workplace.path / "runs" / "first" / "servers" / "first.log").read_text()
    assert servers(mark) == []


def test_a_finished_run_starts_no_server(workplace: Any, scripted: Start, managed: Managed):
    server = scripted()
    config = workplace.config(server.base_url, targets=[{"name": "it", "vllm": managed()}])
    assert workplace.safejury("run", config).code == 0
    again = workplace.safejury("run", config)
    assert again.code == 0
    assert "loading" not in again.err


def test_a_killed_run_leaves_no_server_and_goes_on(
    workplace: Any, scripted: Start, managed: Managed, mark: str
):
    server = scripted(latency=0.2)
    config = workplace.config(
        server.base_url,
        targets=[{"name": "one", "vllm": managed("one")}, {"name": "two", "vllm": managed("two")}],
        jury__jurors=[
            {"persona": "clinician", "base_url": server.base_url, "model": "juror"},
            {"persona": "sceptic", "vllm": managed("judge")},
            {"persona": "lawyer", "base_url": server.base_url, "model": "juror"},
        ],
        limits__concurrency=1,
        run__epochs=2,
    )
    with workplace.start("run", config) as process:
        until = time.monotonic() + 60
        while server.stats.calls < 3 and process.poll() is None and time.monotonic() < until:
            time.sleep(0.01)
        there = servers(mark)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=30)
    assert there
    until = time.monotonic() + 30
    while servers(mark):
        assert time.monotonic() < until, "a server outlived the run"
        time.sleep(0.05)
    # The stand-in's words are no ballot: that juror's votes are missing, and shown.
    ended = workplace.spawn("run", config, "--min-coverage", "0")
    assert ended.code == 0, ended.err
    report = workplace.report()
    assert report["run"]["cases_finished"] == 12
    assert [target["cases"] for target in report["targets"]] == [6, 6]
    assert servers(mark) == []


def test_a_server_that_fails_for_good_costs_only_its_own_target(
    workplace: Any, scripted: Start, managed: Managed
):
    server = scripted()
    broken = managed("broken", says="torch.OutOfMemoryError: CUDA out of memory.")
    targets = [{"name": "bad", "vllm": broken}, {"name": "good", "vllm": managed("well")}]
    ended = workplace.safejury("run", workplace.config(server.base_url, targets=targets))
    assert ended.code == 2, ended.err
    error = ended.err.splitlines()[-1]
    assert "the target 'bad' could not be asked to the end: " in error
    assert "memory" in error
    assert "finished cases are kept" in error
    verdicts = {t["target"]: t["verdicts"] for t in workplace.report()["targets"]}
    assert verdicts == {"bad": 0, "good": 3}

    targets[0]["vllm"] = managed("broken")
    ended = workplace.safejury("run", workplace.config(server.base_url, targets=targets))
    assert ended.code == 0, ended.err
    assert [t["verdicts"] for t in workplace.report()["targets"]] == [3, 3]


def test_a_server_that_dies_is_started_again_and_its_queries_go_on(
    workplace: Any, scripted: Start, managed: Managed
):
    server = scripted()
    once = str(workplace.path / "died")
    target = {"name": "it", "vllm": managed(dies=2, once=once)}
    ended = workplace.safejury("run", workplace.config(server.base_url, targets=[target]))
    assert ended.code == 0, ended.err
    assert "restarting (1 restarts left)" in ended.err
    assert workplace.report()["targets"][0]["verdicts"] == 3


def test_jurors_described_in_the_same_words_share_one_server(
    workplace: Any, scripted: Start, managed: Managed
):
    server = scripted(reply="An answer.")
    jurors = [
        {"persona": name, "vllm": managed("judge")} for name in ("clinician", "lawyer", "sceptic")
    ]
    config = workplace.config(server.base_url, jury__jurors=jurors)
    ended = workplace.safejury("run", config, "--plan")
    assert ended.code == 0, ended.err
    assert ended.out.count("jury: ") == 1
    assert "for the whole run" in ended.out
    assert "3 cases: 3 queries to 1 target" in ended.out
    assert not server.requests


def test_a_plan_for_gpus_that_are_elsewhere_is_shown_all_the_same(workplace: Any, managed: Managed):
    targets = [{"name": "it", "vllm": managed() | {"gpus": 64}}]
    config = workplace.config(targets=targets)
    ended = workplace.safejury("run", config, "--plan")
    assert ended.code == 0, ended.err
    assert "3 cases: 3 queries to 1 target" in ended.out
    assert "not here: the server 'it' needs 64 GPUs" in " ".join(ended.out.split())
    workplace.safejury("run", config).refused("needs 64 GPUs")
    assert workplace.safejury("doctor", config).code == 3


@pytest.mark.parametrize(
    ("version", "code", "said"),
    [
        (None, 3, "FAIL servers vLLM is not installed in "),
        ("", 0, "its version is not known"),
        ("0.14.0", 3, "0.14.0 has CVE-2026-22778: upgrade it to 0.14.1 or later"),
        ("0.32.0+cpu", 0, "0.32.0+cpu"),
    ],
)
def test_the_doctor_looks_for_vllm_where_a_server_would_start(
    version: str | None, code: int, said: str, workplace: Any, scripted: Start, managed: Managed
):
    vllm = managed()
    if version is None:
        del vllm["env"]["PYTHONPATH"]
    elif version:
        package = workplace.path / "packages" / f"vllm-{version}.dist-info"
        package.mkdir(parents=True)
        (package / "METADATA").write_text(f"Name: vllm\nVersion: {version}\n")
        vllm["env"]["PYTHONPATH"] += f":{package.parent}"
    config = workplace.config(scripted().base_url, targets=[{"name": "it", "vllm": vllm}])
    ended = workplace.safejury("doctor", config)
    assert ended.code == code, ended.out
    assert said in " ".join(ended.out.split())


def test_secrets_of_a_servers_environment_stay_out_of_the_record(
    workplace: Any, scripted: Start, managed: Managed
):
    server = scripted()
    vllm = managed()
    vllm["env"] |= {"HF_TOKEN": "very-secret-words", "VLLM_API_KEY": "another-secret-word"}
    vllm["env"] |= {"HTTPS_PROXY": "http://user:proxy-secret-word@127.0.0.1:9"}
    config = workplace.config(server.base_url, targets=[{"name": "it", "vllm": vllm}])
    ended = workplace.safejury("run", config)
    assert ended.code == 0, ended.err
    kept = b"".join(
        path.read_bytes() for path in (workplace.path / "runs").rglob("*") if path.is_file()
    )
    assert b"-secret-word" not in kept
    assert b"HF_TOKEN" in kept


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"gpus": 99}, "needs 99 GPUs"),
        ({"model": "./nowhere"}, "does not exist"),
        ({"args": {"host": "0.0.0.0"}}, "leave 'host' out"),
        ({"python": "./no/python"}, "cannot be run"),
        ({"port": 70_000}, "vllm.port"),
        ({"args": {"no argument!": 1}}, "is not an argument that can be given"),
    ],
)
def test_what_no_server_can_have_is_one_line(
    change: dict[str, Any], said: str, workplace: Any, managed: Managed
):
    target = {"name": "it", "vllm": managed() | change}
    workplace.safejury("run", workplace.config(targets=[target])).refused(said)


def test_a_model_is_in_one_place(workplace: Any, managed: Managed):
    target = {"name": "it", "vllm": managed(), "model": "another"}
    workplace.safejury("run", workplace.config(targets=[target])).refused("one of `model:`")
    jurors = [{"persona": "sceptic", "vllm": managed(), "base_url": "http://127.0.0.1:9"}]
    workplace.safejury("run", workplace.config(jury__jurors=jurors)).refused("a juror on `vllm:`")


def test_serve_keeps_all_servers_up_until_it_is_stopped(
    workplace: Any, managed: Managed, mark: str
):
    targets = [{"name": name, "vllm": managed(f"model-{name}")} for name in ("one", "two")]
    with workplace.start("serve", workplace.config(targets=targets)) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in targets]
        there = len(servers(mark))
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert sorted(line.partition(": http://127.0.0.1:")[0] for line in lines) == ["one", "two"]
    assert there == 2
    assert process.returncode == 0, err
    assert "Stopped." in err
    assert servers(mark) == []


def test_serve_needs_servers(workplace: Any):
    workplace.safejury("serve", workplace.config()).refused("nothing to serve")
