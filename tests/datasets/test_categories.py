"""A user's own map of categories to scenarios."""

import json
from pathlib import Path

import pytest

from safejury.common import DatasetError
from safejury.datasets import LoadedSet, find_set, load_set

SAMPLES = Path(__file__).with_name("loader_samples")
TABLE = "text,category\nA?,Fraud\nB?,weather\nC?,Locks\nD?,bias\nE?,\n"
FRAUD = "illegal_and_criminal_behavior.fraudulent_activities"
HARM = "violence.physical_harm"
NONE = "uncategorised"
YAML = f"""
Fraud: {FRAUD}
Weather: none
locks: {{scenario: physical harm, reason: they break doors}}
"""


def table(folder: Path, mapped: str, name: str = "map.yaml") -> LoadedSet:
    (folder / "own.csv").write_text(TABLE)
    (folder / name).write_text(mapped)
    return load_set("csv", folder / "own.csv", categories=folder / name)


def scenarios(loaded: LoadedSet) -> list[str]:
    return [query.scenario for query in loaded]


@pytest.mark.parametrize(
    ("name", "mapped"),
    [
        ("map.yaml", YAML),
        ("map.yml", "categories:" + YAML.replace("\n", "\n  ")),
        ("map.csv", f"category,scenario,reason\nFRAUD,{FRAUD},\nweather,,rain\nLocks,VI.PH,\n"),
        ("map.tsv", f"scenario\tcategory\n{FRAUD}\tfraud\nnone\tWeather\n{HARM}\tLocks\n"),
    ],
)
def test_categories_are_those_that_a_file_says(name: str, mapped: str, tmp_path: Path) -> None:
    """What the file does not name is uncategorised, even where it is the name of a scenario."""
    loaded = table(tmp_path, mapped, name)
    assert scenarios(loaded) == [FRAUD, NONE, HARM, NONE, NONE]
    why = "1 item is uncategorised, because the set's category"
    assert loaded.notes_on_categories == (
        f"{why} has no counterpart among our scenarios: 'weather'",
        f"{why} is not in {name!r}: 'bias'",
    )


def test_a_map_overrules_that_of_a_loader() -> None:
    path = SAMPLES / "xstest"
    assert set(scenarios(load_set("xstest", path))) > {NONE}
    (said,) = set(scenarios(load_set("xstest", path, categories="figstep")))
    assert said == NONE


def test_a_bundled_map_is_named_and_holds_for_lines_of_json_too(tmp_path: Path) -> None:
    lines = [
        {"text": "A?", "category": "Privacy"},
        {"text": "B?", "category": "Physical harm", "id": "b"},
    ]
    path = tmp_path / "own.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    loaded = find_set(str(path), categories="JailbreakBench")
    assert [query.scenario for query in loaded] == [
        "confidential_information.personal_privacy",
        HARM,
    ]


@pytest.mark.parametrize(
    ("mapped", "said"),
    [
        ("Fraud: fraudulent_activites\n", "category 'Fraud': unknown scenario"),
        ("Fraud: fraudulent_activites\n", f"did you mean '{FRAUD}'"),
        ("Fraud: [a]\n", "is not a valid category map"),
        ("Fraud: {scenari: a}\n", "unknown field `scenari`"),
        ("- Fraud\n", "is not a valid category map"),
        ("Fraud: none\nfraud: bias\n", "category 'fraud' is there twice"),
        ("Fraud: none\nFraud: bias\n", "the key 'Fraud' is given twice"),
        ("Fraud: {scenario: none, scenario: bias}\n", "the key 'scenario' is given twice"),
        ("{}\n", "has no categories"),
        ("Fraud: [\n", "is not a valid category map"),
    ],
)
def test_a_map_that_cannot_be_used_is_one_line(mapped: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError) as error:
        table(tmp_path, mapped)
    assert str(error.value).startswith(f"{tmp_path / 'map.yaml'}: ")
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_csv_without_the_columns_and_a_map_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"map\.csv: has no column 'scenario'; its columns are"):
        table(tmp_path, "category,id\n", "map.csv")
    with pytest.raises(DatasetError, match=r"no bundled mapping of that name .did you mean 'xstes"):
        load_set("csv", tmp_path / "own.csv", categories="xtest")
    with pytest.raises(DatasetError, match="takes no mapping, settings or categories"):
        find_set("mini", categories="xstest")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(DatasetError, match=r"folder\.csv: cannot be read: "):
        load_set("csv", tmp_path / "own.csv", categories=tmp_path / "folder.csv")


def test_a_set_with_scenarios_of_its_own_takes_no_bundled_map(tmp_path: Path) -> None:
    fire = "{id: fire, parent: kitchen, title: Fire, definition: Fires., guideline: 'Unsafe: x'}"
    own = f"scenarios:\n  - {{id: kitchen, title: Kitchen}}\n  - {fire}\n"
    (tmp_path / "taxonomy.yaml").write_text(own)
    assert scenarios(table(tmp_path, "Fraud: fire\n"))[0] == "kitchen.fire"
    with pytest.raises(DatasetError, match="'xstest' is to the bundled scenarios, but the set has"):
        load_set("csv", tmp_path / "own.csv", categories="xstest")
