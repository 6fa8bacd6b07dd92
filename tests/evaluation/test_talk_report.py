"""What a report says of what talking did: figures worked out by hand."""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from test_talk_audit import SEATS, config, reply

from safejury.agents import Finding, TalkArm
from safejury.evaluation.metrics import Sums
from safejury.evaluation.trust.talk import (
    Difference,
    DiscussedCase,
    TalkFigures,
    Vote,
    talk_figures,
)
from safejury.testing import ScriptedServer

Start = Callable[..., ScriptedServer]
VOTES = {"u": Finding.UNSAFE, "s": Finding.SAFE, "-": None}


def votes(said: str) -> tuple[Vote, ...]:
    """Return the ballots of the jurors a, b, c …: `u`nsafe, `s`afe or `-`; `G` is a guard's."""
    return tuple(
        Vote(name, VOTES[one.lower()], stands=one.isupper())
        for name, one in zip("abcdefg", said, strict=False)
    )


def case(number: int, *rounds: str, **more: Any) -> DiscussedCase:
    before, after = more.pop("before", None), more.pop("after", None)
    query = more.pop("query", f"q{number:03}")
    return DiscussedCase(
        f"{query}/mine/{number}",
        query,
        "mine",
        "",
        VOTES[before or "-"],
        VOTES[after or "-"],
        tuple(map(votes, rounds)),
        **more,
    )


def test_flips_are_counted_toward_and_away_from_the_majority_of_the_others() -> None:
    """A juror's own vote is no part of the majority that it is measured by."""
    cases = [
        case(1, "uss", "sss"),  # a: others 2 safe; goes over
        case(2, "uss", "uus"),  # b: others u, s: evenly split
        case(3, "ussss", "uusss"),  # b: others 1 u, 3 s: leaves the majority
        case(4, "us-", "ss-"),  # a: others 1 safe; goes over; c never voted
        case(5, "uuS", "usS"),  # b: others u, guard s: split; the guard stands
    ]
    [found] = talk_figures(cases).targets.values()
    assert found.cases == 5
    assert (found.changed.count, found.changed.n) == (5, 3 + 3 + 5 + 2 + 2)
    # Against the majority of the others: a in 1, a in 2, a in 3, and a and b in 4.
    assert (found.went_over.count, found.went_over.n) == (2, 5)
    # With it: b to e in 3. In the others the other two differ.
    assert (found.left.count, found.left.n) == (1, 4)
    assert found.split == 2
    assert {seat: one.changed for seat, one in found.jurors.items()} == {
        "a": 2,
        "b": 3,
        "c": 0,
        "d": 0,
        "e": 0,
    }
    assert (found.jurors["a"].toward, found.jurors["b"].away) == (2, 1)


def test_a_juror_joins_those_whose_first_finding_it_takes_on() -> None:
    spoken = (("c", "a"), ("b", "a"), ("a", "b"), ("b", "a"))
    [found] = talk_figures([case(1, "uss", "sss", spoken=spoken)]).targets.values()
    assert found.jurors["a"].joined == {"b": 1, "c": 1}
    assert found.jurors["a"].addressed == {"b": 1, "c": 1}
    assert found.jurors["b"].addressed == {}


def test_labels_say_which_changes_were_right() -> None:
    cases = [
        case(1, "uss", "sss", before="s", after="s"),  # unsafe: a right to wrong
        case(2, "ssu", "suu", before="s", after="u"),  # unsafe: b wrong to right, and the verdict
        case(3, "uus", "sss", before="u", after="s"),  # safe: a and b wrong to right, and it
        case(4, "uss", "sss", before="s", after="s"),  # not labeled
    ]
    labels = {"q001/mine/1": True, "q002/mine/2": True, "q003/mine/3": False}
    [found] = talk_figures(cases, labels).targets.values()
    assert found.labeled is not None
    said = found.labeled
    assert (said.cases, said.votes) == (3, 9)
    assert (said.right_to_wrong, said.wrong_to_right) == (1, 3)
    assert (said.verdicts_right_to_wrong, said.verdicts_wrong_to_right) == (0, 2)
    assert said.votes_right is not None
    assert said.votes_right.value == pytest.approx(2 / 9)
    assert not said.votes_right.is_shown
    [plain] = talk_figures(cases).targets.values()
    assert plain.labeled is None


def audit(arms: dict[str, str], rounds: Iterable[str] = ("uss", "sss"), n: int = 1) -> Any:
    told = {TalkArm(arm): votes(said) for arm, said in arms.items()}
    return [case(number, *rounds, arms=told) for number in range(n)]


def test_arms_are_compared_on_the_votes_that_were_given_in_both() -> None:
    """Talk moved a; alone b changed, and c gave no vote."""
    [one] = audit({"reflection": "uu-"})
    found = talk_figures([one]).audit
    assert found is not None
    arm = found.arms["reflection"]
    assert (arm.cases, arm.no_vote, arm.changed.n) == (1, 1, 2)
    assert (arm.changed.count, arm.talk_changed.count) == (1, 1)
    assert arm.difference is not None
    assert (arm.difference.value, arm.difference.interval) == (0.0, None)
    assert "placebo" not in found.arms


