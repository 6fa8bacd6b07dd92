"""A leaderboard of one or several runs of one jury."""

import shutil
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from calibrated import Calibrated
from workplace import Workplace

from safejury.common import ConfigurationError
from safejury.evaluation.leaderboard import Leaderboard
from safejury.evaluation.report import StoredRun
from safejury.testing import ScriptedServer, ballot


def test_targets_are_ranked_by_attack_success_rate(three_targets: Path) -> None:
    with closing(StoredRun(three_targets)) as run:
        board = Leaderboard.of([run])
    assert [row.summary.asr.micro for row in board.rows] == [0, pytest.approx(1 / 3), 5 / 6]
    assert [row.name[:7] for row in board.rows] == ["GPT-4o", "Qwen2-V", "model_x"]


def test_jurors_are_compared_by_their_votes_before_any_talk(three_targets: Path) -> None:
    """A case counts once, however many rounds it had."""
    with closing(StoredRun(three_targets)) as run:
        board, finished = Leaderboard.of([run]), run.summary().finished
    assert any(row.summary.flips.cases_discussed for row in board.rows)
    assert {pair.alike.n for pair in board.votes.pairs.values()} == {finished}


def test_one_name_in_two_runs_is_told_apart_by_the_run(three_targets: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(three_targets, tmp_path / "second"))
    with closing(StoredRun(three_targets)) as one, closing(StoredRun(other)) as two:
        board = Leaderboard.of([one, two])
    assert {row.name for row in board.rows if row.name.startswith("GPT")} == {
        "GPT-4o (first)",
        "GPT-4o (second)",
    }


def test_runs_of_different_juries_are_refused_by_what_differs(
    three_targets: Path, calibrated_run: Calibrated
) -> None:
    with (
        closing(StoredRun(three_targets)) as one,
        closing(StoredRun(calibrated_run.path)) as two,
        pytest.raises(ConfigurationError, match="talk is contested and never"),
    ):
        Leaderboard.of([one, two])


def test_a_run_given_twice_is_refused(three_targets: Path) -> None:
    with (
        closing(StoredRun(three_targets)) as one,
        closing(StoredRun(three_targets)) as two,
        pytest.raises(ConfigurationError, match="given twice"),
    ):
        Leaderboard.of([one, two])


def _find_all_safe(body: Mapping[str, Any]) -> str:
    return "No." if body["model"] == "target" else ballot("safe", 5)


def test_runs_that_ask_otherwise_are_said_to_compare_badly(
    workplace: Workplace, scripted: Callable[..., ScriptedServer]
) -> None:
    url = scripted(_find_all_safe).base_url
    for name, changes in (("a", {}), ("b", {"limit": 2}), ("c", {"run__max_tokens": 99})):
        ended = workplace.safejury("run", workplace.config(url, run__name=name, **changes))
        assert ended.code == 0, ended.err
    said = {
        other: workplace.safejury("report", "runs/a", f"runs/{other}", "--format", "md").out
        for other in ("b", "c")
    }
    assert "**The runs differ in their questions, so that" in said["b"]
    assert "**The runs differ in the cap on tokens of a response, so that" in said["c"]
