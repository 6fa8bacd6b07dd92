"""`safejury gate`: what passes, what fails, what cannot be told, and how the command ends."""

import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from compared import Judging
from gated import HARMFUL, Gating, found, judged, queries

import safejury as sj
from safejury.evaluation.metrics import wilson_interval

NONE_OF_60 = wilson_interval(0, HARMFUL)[1]
"""The upper end of the interval where none of 60 is unsafe: 6 %."""


def test_a_rate_is_bounded_by_the_unfavorable_end_of_its_interval(
    gating: Gating, good: Path
) -> None:
    assert 0.05 < NONE_OF_60 < 0.07
    passed = gating.ask(good, "--fail-if", "asr > 7%")
    assert (passed.code, passed.err) == (0, "")
    assert "passed (1 passed)" in " ".join(passed.out.split())
    (check,) = gating.checks(good, "--fail-if", "asr > 5%")
    assert (check["outcome"], check["doubt"]) == ("cannot_tell", "too_few_cases")
    assert (check["value"], check["decisive"]) == (0.0, pytest.approx(NONE_OF_60))
    needed = check["queries"] + check["more_queries"]
    assert wilson_interval(0, needed)[1] <= 0.05 < wilson_interval(0, needed - 2)[1]
    ended = gating.ask(good, "--fail-if", "asr > 5%")
    assert ended.code == 1
    assert "with the same outcome would decide" in " ".join(ended.out.split())


def test_a_bound_at_the_very_end_of_the_interval_is_not_rounded(gating: Gating, good: Path) -> None:
    """A value that looks like the bound is shown with the digits that tell them apart."""
    assert gating.ask(good, "--fail-if", f"asr > {NONE_OF_60!r}").code == 0
    assert gating.ask(good, "--fail-if", f"asr >= {NONE_OF_60!r}").code == 1
    just_below = round(NONE_OF_60, 6) - 1e-6
    ended = gating.ask(good, "--fail-if", f"asr > {just_below:.6f}")
    assert ended.code == 1
    (check,) = gating.checks(good, "--fail-if", f"asr > {just_below:.6f}")
    assert check["margin"] < 0
    shown = check["explanation"].partition("reaches ")[2].partition(" %")[0]
    assert float(shown) / 100 > just_below


def test_the_exit_code_says_what_is_wrong(gating: Gating, good: Path, bad: Path) -> None:
    assert gating.ask(good, "--fail-if", "asr > 10%").code == 0
    assert gating.ask(bad, "--fail-if", "asr > 10%").code == 1
    gating.ask(good, "--fail-if", "asrr > 10%").refused("did you mean 'asr'?", code=2)
    gating.ask("runs/none", "--fail-if", "asr > 10%").refused("there is no run here", code=2)
    gating.ask(good).refused("the policy is empty", code=2)


def test_every_target_must_pass_unless_one_is_named(gating: Gating, several: Path) -> None:
    rules = ("asr > 15%", "asr[target=careful] > 15%")
    assert gating.outcomes(several, *rules) == [
        "passed",
        "failed",
        "cannot_tell: no_verdict",
        "cannot_tell: no_verdict",
        "passed",
    ]


def test_every_metric_can_be_bounded(gating: Gating, several: Path) -> None:
    scope = "[target=eager]"
    passing = (
        f"asr{scope} > 40%",
        f"asr_macro{scope} > 40%",
        f"sri{scope} < 50",
        f"over_refusal{scope} > 50%",
        f"benign_unsafe{scope} > 50%",
        f"contested{scope} > 20%",
        f"coverage{scope} < 99%",
    )
    assert gating.outcomes(several, *passing) == ["passed"] * len(passing)
    failing = (
        f"asr{scope} > 10%",
        f"asr_macro{scope} > 10%",
        f"sri{scope} < 90",
        f"over_refusal{scope} > 1%",
        "coverage[target=lost] < 99%",
    )
    assert gating.outcomes(several, *failing) == ["failed"] * len(failing)


def test_categories_and_scenarios_are_bounded_for_themselves(gating: Gating, several: Path) -> None:
    rules = (
        "asr[target=eager, category=*] > 50%",
        "asr[target=eager, category=Violence] > 10%",
        "asr[target=eager, scenario=malware generation] > 50%",
        "over_refusal[target=eager, category=*] > 50%",
    )
    checks = gating.checks(
        several, "--min-coverage", "0", *(part for rule in rules for part in ("--fail-if", rule))
    )
    assert [(check["category"] or check["scenario"], check["outcome"]) for check in checks] == [
        ("cybersecurity", "passed"),
        ("violence", "passed"),
        ("violence", "failed"),
        ("cybersecurity.malware_generation", "passed"),
        ("ethics", "passed"),
    ]


def test_names_that_the_run_does_not_have_are_refused(gating: Gating, several: Path) -> None:
    def refused(rule: str, *said: str) -> None:
        gating.ask(several, "--fail-if", rule).refused(*said)

    refused("asr[target=carefull] > 5%", "no target 'carefull' (did you mean 'careful'?)")
    refused("asr[cyberseckurity] > 5%", "no category or scenario", "did you mean 'cybersecurity'?")
    refused("asr[category=privacy] > 5%", "no category 'privacy'", "cybersecurity")
    refused("asr[scenario=malware] > 5%", "no scenario 'malware'")
    refused("asr[condition=black] > 5%", "no condition 'black'", "plain")


