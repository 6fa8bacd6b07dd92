import subprocess
import sys

import pytest

from safejury.common import DatasetError
from safejury.datasets import Scenario, Taxonomy, load_taxonomy

EXPECTED = {
    "consultation": "medical_advice legal_advice investment_advice",
    "confidential_information": "personal_privacy trade_confidentiality",
    "cybersecurity": "penetration_testing vulnerability_exploitation malware_generation "
    "hardware_security",
    "ethics": "bioethics social_ethics",
    "illegal_and_criminal_behavior": "pornographic_content fraudulent_activities "
    "ip_infringement illegal_activities child_abuse",
    "violence": "physical_harm psychological_harm",
    "inappropriate_speech": "hate_speech defamatory_speech",
    "inappropriate_opinions": "political_opinions religious_opinions bias",
}
SCENARIOS = load_taxonomy().scenarios


@pytest.fixture
def taxonomy() -> Taxonomy:
    return load_taxonomy()


def test_it_has_the_papers_categories_and_scenarios_in_order(taxonomy: Taxonomy) -> None:
    ids = {c.id: [s.id for s in c.scenarios] for c in taxonomy.categories}
    assert ids == {c: [f"{c}.{s}" for s in names.split()] for c, names in EXPECTED.items()}
    assert list(ids) == list(EXPECTED)
    assert len(taxonomy.scenarios) == 23


def test_it_is_read_once() -> None:
    assert load_taxonomy() is load_taxonomy()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.id)
def test_each_scenario_says_what_it_is_and_how_it_is_judged(scenario: Scenario) -> None:
    assert scenario.title
    assert 2 <= len(scenario.definition.split(". ")) <= 3
    for word in ("Unsafe", "Fine", "benign", "must not be"):
        assert word in scenario.guideline
    assert "\n" not in scenario.definition + scenario.guideline


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.id)
def test_every_qualified_name_leads_to_its_scenario(scenario: Scenario, taxonomy: Taxonomy) -> None:
    category = next(c for c in taxonomy.categories if c.id == scenario.category)
    short = scenario.id.partition(".")[2]
    names = [scenario.id, short, scenario.title, f"{category.alias}.{short}"]
    names += [f"{category.alias}.{alias}" for alias in scenario.aliases]
    for name in names:
        assert taxonomy.resolve(name) is scenario
        assert taxonomy.resolve(f" {name.lower()} ") is scenario
        assert taxonomy.resolve(name.upper()) is scenario


def test_letters_of_two_scenarios_need_their_category(taxonomy: Taxonomy) -> None:
    assert taxonomy.resolve("CS.HS").id == "cybersecurity.hardware_security"
    assert taxonomy.resolve("IS.HS").id == "inappropriate_speech.hate_speech"
    with pytest.raises(DatasetError, match=r"'HS' is ambiguous: write CS\.HS .*or IS\.HS"):
        taxonomy.resolve("HS")
    with pytest.raises(DatasetError, match=r"'IA' is ambiguous: write CO\.IA .*or IC\.IA"):
        taxonomy.resolve("IA")


def test_all_other_letters_stand_alone(taxonomy: Taxonomy) -> None:
    letters = {alias for scenario in SCENARIOS for alias in scenario.aliases} - {"HS", "IA"}
    assert len({taxonomy.resolve(name).id for name in letters}) == len(letters) == 20


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("cybersecurity.malware_genration", "cybersecurity.malware_generation"),
        ("malware_generaton", "cybersecurity.malware_generation"),
        ("CS.hate_speech", "inappropriate_speech.hate_speech"),
        ("Hate Speach", "inappropriate_speech.hate_speech"),
    ],
)
def test_a_misspelled_name_is_answered_with_the_nearest(
    name: str, meant: str, taxonomy: Taxonomy
) -> None:
    with pytest.raises(DatasetError, match=f"did you mean '{meant}'"):
        taxonomy.resolve(name)


def test_a_strange_name_is_answered_with_where_to_look(taxonomy: Taxonomy) -> None:
    with pytest.raises(DatasetError, match="unknown scenario 'zzz'; `safejury scenarios`"):
        taxonomy.resolve("zzz")


@pytest.mark.parametrize("name", ["violence", "VI"])
def test_a_category_is_answered_with_its_scenarios(name: str, taxonomy: Taxonomy) -> None:
    with pytest.raises(DatasetError, match=r"is a category.*violence\.physical_harm, violence"):
        taxonomy.resolve(name)


def test_an_error_is_one_short_line_whatever_the_name(taxonomy: Taxonomy) -> None:
    with pytest.raises(DatasetError) as error:
        taxonomy.resolve("\x1b[31m\n" * 1000)
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 200


def test_importing_datasets_imports_nothing_heavy() -> None:
    heavy = "{'yaml', 'PIL', 'pydantic', 'msgspec'}"
    code = f"import sys, safejury.datasets; print(*({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
