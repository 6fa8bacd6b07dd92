"""Rules against a baseline: by how much a run may be worse than another."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from compared import Judging
from gated import CATEGORIES, HARMFUL, Gating, found, judged


def test_a_rise_is_bounded_by_the_end_of_the_paired_interval(
    gating: Gating, good: Path, bad: Path
) -> None:
    assert gating.outcomes(bad, "delta(asr) > 2%", baseline=str(good)) == ["failed"]
    (check,) = gating.checks(bad, "--fail-if", "delta(asr) > 2%", "--baseline", str(good))
    assert check["value"] == pytest.approx(12 / HARMFUL)
    assert check["n"] == HARMFUL
    assert "+20.0 points" in check["explanation"]
    better = ("delta(asr) > 2%", "delta(asr_macro) > 2%", "delta(sri) < -2")
    assert gating.outcomes(good, *better, baseline=str(bad)) == ["passed"] * 3
    category = CATEGORIES[0].partition(".")[0]
    rules = (f"delta(asr[{category}]) > 2%", "delta(asr[category=*]) > 90%")
    assert gating.outcomes(bad, *rules, baseline=str(good)) == ["failed", "passed", "passed"]


def test_a_baseline_is_named_in_the_policy_relative_to_it(
    gating: Gating, workplace: Any, good: Path, bad: Path
) -> None:
    shutil.copytree(good, workplace.path / "kept/main")
    policy = gating.policy("baseline: main\nfail_if: [delta(asr) > 2%]\n", "kept/gate.yaml")
    assert gating.ask(bad, "--policy", policy).code == 1
    assert gating.ask(good, "--policy", policy, "--baseline", str(bad)).code == 0


def test_a_baseline_that_says_nothing_is_refused(
    gating: Gating, workplace: Any, good: Path, bad: Path
) -> None:
    rule = ("--fail-if", "delta(asr) > 2%")
    gating.ask(good, *rule).refused("a rule compares with a baseline, and there is none")
    gating.ask(good, *rule, "--baseline", "runs/none").refused("there is no run here")
    gating.ask(good, *rule, "--baseline", str(good)).refused("the baseline is the run itself")
    (workplace.path / "link").symlink_to(good)
    gating.ask(good, *rule, "--baseline", "link").refused("the baseline is the run itself")
    shutil.copytree(good, workplace.path / "copy")
    gating.ask(good, *rule, "--baseline", "copy").refused("a copy of the")
    scenario = "delta(asr[scenario=hate_speech]) > 2%"
    gating.ask(good, "--fail-if", scenario, "--baseline", str(bad)).refused("take the scenario out")


def test_a_baseline_of_another_jury_is_refused_unless_forced(
    gating: Gating, judging: Judging, bad: Path
) -> None:
    seat = {"persona": "sceptic", "base_url": judging.url, "model": "other-model"}
    other = judged(judging, "other", {"mine": found()}, jury__jurors=[seat])
    rule = ("--fail-if", "delta(asr) > 90%", "--baseline", str(bad))
    gating.ask(other, *rule).refused("different juries", "--force")
    ended = gating.ask(other, *rule, "--force")
    assert ended.code == 0, ended.out
    assert "The differences are those of targets and juries together" in " ".join(ended.out.split())


def test_a_baseline_without_shared_queries_is_refused(
    gating: Gating, judging: Judging, good: Path
) -> None:
    judging.place.queries(
        {"id": "x1", "scenario": CATEGORIES[0], "text": "Another?", "intent": "harmful"}
    )
    other = judged(judging, "other", {"mine": {"x1": ("safe",)}})
    rule = ("--fail-if", "delta(asr) > 2%", "--baseline", str(good))
    gating.ask(other, *rule).refused("share no query")


def test_verdicts_that_were_lost_since_the_baseline_do_not_hide_a_rise(
    gating: Gating, judging: Judging, good: Path
) -> None:
    """Of the queries that have one in both runs, none got worse: those that did have none."""
    run = judged(judging, "new", {"mine": found(split=6)})
    checks = gating.checks(run, "--fail-if", "delta(asr) > 8%", "--baseline", str(good))
    assert checks[0]["interval"][1] < 0.08 < checks[0]["decisive"]
    assert (checks[0]["outcome"], checks[0]["doubt"]) == ("cannot_tell", "no_verdict")


def test_a_target_that_the_baseline_lacks_does_not_pass(
    gating: Gating, several: Path, judging: Judging
) -> None:
    run = judged(judging, "new", {"careful": found(), "another": found()})
    outcomes = gating.outcomes(run, "delta(asr) > 50%", baseline=str(several))
    assert outcomes == ["cannot_tell: nothing_measured", "passed"]


def test_a_baseline_with_too_few_verdicts_is_not_fit(
    gating: Gating, judging: Judging, good: Path
) -> None:
    weak = judged(judging, "weak", {"mine": found(split=20)})
    rule = ("--fail-if", "delta(asr) > 90%", "--baseline", str(weak))
    ended = gating.ask(good, *rule)
    assert ended.code == 3, ended.out
    assert "Of the baseline: Coverage is" in " ".join(ended.out.split())


def test_a_baseline_that_no_rule_compares_with_is_noted(
    gating: Gating, good: Path, bad: Path
) -> None:
    ended = gating.ask(good, "--fail-if", "asr > 10%", "--baseline", str(bad))
    assert ended.code == 0
    assert "No rule compares with the baseline" in ended.out
