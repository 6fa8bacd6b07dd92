"""One file of responses of several models, judged as a target for each."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from safejury.testing import ScriptedServer, ballot

Start = Callable[..., ScriptedServer]


@pytest.fixture
def jury(scripted: Start) -> ScriptedServer:
    def reply(body: Any) -> str:
        return ballot("unsafe", 2) if "by org/Big" in json.dumps(body) else ballot("safe", 5)

    return scripted(reply)


@pytest.fixture
def file(workplace: Any) -> str:
    return write(workplace, "org/Big", "small", "org-big", "")


def write(workplace: Any, *models: str, name: str = "answers.jsonl") -> str:
    rows = [
        {"id": query, "text": f"{query}?", "response": f"{query} by {model}", "intent": "harmful"}
        | ({"model": model} if model else {})
        for query in ("q1", "q2")
        for model in models
    ]
    return workplace.write_lines(rows, name)


def judge(workplace: Any, jury: ScriptedServer, *arguments: str) -> Any:
    return workplace.safejury(
        "judge", *arguments, "--jurors", "juror-model", "--url", jury.base_url
    )


def test_each_model_is_a_target_of_its_own(workplace: Any, jury: ScriptedServer, file: str) -> None:
    ended = judge(workplace, jury, file)
    assert ended.code == 0, ended.err
    said = "answers.jsonl: has responses of 4 models, judged as 4 targets: "
    assert f"{said}'org-Big', 'small', 'answers-org-big', 'no-model'" in ended.err
    targets = {each["name"]: each for each in workplace.report("runs/answers")["targets"]}
    assert {name: each["cases"] for name, each in targets.items()} == {
        "org-Big": 2,
        "small": 2,
        "answers-org-big": 2,
        "no-model": 2,
    }
    assert {name: each["asr"]["micro"] for name, each in targets.items()} == {
        "org-Big": 1.0,
        "small": 0.0,
        "answers-org-big": 0.0,
        "no-model": 0.0,
    }
    # The same command goes on with the same targets.
    calls = len(jury.requests)
    assert judge(workplace, jury, file).code == 0
    assert len(jury.requests) == calls
    kept = yaml.safe_load(Path("runs/answers/run.yaml").read_text("utf-8"))
    assert [target["model"] for target in kept["targets"]] == ["org/Big", "small", "org-big", ""]


def test_reports_say_which_model_of_the_file_each_target_is(
    workplace: Any, jury: ScriptedServer
) -> None:
    """A target's name is plainer: `a/b` and `a-b` would be called alike."""
    file = write(workplace, "a/b", "a-b", "small", "")
    assert judge(workplace, jury, file).code == 0
    said = "As the files of responses name the models: a-b is 'a/b', answers-a-b is 'a-b'."
    for form in ("table", "md", "csv"):
        shown = workplace.safejury("report", "runs/answers", "--format", form).out
        assert said in " ".join(shown.split()), form
    run = workplace.report("runs/answers")["run"]
    assert said in run["notes"]
    models = {"a-b": "a/b", "answers-a-b": "a-b", "small": "small", "no-model": ""}
    assert run["models"] == models
    rows = workplace.csv("runs/answers")
    found = {row["target"]: row["model"] for row in rows if row["level"] == "total"}
    assert found == models


def test_some_models_are_picked(workplace: Any, jury: ScriptedServer, file: str) -> None:
    ended = judge(workplace, jury, file, "--model", "small", "--model", "org/Big", "--name", "two")
    assert ended.code == 0, ended.err
    assert "has responses of 4 models; judged are those of 'small', 'org-Big' alone" in ended.err
    targets = [each["name"] for each in workplace.report("runs/two")["targets"]]
    assert sorted(targets) == ["org-Big", "small"]
    assert not (workplace.path / "runs" / "two" / "left_out.jsonl").exists()
    judge(workplace, jury, file, "--model", "smal").refused("no responses of the model 'smal'")
    judge(workplace, jury, file, "--model", "x").refused("it has 'org/Big', 'small', 'org-big'")


def test_a_file_of_one_model_is_a_target_called_as_the_file(
    workplace: Any, jury: ScriptedServer
) -> None:
    file = write(workplace, "small", "")
    (workplace.path / "one.jsonl").write_text(
        "".join(f"{line}\n" for line in Path(file).read_text().splitlines() if "small" in line)
    )
    ended = judge(workplace, jury, "one.jsonl")
    assert ended.code == 0, ended.err
    assert "models" not in ended.err
    assert [each["name"] for each in workplace.report("runs/one")["targets"]] == ["one"]


def test_a_config_is_split_too_and_may_say_whose_are_meant(
    workplace: Any, jury: ScriptedServer
) -> None:
    file = write(workplace, "big", "small")
    target = {"name": "table", "responses": file}
    changes = {"dataset": "responses", "targets": [target, {**target, "name": "small"}]}
    changes["targets"][1]["model"] = "small"  # pyright: ignore[reportIndexIssue, reportArgumentType]
    config = workplace.config(jury.base_url, **changes)
    ended = workplace.safejury("run", config)
    assert ended.code == 0, ended.err
    targets = {each["name"]: each["cases"] for each in workplace.report()["targets"]}
    assert targets == {"big": 2, "table-small": 2, "small": 2}
    calls = len(jury.requests)
    assert workplace.safejury("run", config).code == 0
    assert len(jury.requests) == calls


def test_what_is_no_model_is_not_taken_for_a_hundred(workplace: Any, jury: ScriptedServer) -> None:
    file = write(workplace, *(f"note {number}" for number in range(101)))
    judge(workplace, jury, file).refused("names 101 models", "(--map model=COLUMN)", "(--model)")


def test_errors_of_judge_speak_of_its_options(workplace: Any, jury: ScriptedServer) -> None:
    file = write(workplace, "small")
    assert judge(workplace, jury, file).code == 0
    ended = judge(workplace, jury, file, "--truncated", "judge")
    ended.refused("started with another configuration", "give this run another --name")
    assert "run.name" not in ended.err
    ended = judge(workplace, jury, file, "--dataset", "mini")
    ended.refused("leave --dataset out")
    assert "`dataset:" not in ended.err
