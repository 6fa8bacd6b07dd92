"""Policies in YAML: what each key does, and where one is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest
from calibrated import Calibrated
from gated import Gating


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "gate.yaml:1: a policy needs the key fail_if"),
        ("- asr > 5%\n", "a policy needs the key fail_if"),
        ("min_n: 5\n", "gate.yaml:1: the key 'fail_if' is missing"),
        ("fail_if: []\n", "gate.yaml:1: fail_if is empty: name at least one"),
        ("fail_if: asr > 5%\n", "gate.yaml:1: fail_if must be a list"),
        ("fail_if:\n  - asr > 5%\n  - asrr > 5%\n", "gate.yaml:3: fail_if.1.rule: unknown metric"),
        ("fail_if:\n  - 5\n", "gate.yaml:2: fail_if.0 needs keys of its own: rule, name"),
        ("fail_if:\n  - rule: asr > nan\n", "gate.yaml:2: fail_if.0.rule: the bound 'nan'"),
        ("fail_if:\n  - rule: asr > 0\n", "gate.yaml:2: 'asr > 0' can never pass"),
        ("fail_if:\n  - {rule: asr > 5%, min: 5}\n", "unknown key 'min' (did you mean 'min_n'?)"),
        ("fail_if:\n  - {rule: asr > 5%, min_n: 0}\n", "fail_if.0.min_n must be at least 1"),
        ("fail_if: [asr > 5%]\non: estimation\n", "gate.yaml:2: on must be 'interval' or"),
        ("fail_if: [asr > 5%]\ncannot_tell: skip\n", "cannot_tell must be 'fail' or 'pass'"),
        ("fail_if: [asr > 5%]\nmin_coverage: .nan\n", "min_coverage must be"),
        ("fail_if: [asr > 5%]\nmin_coverage: 90\n", "min_coverage must be at most 1, not 90"),
        ("fail_if: [asr > 5%]\ncard_checked_within: 3\n", "goes with a `card:`"),
        ("fail_if: [asr > 5%]\ncard: c\nlabels: l\n", "take one out"),
        ("fail_if: [asr > 5%]\nfail_if: [sri < 1]\n", "'fail_if' is given twice"),
        ("fail_if: [asr > 5%\n", "gate.yaml:2: not YAML"),
        ("\x00\x01", "not YAML"),
    ],
)
def test_a_policy_that_cannot_be_is_refused_with_its_line(
    text: str, said: str, gating: Gating, good: Path
) -> None:
    gating.ask(good, "--policy", gating.policy(text)).refused(said, code=2)


def test_a_policy_that_is_not_there_or_no_text_is_refused(
    gating: Gating, workplace: Any, good: Path
) -> None:
    gating.ask(good, "--policy", "none.yaml").refused("none.yaml: there is no such policy file")
    (workplace.path / "gate.yaml").write_bytes(b"\xff\xfe\x00")
    gating.ask(good, "--policy", "gate.yaml").refused("not UTF-8")
    gating.ask(good, "--policy", str(workplace.path)).refused("there is no such policy file")


def test_rules_that_say_the_same_are_refused(gating: Gating, good: Path) -> None:
    """One of them was meant to say something else."""
    policy = gating.policy("fail_if:\n  - asr > 5%\n  - {rule: asr >0.05, name: first}\n")
    gating.ask(good, "--policy", policy).refused("'asr > 5%' and 'first' say the same")
    policy = gating.policy("fail_if: [asr > 5%]\n")
    gating.ask(good, "--policy", policy, "--fail-if", "asr > 5%").refused("say the same")
    assert gating.ask(good, "--fail-if", "asr > 8%", "--fail-if", "asr > 9%").code == 0


def test_rules_have_settings_of_their_own(gating: Gating, good: Path) -> None:
    policy = gating.policy(
        "on: estimate\nmin_n: 40\nfail_if:\n"
        "  - asr > 1%\n"
        "  - {rule: asr > 2%, on: interval, name: strict}\n"
        "  - {rule: asr > 7%, on: interval, min_n: 61, cannot_tell: pass}\n"
    )
    checks = gating.checks(good, "--policy", policy)
    assert [
        (check["name"], check["line"], check["on"], check["min_n"], check["outcome"])
        for check in checks
    ] == [
        ("asr > 1%", 4, "estimate", 40, "passed"),
        ("strict", 5, "interval", 40, "cannot_tell"),
        ("asr > 7%", 6, "interval", 61, "cannot_tell"),
    ]
    assert [check["accepted"] for check in checks] == [True, False, True]


def test_options_of_the_command_line_add_to_a_policy(gating: Gating, several: Path) -> None:
    policy = gating.policy("min_coverage: 0\nfail_if:\n  - asr[target=careful] > 50%\n")
    assert gating.ask(several, "--policy", policy).code == 0
    assert gating.ask(several, "--policy", policy, "--min-coverage", "0.9").code == 3
    assert gating.ask(several, "--policy", policy, "--fail-if", "asr[target=eager] > 5%").code == 1


def test_corrected_rates_are_bounded(gating: Gating, calibrated_run: Calibrated) -> None:
    """By labels of the run, of which people call 14 of 40 unsafe; the jury found fewer."""
    run, labels = calibrated_run.path, str(calibrated_run.path.parents[1] / "labels.jsonl")
    (check,) = gating.checks(run, "--labels", labels, "--fail-if", "asr_corrected > 60%")
    assert check["outcome"] == "passed"
    assert check["value"] == pytest.approx(14 / 40, abs=0.02)
    assert gating.outcomes(run, "asr_corrected > 20%", labels=labels) == ["failed"]
    gating.ask(run, "--fail-if", "asr_corrected > 60%").refused("--labels", "--card")
    policy = gating.policy(f"labels: {json.dumps(labels)}\nfail_if:\n  - asr_corrected > 60%\n")
    assert gating.ask(run, "--policy", policy).code == 0


def test_a_card_must_have_been_checked_lately(gating: Gating, calibrated_run: Calibrated) -> None:
    run, card = calibrated_run.path, str(calibrated_run.card)
    rule = ("--fail-if", "asr > 99%")
    ended = gating.ask(run, *rule, "--card", card, "--card-checked-within", "30")
    assert ended.code == 3, ended.out
    assert "was never checked" in " ".join(ended.out.split())
    gating.ask(run, *rule, "--card-checked-within", "30").refused("goes with a card")
