"""Maps of categories, and settings of a set, on the command line and in a config."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from safejury.testing import ScriptedServer, ballot

Start = Callable[..., ScriptedServer]
HARM = "violence.physical_harm"
SETS = Path(__file__).parents[1] / "datasets" / "loader_samples"


@pytest.fixture
def jury(scripted: Start) -> tuple[str, ...]:
    return ("--jurors", "juror", "--url", scripted(ballot("safe", 5)).base_url)


@pytest.fixture
def table(workplace: Any) -> str:
    rows = ["id,prompt,response,intent,category", "a,A?,So.,harmful,Locks", "b,B?,So.,harmful,Rain"]
    (workplace.path / "map.yaml").write_text(f"Locks: {HARM}\n")
    return workplace.write_lines(rows, "answers.csv")


def scenarios(workplace: Any, run: str = "runs/answers") -> list[str]:
    return [
        scenario
        for (scenario,) in workplace.stored("SELECT scenario FROM cases ORDER BY case_id", run=run)
    ]


def test_a_map_holds_for_a_file_of_responses(
    workplace: Any, jury: tuple[str, ...], table: str
) -> None:
    ended = workplace.safejury("judge", table, "--categories", "map.yaml", *jury)
    assert ended.code == 0, ended.err
    assert scenarios(workplace) == [HARM, "uncategorised"]
    said = "1 question is uncategorised, because the set's category is not in 'map.yaml': 'Rain'"
    assert f"Note: responses: {said}." in ended.err
    # The same run goes on with the same map only.
    (workplace.path / "map.yaml").write_text("Locks: none\n")
    again = workplace.safejury("judge", table, "--categories", "map.yaml", *jury)
    assert again.code == 2
    assert "was judged with another scenario" in again.err


def test_a_map_of_a_target_in_a_config(workplace: Any, scripted: Start, table: str) -> None:
    targets = [{"name": "old", "responses": table, "categories": "map.yaml"}]
    url = scripted(ballot("safe", 5)).base_url
    config = workplace.config(url, targets=targets, dataset="responses")
    assert workplace.safejury("run", config).code == 0
    assert scenarios(workplace, "runs/first") == [HARM, "uncategorised"]
    workplace.safejury("run", workplace.config(url, targets=targets)).refused(
        "the target 'old' has a map of categories", "say it of the dataset"
    )
    del targets[0]["responses"]
    workplace.safejury("run", workplace.config(url, targets=targets)).refused("one of `model:`")


def test_settings_map_and_categories_of_a_set_to_judge_by(
    workplace: Any, jury: tuple[str, ...], table: str
) -> None:
    """As `safejury datasets` takes them, from wherever the config of the jury is."""
    (workplace.path / "set.csv").write_text("name,ask,kind\na,A?,Locks\nb,B?,Rain\n")
    named = ("--dataset", "csv:set.csv", "--dataset-set", "intent=benign")
    mapped = ("--dataset-map", "id=name", "--dataset-map", "text=ask", "--dataset-map")
    where = (*named, *mapped, "category=kind", "--categories", "map.yaml")
    (workplace.path / "elsewhere").mkdir()
    config = workplace.path / "elsewhere" / "safejury.yaml"
    (workplace.path / workplace.config(jury[-1])).rename(config)
    ended = workplace.safejury("judge", table, *where, "--config", str(config))
    assert ended.code == 0, ended.err
    (target,) = workplace.report("runs/answers")["targets"]
    assert (target["benign"], target["harmful"]) == (2, 0)
    assert scenarios(workplace) == [HARM, "uncategorised"]


def test_options_of_a_set_need_a_set(workplace: Any, jury: tuple[str, ...], table: str) -> None:
    def judge(*arguments: str) -> Any:
        return workplace.safejury("judge", table, *arguments, *jury)

    judge("--dataset-set", "split=test").refused("--dataset-set says how a set is read: name it")
    judge("--dataset-map", "text=ask").refused("--dataset-map says how a set is read: name it")
    named = ("--dataset", f"xstest:{SETS / 'xstest'}", "--dataset-set")
    judge(*named, "split=test").refused("xstest has no setting 'split'; known are encoding")
    judge(*named, "split").refused("--dataset-set 'split': write it as NAME=VALUE")
    (workplace.path / "map.yaml").write_text("Locks: physical_hram\n")
    judge("--categories", "map.yaml").refused(
        "map.yaml: category 'Locks': unknown", f"mean '{HARM}'"
    )
    judge("--categories", "nowhere").refused("nowhere: there is no such file, and no bundled")


def test_the_commands_on_sets_take_a_map(workplace: Any, table: str) -> None:
    mapped = (table, "--categories", "map.yaml")
    shown = workplace.safejury("datasets", "show", *mapped)
    assert shown.code == 0, shown.err
    assert "Physical Harm" in shown.out
    assert "the set's category is not in 'map.yaml': 'Rain'" in shown.err
    assert "not in 'map.yaml'" in workplace.safejury("datasets", "validate", *mapped).err
    assert HARM in workplace.safejury("datasets", "sample", *mapped).out
    assert (
        workplace.safejury("datasets", "convert", *mapped[:1], "out.jsonl", *mapped[1:]).code == 0
    )
    assert [line["scenario"] for line in workplace.lines("out.jsonl")] == [HARM, "uncategorised"]


def test_a_map_of_a_dataset_in_a_config(workplace: Any, scripted: Start) -> None:
    (workplace.path / "set.csv").write_text("id,text,category,intent\nq,A?,Locks,harmful\n")
    (workplace.path / "map.csv").write_text(f"category,scenario\nlocks,{HARM}\n")

    def reply(body: Any) -> str:
        return "So." if body["model"] == "target" else ballot("safe", 5)

    dataset = {"path": "set.csv", "categories": "map.csv"}
    config = workplace.config(scripted(reply).base_url, dataset=dataset)
    assert workplace.safejury("run", config).code == 0
    assert scenarios(workplace, "runs/first") == [HARM]
