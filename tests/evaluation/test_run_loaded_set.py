"""Runs on sets of other projects, and on sets with scenarios of their own."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from safejury.datasets import write_jsonl
from safejury.testing import ScriptedServer, ballot

Start = Callable[..., ScriptedServer]
TABLE = "prompt,kind\nHow is a lock picked?,bias\nWhy?,hate speech\n,bias\nWho?,soup\n"
OWN = {
    "scenarios": [
        {"id": "garden", "title": "Garden and Yard"},
        {
            "id": "weeds",
            "title": "Tall Weeds",
            "parent": "garden",
            "guideline": "Unsafe: pulling the tulips.",
        },
        {"id": "kitchen", "title": "Kitchen"},
        {"id": "fire", "title": "Open Fire", "parent": "kitchen"},
    ]
}


def table(workplace: Any) -> dict[str, Any]:
    (workplace.path / "theirs").mkdir()
    (workplace.path / "theirs" / "own.csv").write_text(TABLE)
    return {"loader": "csv", "path": "theirs/own.csv", "map": {"category": "kind"}}


def scenarios(workplace: Any) -> dict[str, str]:
    return dict(workplace.stored("SELECT query_id, scenario FROM cases ORDER BY case_id"))


def test_a_table_is_asked_by_its_mapping(workplace: Any, scripted: Start):
    server = scripted()
    config = workplace.config(server.base_url, dataset=table(workplace))
    ended = workplace.safejury("run", config, "--allow-skipped")
    assert ended.code == 0, ended.err
    assert scenarios(workplace) == {
        "own-1": "inappropriate_opinions.bias",
        "own-2": "inappropriate_speech.hate_speech",
        "own-4": "uncategorised",
    }
    assert "1 item is left out: own.csv, row 3: has no text" in ended.err
    listed = workplace.lines("runs/first/dataset_left_out.jsonl")
    assert listed == [{"place": "own.csv, row 3", "why": "has no text"}]
    notes = workplace.report()["run"]["notes"]
    assert any("1 of 4 items of the set was skipped and not asked" in note for note in notes)
    calls = server.stats.calls
    ended = workplace.safejury("run", config)
    assert ended.code == 3
    reason = "1 of 4 items of the set was skipped, counted as cases without a verdict"
    assert reason in ended.err.splitlines()[-1]
    assert server.stats.calls == calls


def test_a_limit_of_the_set_holds_for_our_own_format(workplace: Any, scripted: Start):
    dataset = {"path": "queries.jsonl", "limit": 2}
    config = workplace.config(scripted().base_url, dataset=dataset)
    assert workplace.safejury("run", config).code == 0
    assert list(scenarios(workplace)) == ["q1", "q2"]


def test_a_set_by_its_loaders_name(workplace: Any, scripted: Start):
    folder: Path = workplace.path / "sb" / "SafeBench_Text"
    folder.mkdir(parents=True)
    (folder / "3.csv").write_text("One?\nTwo?\n")
    config = workplace.config(scripted().base_url, dataset="safebench:sb")
    workplace.safejury("run", config).refused("has no pictures")
    dataset = {"loader": "safebench", "path": "sb", "settings": {"pictures": "no"}}
    config = workplace.config(scripted().base_url, dataset=dataset)
    assert workplace.safejury("run", config).code == 0
    assert scenarios(workplace) == dict.fromkeys(("3-1", "3-2"), "consultation.investment_advice")
    assert workplace.report()["run"]["dataset"]["name"] == "safebench:sb"


def test_what_a_query_asks_for_in_all_is_for_the_jury_alone(workplace: Any, scripted: Start):
    asked: dict[str, str] = {}

    def reply(body: Any) -> str:
        asked[body["model"]] = json.dumps(body["messages"])
        return "Knead it." if body["model"] == "target" else ballot("safe", 5)

    request = "Ways to bake bread"
    line = {"id": "w", "scenario": "MG", "text": "Write it out.", "intent": "harmful"}
    workplace.queries({**line, "underlying_request": request})
    config = workplace.config(scripted(reply).base_url)
    assert workplace.safejury("run", config).code == 0
    assert request not in asked.pop("target")
    assert all(request in words for words in asked.values())
    withheld = workplace.safejury("show", "runs/first", "w").out
    assert "What it asks for, as its set says" in withheld
    assert request not in withheld
    assert request in workplace.safejury("show", "runs/first", "w", "--reveal").out
    for name, options, shown in (("a.md", (), False), ("b.md", ("--reveal",), True)):
        workplace.safejury("show", "runs/first", "w", "--export", name, *options)
        assert (request in (workplace.path / name).read_text()) is shown
    assert request not in workplace.safejury("datasets", "sample", "queries.jsonl").out
    assert request in workplace.safejury("datasets", "sample", "queries.jsonl", "--reveal").out
    # Another request is another query.
    workplace.queries({**line, "underlying_request": "Ways to make tea"})
    workplace.safejury("run", config).refused("another underlying request")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"strict": True}, ("strict", "row 3: has no text")),
        ({"limit": 0}, ("safejury.yaml:", "dataset.limit")),
        ({"maps": {}}, ("safejury.yaml:", "unknown key 'maps' (did you mean 'map'?)")),
        ({"path": None}, ("safejury.yaml:", "dataset.path")),
        ({"path": "no.csv"}, ("no.csv", "there is no such path")),
        ({"loader": "cvs"}, ("no loader 'cvs' (did you mean 'csv'?)",)),
        ({"settings": {"intent": "evil"}}, ("must be harmful or benign",)),
        ({"map": {"text": "nothing"}}, ("has no column 'nothing'",)),
    ],
)
def test_a_set_that_cannot_be_used(
    changes: dict[str, object], said: tuple[str, ...], workplace: Any
):
    config = workplace.config(dataset={**table(workplace), **changes})
    workplace.safejury("run", config).refused(*said)
    assert not (workplace.path / "runs").exists()


def test_a_dataset_of_the_wrong_kind_is_shown_with_its_line(workplace: Any):
    workplace.safejury("run", workplace.config(dataset={"loader": "csv"})).refused(
        "safejury.yaml:", "the key 'dataset.path' is missing"
    )
    workplace.safejury("run", workplace.config(dataset=3)).refused("safejury.yaml:1: dataset")


def own_set(workplace: Any, *, name: str = "made") -> str:
    folder: Path = workplace.path / name
    folder.mkdir()
    (folder / "taxonomy.yaml").write_text(json.dumps(OWN))
    rows = [
        {"id": "w", "scenario": "weeds", "text": "Why weeds?", "intent": "harmful"},
        {"id": "f", "scenario": "Open Fire", "text": "Why fire?", "intent": "benign"},
    ]
    (folder / "set.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return name


def test_a_set_with_scenarios_of_its_own(workplace: Any, scripted: Start):
    asked: list[str] = []

    def reply(body: Any) -> str:
        asked.append(json.dumps(body["messages"]))
        return "An answer." if body["model"] == "target" else ballot("safe", 5)

    server = scripted(reply)
    config = workplace.config(server.base_url, dataset=own_set(workplace))
    assert workplace.safejury("run", config).code == 0
    assert scenarios(workplace) == {"w": "garden.weeds", "f": "kitchen.fire"}
    assert any("Unsafe: pulling the tulips." in words for words in asked)
    # Offline: the record knows the titles.
    (workplace.path / "made" / "taxonomy.yaml").unlink()
    shown = workplace.safejury("show", "runs/first", "w").out
    assert "Tall Weeds" in shown
    assert "Garden and Yard" in shown
    exported = workplace.path / "w.md"
    workplace.safejury("show", "runs/first", "w", "--export", str(exported))
    assert "Tall Weeds" in exported.read_text()
    target = workplace.report()["targets"][0]
    assert set(target["scenarios"]) == {"garden.weeds", "kitchen.fire"}
    assert "garden" in workplace.safejury("report", "runs/first").out


def test_a_sets_own_scenarios_are_listed_and_judged_by(workplace: Any, scripted: Start):
    asked: list[str] = []

    def reply(body: Any) -> str:
        asked.append(json.dumps(body["messages"]))
        return ballot("safe", 5)

    config, name = workplace.config(scripted(reply).base_url), own_set(workplace)
    listed = workplace.safejury("scenarios", "--taxonomy", name).out
    assert "garden.weeds" in listed
    assert "cybersecurity" not in listed
    file = f"{name}/taxonomy.yaml"
    assert (
        "Unsafe: pulling the tulips."
        in workplace.safejury("scenarios", "weeds", "--taxonomy", file).out
    )
    said = ("--question", "Why weeds?", "--response", "They grow.", "--config", config)
    judged = workplace.safejury("deliberate", *said, "--scenario", "weeds", "--taxonomy", name).out
    assert "Tall Weeds" in judged
    assert any("Unsafe: pulling the tulips." in words for words in asked)
    workplace.safejury("deliberate", *said, "--scenario", "weeds").refused(
        "unknown scenario 'weeds'"
    )
    workplace.safejury("scenarios", "--taxonomy", "nowhere").refused("nowhere")


def test_scenarios_are_chosen_by_the_sets_own_names(workplace: Any, scripted: Start):
    config = workplace.config(
        scripted().base_url, dataset=own_set(workplace), scenarios=["Tall Weeds"]
    )
    assert workplace.safejury("run", config).code == 0
    assert scenarios(workplace) == {"w": "garden.weeds"}
    config = workplace.config(dataset="made", scenarios=["malware_generation"])
    workplace.safejury("run", config).refused("unknown scenario 'malware_generation'")


def test_another_guideline_is_another_run(workplace: Any, scripted: Start):
    config = workplace.config(scripted().base_url, dataset=own_set(workplace))
    assert workplace.safejury("run", config).code == 0
    other = json.dumps(OWN).replace("tulips", "roses")
    (workplace.path / "made" / "taxonomy.yaml").write_text(other)
    workplace.safejury("run", config).refused("words")


def test_a_broken_taxonomy_is_refused_before_the_first_call(workplace: Any):
    own_set(workplace)
    circle = [
        {"id": "a", "title": "A", "parent": "b"},
        {"id": "b", "title": "B", "parent": "a"},
    ]
    (workplace.path / "made" / "taxonomy.yaml").write_text(json.dumps({"scenarios": circle}))
    workplace.safejury("run", workplace.config(dataset="made")).refused(
        "made/taxonomy.yaml", "its parents go in a circle: a → b → a"
    )


def test_recorded_responses_name_scenarios_of_a_taxonomy_beside_them(
    workplace: Any, scripted: Start
):
    folder = workplace.path / own_set(workplace)
    rows = [{"id": "w", "text": "Why?", "scenario": "weeds", "response": "So."}]
    workplace.write_lines(rows, "made/answers.jsonl")
    targets = [{"name": "old", "responses": str(folder / "answers.jsonl")}]
    config = workplace.config(scripted().base_url, dataset="responses", targets=targets)
    ended = workplace.safejury("run", config)
    assert ended.code == 0, ended.err
    assert scenarios(workplace) == {"w": "garden.weeds"}
    assert "Tall Weeds" in workplace.safejury("show", "runs/first", "w").out


def test_judge_takes_the_questions_from_a_loaded_set(workplace: Any, scripted: Start):
    table(workplace)
    server = scripted()
    (workplace.path / "deep").mkdir()
    workplace.write_lines([{"query_id": "own-2", "response": "So."}])
    config = workplace.config(server.base_url)
    (workplace.path / config).rename(workplace.path / "deep" / config)
    ended = workplace.safejury(
        *("judge", "answers.jsonl", "--config", f"deep/{config}", "--min-coverage", "0"),
        *("--dataset", "theirs/own.csv"),
    )
    assert ended.code == 0, ended.err
    asked = "SELECT query_id, finding FROM cases ORDER BY query_id"
    assert workplace.stored(asked, run="runs/answers") == [
        ("own-1", None),
        ("own-2", "safe"),
        ("own-4", None),
    ]


def test_a_private_copy_is_for_the_owner_alone(tmp_path: Path):
    (tmp_path / "open").mkdir(mode=0o755)
    write_jsonl(tmp_path / "open" / "a.jsonl", [], private=False)
    write_jsonl(tmp_path / "open" / "b.jsonl", [], private=True)
    modes = {path.name: path.stat().st_mode & 0o077 for path in (tmp_path / "open").iterdir()}
    assert modes["b.jsonl"] == 0
    assert modes["a.jsonl"] != 0
