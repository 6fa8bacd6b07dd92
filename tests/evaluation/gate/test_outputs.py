"""The files of a gate: for test reports, code scanning, pull requests and programs."""

import json
import os
import re
import stat
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from compared import WORDS, Judging
from gated import Gating, found, judged

RULES = ("--fail-if", "asr > 15%", "--fail-if", "sri < 60", "--min-coverage", "0")
FILES = ("--junit", "j.xml", "--sarif", "s.sarif", "--markdown", "m.md", "--json", "g.json")
# From JUnit.xsd of Ant's reports, the strictest of the schemas in use.
SUITE = ("name", "timestamp", "hostname", "tests", "failures", "errors", "time", "package", "id")
CHILDREN = re.compile(r"properties( testcase)* system-out system-err")


def read(gating: Gating) -> dict[str, str]:
    """Return the files of a gate, which only their owner can read."""
    found = {name: gating.place.path / name for name in FILES[1::2]}
    for path in found.values():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    return {name: path.read_text("utf-8") for name, path in found.items()}


def checked_junit(text: str) -> ElementTree.Element:
    """Return the suite of a JUnit file, after a look at what the schema asks for."""
    root = ElementTree.fromstring(text)
    assert (root.tag, dict(root.attrib)) == ("testsuites", {})
    (suite,) = root
    assert set(SUITE) <= set(suite.attrib) <= {*SUITE, "skipped"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.attrib["timestamp"])
    assert CHILDREN.fullmatch(" ".join(child.tag for child in suite))
    cases = suite.findall("testcase")
    assert int(suite.attrib["tests"]) == len(cases)
    for kind, name in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(suite.attrib[kind]) == sum(case.find(name) is not None for case in cases)
    for case in cases:
        assert set(case.attrib) == {"name", "classname", "time"}
        assert len(case) <= 1
        assert case.attrib["name"] == " ".join(case.attrib["name"].split())
        for said in case:
            assert set(said.attrib) == {"message", *(["type"] if said.tag != "skipped" else [])}
    return suite


def checked_sarif(text: str) -> dict[str, Any]:
    """Return the run of a SARIF file, after a look at what the schema asks for."""
    log = json.loads(text)
    assert set(log) == {"$schema", "version", "runs"}
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert len(rules) == len(run["tool"]["driver"]["rules"])
    for result in run["results"]:
        assert result["ruleId"] in rules
        assert result["level"] in ("error", "warning")
        assert result["message"]["text"]
        assert all(isinstance(each, str) for each in result["partialFingerprints"].values())
    return run


def test_all_files_say_what_the_screen_says(gating: Gating, several: Path) -> None:
    ended = gating.ask(several, *RULES, *FILES)
    assert ended.code == 1, ended.err
    files = read(gating)
    suite = checked_junit(files["j.xml"])
    assert (suite.attrib["tests"], suite.attrib["failures"]) == ("8", "5")
    named = {case.attrib["name"]: [said.tag for said in case] for case in suite.iter("testcase")}
    assert named["asr > 15% (careful)"] == []
    assert named["asr > 15% (eager)"] == ["failure"]
    types = {said.attrib["type"] for said in suite.iter("failure")}
    assert types == {"failed", "no_verdict"}
    data = json.loads(files["g.json"])
    assert (data["exit_code"], data["passed"], len(data["checks"])) == (1, False, 8)
    assert len(checked_sarif(files["s.sarif"])["results"]) == 5
    markdown = files["m.md"]
    assert markdown.startswith("### \N{CROSS MARK} Gate of ")
    assert "| asr &gt; 15% | eager | FAILED | 20.0 |" in markdown
    for check in data["checks"]:
        if not check["accepted"]:
            assert check["explanation"] in " ".join(ended.out.split()).replace("| ", "")
            escaped = check["explanation"].replace(">", "&gt;")
            assert escaped in markdown


def test_what_the_policy_accepts_is_a_skipped_test(gating: Gating, good: Path) -> None:
    policy = gating.policy("cannot_tell: pass\nfail_if: [asr > 5%]\n")
    assert gating.ask(good, "--policy", policy, "--junit", "j.xml").code == 0
    suite = checked_junit((gating.place.path / "j.xml").read_text())
    assert (suite.attrib["failures"], suite.attrib["skipped"]) == ("0", "1")


def test_that_a_run_is_not_fit_is_an_error_in_every_file(gating: Gating, several: Path) -> None:
    assert gating.ask(several, "--fail-if", "asr > 99%", *FILES).code == 3
    files = read(gating)
    suite = checked_junit(files["j.xml"])
    assert int(suite.attrib["errors"]) == 1
    (result,) = (
        each for each in checked_sarif(files["s.sarif"])["results"] if each["ruleId"] == "unfit-run"
    )
    assert result["level"] == "error"
    assert "not fit to be decided by" in files["m.md"]
    assert json.loads(files["g.json"])["unfit"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("runs/none", "--fail-if", "asr > 5%"), 2),
        (("{run}", "--fail-if", "asrr > 5%"), 2),
        (("{run}", "--policy", "none.yaml"), 2),
        (("{run}",), 2),
    ],
)
def test_files_of_an_earlier_gate_do_not_stay_where_it_cannot_decide(
    arguments: tuple[str, ...], code: int, gating: Gating, good: Path
) -> None:
    """A pipeline that reads only the files would take the earlier result for this one's."""
    assert gating.ask(good, "--fail-if", "asr > 10%", *FILES).code == 0
    run, *more = (part.replace("{run}", str(good)) for part in arguments)
    ended = gating.ask(run, *more, *FILES)
    assert ended.code == code
    files = read(gating)
    assert int(checked_junit(files["j.xml"]).attrib["errors"]) == 1
    data = json.loads(files["g.json"])
    assert (data["passed"], data["exit_code"]) == (False, code)
    assert data["error"] in ended.err
    run = checked_sarif(files["s.sarif"])
    assert run["invocations"][0]["executionSuccessful"] is False
    assert "not decided" in files["m.md"]


