"""The tables that say which of our scenarios a set's own categories are."""

import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
import pytest
import yaml

from safejury.datasets import LoadedSet, crosswalk, load_set, load_taxonomy

TABLES = Path(__file__).parents[2] / "datasets" / "loaders" / "mappings"
SCENARIOS = {scenario.id for scenario in load_taxonomy().scenarios}
NONE = "uncategorised"
HARM = "violence.physical_harm"
CHILD = "illegal_and_criminal_behavior.child_abuse"
SEXUAL = "illegal_and_criminal_behavior.pornographic_content"
COLUMNS: dict[str, dict[str, str]] = {
    "ailuminate": {"id": "release_prompt_id", "text": "prompt_text", "category": "hazard"},
    "harmbench": {"id": "BehaviorID", "text": "Behavior", "category": "SemanticCategory"},
    "jailbreakbench": {"id": "Behavior", "text": "Goal", "category": "Category"},
    "strongreject": {"id": "source", "text": "forbidden_prompt", "category": "category"},
}
"""The columns of sets in CSV, by what a test gives them."""


class Entry(msgspec.Struct, forbid_unknown_fields=True):
    reason: str
    scenario: str | None
    rows: dict[str, list[str]] = {}


def entries(loader: str) -> Mapping[str, str | Entry]:
    content = yaml.safe_load((TABLES / f"{loader}.yaml").read_text())
    return msgspec.convert(content["categories"], dict[str, str | Entry])


def read(folder: Path, loader: str, rows: Iterable[tuple[str, str]]) -> LoadedSet:
    """Read a set of harmless texts with these ids and categories."""
    columns = COLUMNS[loader]
    with (folder / f"{loader}.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(columns.values())
        table.writerows((name, "How is a kite flown?", category) for name, category in rows)
    return load_set(loader, folder / f"{loader}.csv")


@pytest.mark.parametrize("path", sorted(TABLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_category_is_a_scenario_or_says_why_not(path: Path) -> None:
    """What is no scenario by another name carries a reason: two categories of one, or none."""
    found = entries(path.stem)
    plain = {name: scenario for name, scenario in found.items() if isinstance(scenario, str)}
    assert max(Counter(plain.values()).values(), default=1) == 1
    assert SCENARIOS.issuperset(plain.values())
    for name, entry in found.items():
        if isinstance(entry, str):
            continue
        assert entry.reason.isprintable(), name
        assert len(entry.reason.split()) > 2, name
        assert entry.scenario in {None, *SCENARIOS}, name
        assert entry.rows.keys() <= {NONE, *SCENARIOS}, name
        rows = [row for rows in entry.rows.values() for row in rows]
        assert len(rows) == len(set(rows)), name


def test_a_hazard_of_mlcommons_is_what_the_crosswalk_says() -> None:
    for hazard, entry in entries("ailuminate").items():
        scenario = entry if isinstance(entry, str) else entry.scenario
        if scenario is not None:
            near = crosswalk().scenarios[scenario].mlcommons
            assert hazard.removesuffix("_prn") in near


@pytest.mark.parametrize(
    ("loader", "name", "category", "scenario"),
    [
        ("ailuminate", "a", "src", NONE),
        ("ailuminate", "a", "spc_ele", NONE),
        ("ailuminate", "a", "ncr", NONE),
        ("ailuminate", "a", "sxc_prn", SEXUAL),
        ("ailuminate", "a", "vcr", HARM),
        ("harmbench", "rootkit_code_obfuscation_mac_osx_1", "cybercrime_intrusion", "malware"),
        ("harmbench", "blind_sql_injection_log_evasion", "cybercrime_intrusion", "exploitation"),
        ("harmbench", "email_laura_smith_click_link", "cybercrime_intrusion", "fraudulent"),
        ("harmbench", "us_defense_agency_hack_plan", "cybercrime_intrusion", "penetration"),
        ("harmbench", "voting_machine_hacking_instructions", "cybercrime_intrusion", "hardware"),
        ("harmbench", "solve_captcha_1", "cybercrime_intrusion", NONE),
        ("jailbreakbench", "Keylogger script", "Malware/Hacking", "malware"),
        ("jailbreakbench", "Network hacking", "Malware/Hacking", "penetration"),
        ("jailbreakbench", "Exam cheating", "Malware/Hacking", NONE),
        ("jailbreakbench", "Pedophilia", "Sexual/Adult content", CHILD),
        ("jailbreakbench", "Porn generation", "Sexual/Adult content", SEXUAL),
        ("jailbreakbench", "Unprotected sex", "Sexual/Adult content", NONE),
        ("jailbreakbench", "Phishing", "Privacy", "fraudulent"),
        ("jailbreakbench", "Location tracking", "Privacy", "personal_privacy"),
        ("strongreject", "a", "Non-violent crimes", NONE),
        ("strongreject", "a", "Violence", HARM),
    ],
)
def test_a_row_goes_where_it_belongs(
    loader: str, name: str, category: str, scenario: str, tmp_path: Path
) -> None:
    (query,) = read(tmp_path, loader, [(name, category)])
    assert scenario in query.scenario


def test_rows_of_a_set_without_ids_go_by_their_number(tmp_path: Path) -> None:
    rows = [("a", "Sexual content")] * 213
    queries = list(read(tmp_path, "strongreject", rows))
    assert {query.scenario for query in queries} == {SEXUAL}
    (tmp_path / "strongreject.csv").rename(tmp_path / "strongreject_dataset.csv")
    scenarios = [query.scenario for query in load_set("strongreject", tmp_path)]
    assert [number for number, each in enumerate(scenarios, 1) if each == CHILD] == [212]


def test_what_has_no_counterpart_is_told_by_the_category(tmp_path: Path) -> None:
    rows = [("Exam cheating", "Malware/Hacking"), ("Unprotected sex", "Sexual/Adult content")]
    (note,) = read(tmp_path, "jailbreakbench", rows).notes
    assert note == (
        "2 items are uncategorised, because the set's category has no counterpart among our "
        "scenarios: 'Malware/Hacking', 'Sexual/Adult content/Unprotected sex'"
    )


def test_violent_crimes_have_one_scenario_in_all_sets_that_name_them(tmp_path: Path) -> None:
    kinds = ("Mass violence", "Murder", "Physical assault", "Terror", "Reckless endangerment")
    rows = [
        f"Violent Crimes,{kind},case_{number},How is peace kept?,assistance"
        for number, kind in enumerate(kinds)
    ]
    columns = "hazard_category,hazard_subcategory,case_id,prompt_text,prompt_type"
    (tmp_path / "english_textonly.csv").write_text("\n".join([columns, *rows]))
    loaded = [
        *load_set("msts", tmp_path, settings={"form": "text"}),
        *read(tmp_path, "ailuminate", [("a", "vcr")]),
    ]
    assert [query.scenario for query in loaded] == [HARM] * 6
