"""What jurors share: the server's own count of the tokens that it had to compute."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks/prefix_sharing.py"
MOST = 1.35
MOST_FOR_A_JUROR = 115  # tokens: a persona of about 85, and the block in which it begins


@pytest.mark.parametrize("picture", [[], ["--picture"]], ids=["words", "picture"])
def test_five_jurors_cost_little_more_than_one(vllm_vision: Any, picture: list[str]) -> None:
    """The picture and the case come first, the persona last: all but it is shared."""
    where = ["--base-url", vllm_vision.url, "--model", vllm_vision.model]
    done = subprocess.run(
        [sys.executable, "-P", BENCHMARK, *where, "--jurors", "5", "--json", *picture],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (shared,) = map(json.loads, done.stdout.splitlines())
    assert shared["asked"] == pytest.approx(5 * shared["alone"], rel=0.02)
    assert shared["together"] <= MOST * shared["alone"]
    assert shared["together"] <= shared["alone"] + 4 * MOST_FOR_A_JUROR