def test_a_result_of_sarif_stands_at_its_rule_in_the_policy(gating: Gating, bad: Path) -> None:
    policy = gating.policy("fail_if:\n  - sri < 50\n  - asr > 15%\n")
    gating.ask(bad, "--policy", policy, "--sarif", "s.sarif")
    run = checked_sarif((gating.place.path / "s.sarif").read_text())
    (result,) = run["results"]
    (location,) = result["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "gate.yaml", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 3},
    }
    before = result["ruleId"], result["partialFingerprints"]
    policy = gating.policy("fail_if:\n  - asr > 15%\n")
    gating.ask(bad, "--policy", policy, "--sarif", "s.sarif")
    (again,) = checked_sarif((gating.place.path / "s.sarif").read_text())["results"]
    assert (again["ruleId"], again["partialFingerprints"]) == before


def test_unsafe_cases_are_results_without_their_words(gating: Gating, bad: Path) -> None:
    assert (
        gating.ask(bad, "--fail-if", "asr > 50%", "--sarif", "s.sarif", "--sarif-cases").code == 0
    )
    text = (gating.place.path / "s.sarif").read_text()
    results = checked_sarif(text)["results"]
    assert [each["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] for each in results][
        :2
    ] == ["h00/mine/0", "h01/mine/0"]
    assert len(results) == 12
    assert WORDS["unsafe"] not in text
    assert "Question" not in text
    gating.ask(bad, "--fail-if", "asr > 5%", "--sarif-cases").refused("--sarif FILE")


def test_markdown_goes_to_the_screen_for_a_summary_of_a_job(gating: Gating, bad: Path) -> None:
    """As in `safejury gate … --markdown - >> "$GITHUB_STEP_SUMMARY"`; the table is in the log."""
    ended = gating.ask(bad, "--fail-if", "asr > 15%", "--markdown", "-")
    assert ended.code == 1
    assert ended.out.startswith("### \N{CROSS MARK} Gate of ")
    assert "| --- |" in ended.out
    assert "rule" in ended.err
    assert "FAILED" in ended.err
    assert "| --- |" not in ended.err
    assert not (gating.place.path / "-").exists()


def test_names_cannot_break_out_of_any_file(gating: Gating, judging: Judging) -> None:
    """Targets, rules and categories are named by others."""
    run = judged(judging, "named", {"mine": found(12)})
    name = 'x](http://e.example) <img src=x> @team `|` "&'
    said = json.dumps(f"{name} \x1b[31m\ufffe")
    policy = gating.policy(f"fail_if:\n  - rule: asr > 5%\n    name: {said}\n")
    ended = gating.ask(run, "--policy", policy, *FILES)
    assert ended.code == 1
    assert "\x1b" not in ended.out
    files = read(gating)
    suite = checked_junit(files["j.xml"])
    assert suite.findall("testcase")[0].attrib["name"].startswith(name)
    assert "<img" not in files["m.md"]
    assert "@team" not in files["m.md"]
    assert "](http" not in files["m.md"].replace("\\]", "")
    rows = [line for line in files["m.md"].splitlines() if line.startswith("| \N{CROSS MARK}")]
    assert [len(re.findall(r"(?<!\\)\|", row)) for row in rows] == [12]
    assert checked_sarif(files["s.sarif"])["results"][0]["message"]["text"].startswith(name)


@pytest.mark.skipif(sys.platform == "darwin", reason="its names of files are UTF-8")
def test_a_run_whose_name_is_no_utf_8_is_decided(gating: Gating, judging: Judging) -> None:
    run = judged(judging, "named", {"mine": found(12)})
    odd = run.rename(run.with_name(os.fsdecode(b"odd-\xff\xe2\x80\xae")))
    policy = gating.policy("fail_if:\n  - rule: asr > 5%\n", os.fsdecode(b"policy-\xff.yaml"))
    ended = gating.ask(odd, "--policy", policy, *FILES)
    assert ended.code == 1, ended.err
    files = read(gating)
    checked_junit(files["j.xml"])
    checked_sarif(files["s.sarif"])
    assert json.loads(files["g.json"])["run"] == str(odd)
    assert all("\u202e" not in text for text in files.values())


def test_outputs_that_cannot_be_written_are_refused_before_anything_is_decided(
    gating: Gating, workplace: Any, good: Path
) -> None:
    def refused(said: str, *options: str) -> None:
        ended = gating.ask(good, "--fail-if", "asr > 10%", *options)
        ended.refused(said)
        assert ended.out == ""

    refused("none/j.xml: cannot be written", "--junit", "none/j.xml")
    refused("cannot be written", "--json", str(workplace.path))
    refused("two of the outputs", "--json", "a", "--sarif", "a")
    if os.geteuid() != 0:  # whom no permission stops
        (workplace.path / "kept").mkdir(mode=0o500)
        refused("kept/j.xml: cannot be written", "--junit", "kept/j.xml")


def test_the_screen_fits_and_says_all_at_80_and_120_columns(
    gating: Gating, several: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for width in (80, 120):
        monkeypatch.setenv("COLUMNS", str(width))
        ended = gating.ask(several, *RULES)
        assert max(map(len, ended.out.splitlines())) <= width
        for said in ("rule", "result", "decides", "bound", "FAILED", "cannot tell", "passed"):
            assert said in ended.out