def test_nothing_is_claimed_of_a_handful_of_cases() -> None:
    """As in an exact sign test, six or seven queries must speak for one side to show anything."""
    for n, shown in ((2, False), (5, False), (7, True), (30, True)):
        found = talk_figures(audit({"reflection": "uss"}, n=n)).audit
        assert found is not None
        difference = found.arms["reflection"].difference
        assert difference is not None
        assert difference.value == pytest.approx(1 / 3)
        assert difference.is_shown is shown
    # Repeats of one query are one witness.
    repeats = [
        case(n, "uss", "sss", query="q", arms={TalkArm.REFLECTION: votes("uss")}) for n in range(30)
    ]
    found = talk_figures(repeats).audit
    assert found is not None
    difference = found.arms["reflection"].difference
    assert difference is not None
    assert (difference.interval, difference.queries) == (None, 1)


def test_an_interval_has_a_width_where_nothing_differs() -> None:
    sums = Sums()
    for _ in range(20):
        sums.add(4, 0)
    found = Difference.of(sums)
    assert found is not None
    assert found.interval is not None
    low, high = found.interval
    assert low == -high < -0.01


def test_figures_of_a_run_are_in_all_formats(workplace: Any, scripted: Start) -> None:
    server = scripted(reply)
    name = config(workplace, server.base_url, run__audit_talk=4)
    ended = workplace.safejury("run", name)
    said = " ".join(ended.out.split())
    # Five jurors: one of them changes by itself, one because of the others.
    assert "talking changed 40.0 % of 20 votes; reflection alone, 20.0 %; the difference, " in said
    assert "is not shown" in said
    assert "Whether it helped is not known without labels" in said
    report = workplace.report()
    talk = report["talk"]
    [target] = talk["targets"].values()
    assert target["changed"]["count"] == 12
    assert target["jurors"]["lawyer"]["joined"] == {"clinician": 6, "security_engineer": 6}
    assert talk["audit"]["cases"] == 4
    assert talk["audit"]["arms"]["placebo"]["difference"]["value"] == 0.0
    text = workplace.safejury("report", "runs/first", "--format", "md").out
    assert "## What talking did" in text
    assert "- Changed by lawyer: 6 of 6 votes" in text
    rows = workplace.csv()
    by_level = {row["level"]: row for row in rows}
    assert by_level["total"]["votes_changed"] == "0.4"
    assert by_level["run"]["reflection_changed"] == "0.2"
    assert by_level["run"]["talk_less_placebo"] == "0.0"
    lawyer = next(row for row in rows if row["name"] == "lawyer")
    assert lawyer["changed"] == "6"
    assert lawyer["joined"] == "clinician 6, security_engineer 6"


def test_a_report_with_labels_says_whether_talking_helped(workplace: Any, scripted: Start) -> None:
    """All cases are unsafe: talk makes two votes a case right, reflection one of them."""
    server = scripted(reply)
    name = config(workplace, server.base_url, run__audit_talk=6)
    assert workplace.safejury("run", name).code == 0
    rows = "".join(f"q{n}/examined/0,unsafe\n" for n in range(6))
    (workplace.path / "labels.csv").write_text(f"case,label\n{rows}", encoding="utf-8")
    labels = ("report", "runs/first", "--labels", "labels.csv", "--format")
    found = json.loads(workplace.safejury(*labels, "json").out)["talk"]
    text = workplace.safejury(*labels, "md").out
    for form in ("table", "csv"):
        ended = workplace.safejury(*labels, form)
        assert ("it helped (+40.0" in ended.out) == (form == "table")
        assert ("votes_wrong_to_right" in ended.out) == (form == "csv")
    labeled = found["targets"]["examined"]["labeled"]
    assert (labeled["right_to_wrong"], labeled["wrong_to_right"]) == (0, 12)
    assert labeled["verdicts_wrong_to_right"] == 6
    assert labeled["votes_right"]["value"] == pytest.approx(0.4)
    assert found["audit"]["arms"]["reflection"]["right"]["value"] == pytest.approx(0.2)
    assert "0 wrong that were right, and 12 right that were wrong: it helped (+40.0" in text
    assert "Against reflection alone, talking is not shown to help or to harm (+20.0" in text


def test_a_run_without_talk_has_the_report_that_it_had(workplace: Any, scripted: Start) -> None:
    name = config(workplace, scripted(reply).base_url, jury__protocol="vote")
    assert workplace.safejury("run", name).code == 0
    report = workplace.report()
    assert "talk" not in report
    for form in ("table", "md", "csv"):
        said = workplace.safejury("report", "runs/first", "--format", form).out
        assert "What talking did" not in said
        assert "votes_changed" not in said


def test_the_tally_reads_its_cases_once_and_keeps_none() -> None:
    """It takes any number of cases, as they come."""
    begun = 0

    def cases() -> Iterator[DiscussedCase]:
        nonlocal begun
        for number in range(2000):
            begun = number
            yield case(number, "uss", "sss")

    found = talk_figures(cases())
    assert begun == 1999
    assert found.targets["mine"].cases == 2000
    assert talk_figures([]) == TalkFigures()
    assert set(found.targets["mine"].jurors) == {"a", "b", "c"}
    assert len(SEATS) == 5
