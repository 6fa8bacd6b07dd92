"""Reports broken down by a label of the set, by scenario or by category."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from case_results import SAFE

from safejury.datasets import Intent
from safejury.evaluation import summarize
from safejury.evaluation.trials import Plan, PlannedCases
from safejury.testing import ScriptedServer, ballot

Start = Callable[..., ScriptedServer]
KEPT = Path(__file__).with_name("record_format_2")
TABLE = """id,prompt,response,intent,kind
a,How one?,Like so.,harmful,=lock
b,How two?,Never.,harmful,=lock
c,How three?,Never.,benign,bread
d,How four?,Like so.,harmful,
"""
SUMMED = ("cases", "verdicts", "harmful", "benign")


@pytest.fixture
def labeled(workplace: Any, scripted: Start) -> str:
    """A run over three kinds of questions, one of them without a label."""

    def reply(body: Any) -> str:
        return ballot("unsafe", 1) if "Like so." in json.dumps(body) else ballot("safe", 5)

    (workplace.path / "answers.csv").write_text(TABLE)
    url = scripted(reply).base_url
    mapped = ("--map", "labels.kind=kind", "--jurors", "juror", "--url", url)
    ended = workplace.safejury("judge", "answers.csv", *mapped)
    assert ended.code == 0, ended.err
    return "runs/answers"


def by(workplace: Any, run: str, what: str, form: str) -> str:
    ended = workplace.safejury("report", run, "--by", what, "--format", form)
    assert ended.code == 0, ended.err
    return ended.out


def test_a_label_breaks_down_the_figures_and_the_rows_add_up(workplace: Any, labeled: str) -> None:
    report = json.loads(by(workplace, labeled, "labels.kind", "json"))
    (target,) = report["targets"]
    assert report["by"] == "labels.kind"
    groups = {each["value"]: each for each in target["groups"]}
    assert list(groups) == ["=lock", "bread", None]
    assert [(each["asr"]["n"], each["asr"]["micro"]) for each in groups.values()] == [
        (2, 0.5),
        (0, None),
        (1, 1.0),
    ]
    assert groups["bread"]["over_refusal"].keys() == target["over_refusal"].keys()
    assert (groups["=lock"]["sri"]["micro"], groups["=lock"]["coverage"]) == (60.0, 1.0)
    assert groups["=lock"]["asr"]["macro"] is None
    for name in SUMMED:
        assert sum(each[name] for each in groups.values()) == target[name]
    assert sum(each["asr"]["unsafe"] for each in groups.values()) == target["asr"]["unsafe"]


def test_every_format_has_the_breakdown(workplace: Any, labeled: str) -> None:
    table = by(workplace, labeled, "labels.kind", "table")
    section = table[table.index("answers: by labels.kind") :].splitlines()
    rule = next(number for number, line in enumerate(section) if set(line) == {"─"})
    named = [line.split()[0] for line in section[rule + 1 : rule + 5]]
    assert named == ["=lock", "bread", "(no", "all"]
    page = by(workplace, labeled, "labels.kind", "md")
    assert "| labels.kind | ASR % |" in page
    assert "\n| =lock | 50.0 |" in page
    assert "\n| (no label) | 100.0 |" in page
    assert "\n| **all** | 66.7 |" in page
    ended = by(workplace, labeled, "labels.kind", "csv").splitlines()
    header = ended[0].split(",")
    rows = [dict(zip(header, line.split(","), strict=True)) for line in ended[1:]]
    said = {row["name"]: row["cases"] for row in rows if row["level"] == "labels.kind"}
    assert said == {"'=lock": "2", "bread": "1", "(no label)": "1"}


def test_nothing_is_broken_down_unless_it_is_asked_for(workplace: Any, labeled: str) -> None:
    plain = workplace.report(labeled)
    assert "by" not in plain
    assert "groups" not in plain["targets"][0]
    assert not [row for row in workplace.csv(labeled) if row["level"].startswith("labels")]


def test_scenarios_and_categories_have_their_rows_at_a_terminal_too(
    workplace: Any, labeled: str
) -> None:
    assert "answers: by scenario" in by(workplace, labeled, "scenario", "table")
    assert by(workplace, labeled, "category", "table").count("answers: by category") == 1
    for what, parts in (("scenario", "scenarios"), ("category", "categories")):
        (target,) = json.loads(by(workplace, labeled, what, "json"))["targets"]
        assert {each.pop("value"): each for each in target["groups"]} == target[parts]


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("labels.kin", "no case of the run has that label (did you mean 'kind'?); its labels are"),
        ("labels.kin", "labels.kind"),
        ("kind", "--by 'kind': use scenario, category or labels.NAME"),
        ("labels.", "--by 'labels.': use scenario, category or labels.NAME"),
    ],
)
def test_what_nobody_has_is_one_line(what: str, said: str, workplace: Any, labeled: str) -> None:
    workplace.safejury("report", labeled, "--by", what).refused(said)


def test_a_record_of_before_labels_has_none(workplace: Any) -> None:
    shutil.copytree(KEPT, workplace.path / "old")
    workplace.safejury("report", "old", "--by", "labels.type").refused("its cases have no labels")
    ended = workplace.safejury("report", "old", "--by", "scenario")
    assert "first: by scenario" in ended.out


def test_labels_of_the_dataset_are_kept_in_the_record(workplace: Any, scripted: Start) -> None:
    """The set is not needed any more: the record has what it says of its queries."""
    line = {"scenario": "ethics.bioethics", "text": "Why?", "intent": "harmful"}
    workplace.queries(
        {"id": "a", **line, "labels": {"type": "lock"}},
        {"id": "b", **line, "labels": {"type": "bread"}},
    )

    def reply(body: Any) -> str:
        return "Because." if body["model"] == "target" else ballot("safe", 5)

    server = scripted(reply)
    assert workplace.safejury("run", workplace.config(server.base_url)).code == 0
    (workplace.path / "queries.jsonl").unlink()
    (target,) = json.loads(by(workplace, "runs/first", "labels.type", "json"))["targets"]
    assert [each["value"] for each in target["groups"]] == ["bread", "lock"]
    assert workplace.safejury("verify", "runs/first").code == 0


def test_rows_label_no_questions_of_a_dataset(workplace: Any) -> None:
    workplace.queries()
    rows = [{"query_id": "q1", "response": "So.", "kind": "x"}]
    name = workplace.write_lines(rows)
    mapped = ("--map", "labels.kind=kind", "--dataset", "queries.jsonl")
    workplace.safejury("judge", name, *mapped).refused("'labels.kind'", "which the dataset has")


CASE = replace(SAFE, scenario="ethics.bioethics", labels={"type": "lock"})


def test_repeats_of_a_query_stay_one_query_in_its_row() -> None:
    cases = [replace(CASE, epoch=epoch) for epoch in range(3)]
    (target,) = summarize([*cases, replace(CASE, query_id="r")], by="labels.type").targets
    (group,) = target.groups
    assert (group.figures.asr.n, group.figures.asr.queries) == (4, 2)
    assert group.figures.asr.interval == target.asr.interval


def test_repeats_with_other_labels_stay_one_query_of_the_target() -> None:
    """As the test cases of a behavior, which one attack or another has made."""
    cases = [replace(CASE, epoch=epoch, labels={"by": "ab"[epoch % 2]}) for epoch in range(6)]
    (target,) = summarize(cases, by="labels.by").targets
    assert (target.asr.n, target.asr.queries) == (6, 1)
    assert target.asr == summarize(cases).targets[0].asr
    groups = [(group.value, group.figures.asr.n) for group in target.groups]
    assert groups == [("a", 3), ("b", 3)]
    assert [group.figures.asr.queries for group in target.groups] == [1, 1]


def test_of_an_unfinished_run_no_row_looks_complete() -> None:
    kind = PlannedCases("mine", "", "ethics.bioethics", Intent.HARMFUL, 9)
    (target,) = summarize([CASE], by="labels.type", plan=Plan.of([kind])).targets
    (group,) = target.groups
    assert (group.figures.planned, group.figures.coverage, group.figures.asr.bounds) == (
        None,
        None,
        None,
    )
    whole = Plan.of([kind._replace(cases=1)])
    (target,) = summarize([CASE], by="labels.type", plan=whole).targets
    assert (target.groups[0].figures.planned, target.groups[0].figures.coverage) == (1, 1.0)
