"""Managed servers with a price per GPU hour: their time is charged, kept and told."""

import csv
import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from safejury.testing import ScriptedServer, ballot

pytestmark = pytest.mark.slow

Start = Callable[..., ScriptedServer]
FAKE_VLLM = Path(__file__).parents[1] / "targets" / "fake_vllm"
HOURLY = 3600.0
"""US dollars: one a second."""
FREE = {f"jury__jurors__{seat}__price": 0 for seat in range(3)}
_TORCH = """
class cuda:
    is_available = staticmethod(lambda: True)
    device_count = staticmethod(lambda: 2)
    mem_get_info = staticmethod(lambda index: (80 * 10**9, 80 * 10**9))
    get_device_name = staticmethod(lambda index: "a card")
"""


@pytest.fixture
def target(workplace: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A target on a stand-in for vLLM, on a machine whose torch sees two GPUs."""
    packages = workplace.path / "packages"
    packages.mkdir()
    (packages / "torch.py").write_text(_TORCH)
    monkeypatch.setenv("PYTHONPATH", str(packages))
    folder = workplace.path / "tiny"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"weights")
    vllm = {"model": "./tiny", "gpus": 1, "env": {"PYTHONPATH": str(FAKE_VLLM)}}
    return {"name": "it", "vllm": vllm, "price": {"per_gpu_hour": HOURLY}}


def uptimes(workplace: Any) -> list[tuple[Any, ...]]:
    return workplace.kept("SELECT server, gpus, seconds, usd FROM servers ORDER BY rowid")


def test_the_time_of_a_server_is_in_the_record_and_in_every_report(
    workplace: Any, scripted: Start, target: dict[str, Any]
):
    target["vllm"]["gpus"] = 2
    config = workplace.config(scripted().base_url, targets=[target])
    ended = workplace.safejury("run", config)
    assert ended.code == 0, ended.err
    ((server, gpus, seconds, usd),) = uptimes(workplace)
    assert (server, gpus) == ("it", 2)
    assert usd == pytest.approx(seconds * 2 * HOURLY / 3600)
    report = workplace.report()
    (told,) = report["targets"]
    took = {"server": "it", "targets": ["it"], "usd": usd, "gpu_hours": pytest.approx(usd / HOURLY)}
    assert told["server_time"] == took
    assert told["cost_usd_known"] == 0
    assert report["run"]["spent"]["servers"] == [took]
    assert report["run"]["spent"]["total"]["usd"] == pytest.approx(usd)
    assert "server" in ended.out
    assert f"GPU hours of servers (it ${usd:.2f})" in " ".join(ended.out.split())
    out = workplace.safejury("report", "runs/first", "--format", "md").out
    assert f", and server time ${usd:.2f}" in out
    total, *_, run = csv.DictReader(
        io.StringIO(workplace.safejury("report", "runs/first", "--format", "csv").out)
    )
    assert float(total["server_usd"]) == float(run["server_usd"]) == pytest.approx(usd)
    assert workplace.safejury("verify", "runs/first").code == 0


def test_a_limit_of_money_ends_a_server_that_loads_and_starts_none_once_it_is_used_up(
    workplace: Any, scripted: Start, target: dict[str, Any]
):
    server = scripted()
    target["vllm"]["env"]["FAKE_GATE"] = str(workplace.path / "gate")
    config = workplace.config(server.base_url, targets=[target], limits__max_cost_usd=0.2, **FREE)
    for loads in (1, 0):
        ended = workplace.safejury("run", config)
        assert ended.code == 3, ended.err
        assert "limits.max_cost_usd of 0.2 is reached" in ended.err
        assert "3 cases of 3 not started" in ended.err
        assert ended.err.count("it: loading") == loads
    assert server.stats.calls == 0
    (workplace.path / "gate").touch()
    config = workplace.config(server.base_url, targets=[target], limits__max_cost_usd=9e9, **FREE)
    assert workplace.safejury("run", config).code == 0
    assert len(uptimes(workplace)) == 2


def test_the_time_of_a_jurors_server_ends_a_run_with_the_cases_that_are_begun(
    workplace: Any, scripted: Start, target: dict[str, Any]
):
    workplace.many(60)
    server = scripted(ballot("safe", 5), latency=0.5)
    changes = FREE | {"limits__concurrency": 1, "limits__max_cost_usd": 2.0}
    juror = {"persona": "lawyer"} | {key: target[key] for key in ("vllm", "price")}
    changes |= {"jury__jurors__1": juror, "targets__0__price": 0}
    ended = workplace.safejury("run", workplace.config(server.base_url, **changes))
    assert ended.code == 3, ended.err
    assert "limits.max_cost_usd of 2 is reached" in ended.err
    report = workplace.report()
    assert report["run"]["cases_finished"] < 60
    assert report["run"]["spent"]["servers"][0]["targets"] == []
    # What was begun is finished, with no vote that the budget cost.
    assert workplace.stored("SELECT 1 FROM cases WHERE result LIKE '%budget_stop%'") == []
    calls = "SELECT DISTINCT case_id FROM entries EXCEPT SELECT case_id FROM cases"
    assert workplace.stored(calls) == []


def test_a_killed_run_keeps_what_its_servers_took(
    workplace: Any, scripted: Start, target: dict[str, Any]
):
    server = scripted()
    target["vllm"]["env"]["FAKE_GATE"] = str(workplace.path / "gate")
    config = workplace.config(server.base_url, targets=[target])
    with workplace.start("run", config) as process:
        while not uptimes(workplace):
            assert process.poll() is None
            time.sleep(0.02)
        process.kill()
    (first,) = uptimes(workplace)
    assert first[2] >= 10.0  # it ends within ten seconds, which are kept ahead
    assert workplace.report()["run"]["spent"]["servers"][0]["usd"] == pytest.approx(first[3])
    (workplace.path / "gate").touch()
    assert workplace.safejury("run", config).code == 0
    kept, second = uptimes(workplace)
    assert kept == first
    (told,) = workplace.report()["run"]["spent"]["servers"]
    assert told["usd"] == pytest.approx(first[3] + second[3])


def test_a_plan_says_what_an_hour_costs(workplace: Any, target: dict[str, Any]):
    config = workplace.config(
        targets=[target], limits__max_cost_usd=7200.0, limits__unpriced="allow"
    )
    said = " ".join(workplace.safejury("run", config, "--plan").out.split())
    assert (
        "server it (tiny): $3,600.00 an hour from its start to its end; for how long is not" in said
    )
    assert "plus server time" in said
    assert "limits.max_cost_usd pays 2 hours of these servers" in said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"price": {"per_gpu_hour": 1.0, "input": 1.0}}, "stands alone"),
        ({"price": {"per_gpu_hour": -1.0}}, "must be at least 0"),
        ({"price": {"input": 1.0}}, "give `input:` and `output:`, or `per_gpu_hour:`"),
        ({"vllm": None, "model": "m", "base_url": "http://127.0.0.1:9/v1"}, "is for a model with"),
    ],
)
def test_a_price_by_the_hour_is_of_a_server_and_stands_alone(
    change: dict[str, Any], said: str, workplace: Any, target: dict[str, Any]
):
    whole = {key: value for key, value in (target | change).items() if value is not None}
    workplace.safejury("run", workplace.config(targets=[whole])).refused(said)


def test_two_prices_of_one_server_and_one_on_the_cpu_are_refused(
    workplace: Any, target: dict[str, Any]
):
    other = target | {"name": "other", "price": {"per_gpu_hour": 1.0}}
    config = workplace.config(targets=[target, other])
    workplace.safejury("run", config).refused("'it' has two prices, 3600 and 1 US dollars")
    target["vllm"]["gpus"] = 0
    workplace.safejury("run", workplace.config(targets=[target])).refused("runs on the CPU")
