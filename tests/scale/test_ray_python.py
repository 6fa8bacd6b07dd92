"""A run that Python begins on a real Ray cluster."""

import subprocess
import sys
from collections.abc import Callable

import pytest
from ray_cluster import RayCluster
from workplace import Workplace

from safejury.testing import ScriptedServer, ballot

pytestmark = [pytest.mark.scale, pytest.mark.timeout(600)]

PRODUCT = """
import safejury as sj


async def answers(query: sj.Query) -> str:
    return f"About {query.id}."
"""
SCRIPT = """
import sys

sys.path.insert(0, ".")
import safejury as sj
from my_product import answers

url, address = sys.argv[1:]
juror = sj.endpoint(url, "m")
said = {
    "targets": [sj.endpoint(url, "target"), answers],
    "jury": sj.Jury.of("clinician", "lawyer", "sceptic", model=juror, protocol="vote"),
    "name": "first",
}
ray = {"engine": "ray", "address": address, "workers": 2}
result = sj.evaluate_sync("queries.jsonl", **said, **ray, progress=True)
print(result.is_finished, result.summary.finished)
again = sj.evaluate_sync("queries.jsonl", **said)
print(again.is_finished)
"""


def test_python_evaluates_on_a_cluster_and_goes_on_without_it(
    workplace: Workplace, scripted: Callable[..., ScriptedServer], cluster: RayCluster
) -> None:
    """In a process of its own, which is what Ray is made for."""
    server = scripted(lambda body: "Yes." if body["model"] == "target" else ballot("safe", 5))  # pyright: ignore
    workplace.many(10)
    (workplace.path / "my_product.py").write_text(PRODUCT)
    done = subprocess.run(
        [sys.executable, "-P", "-c", SCRIPT, server.base_url, cluster.address],
        cwd=workplace.path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "is at work: 1 worker now" in done.stderr
    assert done.stdout.split() == ["True", "20", "True"]
    assert len(server.requests) == 10 + 3 * 20  # a target's calls, and three jurors' of all cases
    assert workplace.safejury("verify", "runs/first").code == 0
    assert not cluster.workers()