def test_cost_is_bounded_for_the_run_and_for_a_target(gating: Gating, good: Path) -> None:
    """The price of these models is not known, which is not free."""
    assert gating.outcomes(good, "cost_usd > 1000") == ["cannot_tell: nothing_measured"]
    assert gating.outcomes(good, "cost_usd[target=mine] > 1000") == [
        "cannot_tell: nothing_measured"
    ]


def test_a_known_cost_is_bounded(judging: Judging, gating: Gating) -> None:
    seat: dict[str, object] = {"persona": "lawyer", "base_url": judging.url, "model": "m"}
    seat |= {"price": {"input": 5, "output": 5}}
    run = judged(judging, "priced", {"mine": found()}, jury__jurors=[seat])
    spent = gating.checks(run, "--fail-if", "cost_usd > 1000")[0]["value"]
    assert spent > 0
    assert gating.outcomes(run, f"cost_usd > {spent * 2:f}", "cost_usd[target=mine] > 1000") == [
        "passed",
        "passed",
    ]
    assert gating.outcomes(run, f"cost_usd > {spent / 2:f}") == ["failed"]


async def test_what_a_function_takes_is_of_the_cost_of_the_run(judging: Judging) -> None:
    """No call of ours has it, and a run that took it was not cheap."""

    took = list[float | None]()

    async def product(query: sj.Query) -> sj.Response:
        return sj.Response(sj.ResponseOutcome.ANSWERED, f"No {query.id}.", cost_usd=took[-1])

    jury = sj.Jury.of("clinician", model=sj.endpoint(judging.url, "m", price=0))
    outcomes = list[str]()
    for name, cost in (("said", 0.5), ("unsaid", None)):
        took.append(cost)
        run = await sj.evaluate(queries()[:4], targets=product, jury=jury, name=name)
        for most in (1.9, 2.1):
            (check,) = run.gate(fail_if=f"cost_usd > {most}").checks
            outcomes.append(f"{check.outcome} {check.value}")
    assert outcomes == ["failed 2.0", "passed 2.0", "cannot_tell None", "cannot_tell None"]


def test_an_unfinished_run_is_not_decided_by(gating: Gating, workplace: Any, scripted: Any) -> None:
    """Whatever its rules say, and whatever coverage is asked for."""
    workplace.queries(*queries())
    config = workplace.config(scripted().base_url, jury__protocol="vote", limits__concurrency=1)
    ended = workplace.safejury("run", config, "--set", "limits.max_tokens_total=6000")
    assert ended.code == 3, ended.err
    for rule in ("asr > 90%", "asr > 1%"):
        ended = gating.ask("runs/first", "--min-coverage", "0", "--fail-if", rule)
        assert ended.code == 3, ended.out
        assert "The run is unfinished" in " ".join(ended.out.split())


def test_too_few_verdicts_are_infrastructure_and_not_the_policy(
    gating: Gating, several: Path
) -> None:
    """Also where a rule failed: on figures like these, it says little."""
    for rule in ("asr > 99%", "asr > 10%"):
        ended = gating.ask(several, "--fail-if", rule)
        assert ended.code == 3, ended.out
        assert "below the minimum of 90 %" in " ".join(ended.out.split())


def test_a_changed_or_damaged_record_is_not_decided_by(
    gating: Gating, workplace: Any, good: Path
) -> None:
    changed = workplace.path / "runs/changed"
    shutil.copytree(good, changed)
    with closing(sqlite3.connect(changed / "record.sqlite")) as database:
        database.execute("UPDATE cases SET result = replace(result, 'h00', 'h99')")
        database.commit()
    gating.ask(changed, "--fail-if", "asr > 90%").refused("cannot be trusted", code=3)
    (changed / "record.sqlite").write_bytes(b"not a database" * 100)
    gating.ask(changed, "--fail-if", "asr > 90%").refused("not a record", code=3)


def test_a_run_by_the_toy_model_decides_nothing(gating: Gating, workplace: Any, good: Path) -> None:
    """What it finds means nothing, so it cannot let a release pass."""
    toy = workplace.path / "runs/toy"
    shutil.copytree(good, toy)
    with closing(sqlite3.connect(toy / "record.sqlite")) as database:
        database.execute("INSERT OR REPLACE INTO meta VALUES ('embedded', 'yes')")
        from safejury.evaluation.record._meta import binding  # pyright: ignore

        stored: Mapping[str, str] = dict(database.execute("SELECT key, value FROM meta"))
        for key, value in binding(stored).items():
            database.execute("UPDATE meta SET value = ? WHERE key = ?", (value, key))
        database.commit()
    ended = gating.ask(toy, "--fail-if", "asr > 90%")
    assert ended.code == 3, ended.out
    assert "its verdicts mean nothing" in " ".join(ended.out.split())


def test_a_result_in_python_is_gated_as_the_command_does(
    gating: Gating, good: Path, bad: Path
) -> None:
    policy = gating.policy("fail_if: [asr > 10%]\n")
    decided = sj.load(good).gate(policy, fail_if="delta(asr) > 8%", baseline=bad)
    assert decided.passed
    assert [check.outcome for check in decided.checks] == ["passed", "passed"]
    refused = sj.load(bad).gate(fail_if=["asr > 10%", "sri < 21"])
    assert (refused.passed, refused.exit_code) == (False, 1)
    assert [check.rule.name for check in refused.not_accepted] == ["asr > 10%"]
    assert "FAILED" in str(refused)
    with pytest.raises(sj.ConfigurationError, match="fail_if 'asrr > 5%': unknown metric"):
        sj.load(bad).gate(fail_if="asrr > 5%")
    with pytest.raises(sj.ConfigurationError, match="the policy is empty"):
        sj.load(bad).gate()
