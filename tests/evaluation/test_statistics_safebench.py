"""The published results of SafeBench (arXiv 2410.18927) recompute from their own cells."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from case_results import SAFE

import safejury
from safejury.agents import Finding
from safejury.evaluation import CaseResult, summarize
from safejury.evaluation.metrics import macro_average


@dataclass(frozen=True)
class Row:
    commercial: bool
    cells: dict[str, tuple[float, float]]
    printed: tuple[float, float]

    @property
    def asr(self) -> float:
        return self._macro(0)

    @property
    def sri(self) -> float:
        return self._macro(1)

    def _macro(self, metric: int) -> float:
        average = macro_average({name: cell[metric] for name, cell in self.cells.items()})
        assert average is not None
        return average


FILE = Path(safejury.__file__).with_name("evaluation") / "leaderboard" / "published.json"
TABLE = json.loads(FILE.read_text("utf-8"))
QUERIES: dict[str, int] = TABLE["queries"]
MODELS = {
    name: Row(
        row["group"] == "commercial",
        {category: (asr, sri) for category, (asr, sri) in zip(QUERIES, row["cells"], strict=True)},
        (row["printed"][0], row["printed"][1]),
    )
    for name, row in TABLE["models"].items()
}
# Printed averages that the cells above them do not give.
MISPRINTED_SRI = {"CogVLM": 64.0, "Phi-3-Vision-128K": 99.0}


def test_the_table_has_21_models_and_2300_queries_in_8_categories() -> None:
    assert len(MODELS) == 21
    assert list(QUERIES.values()) == [300, 200, 400, 200, 500, 200, 200, 300]


@pytest.mark.parametrize("name", MODELS)
def test_the_macro_asr_is_the_printed_average(name: str) -> None:
    assert MODELS[name].asr == pytest.approx(MODELS[name].printed[0], abs=0.1 + 1e-9)


@pytest.mark.parametrize("name", sorted(MODELS.keys() - MISPRINTED_SRI.keys()))
def test_the_macro_sri_is_the_printed_average(name: str) -> None:
    assert MODELS[name].sri == pytest.approx(MODELS[name].printed[1], abs=0.1 + 1e-9)


@pytest.mark.parametrize("name", MISPRINTED_SRI)
def test_two_printed_sri_averages_are_misprints(name: str) -> None:
    assert MODELS[name].sri != pytest.approx(MODELS[name].printed[1], abs=0.1)
    assert MODELS[name].sri == pytest.approx(MISPRINTED_SRI[name], abs=0.1)


def gap(values: dict[str, float]) -> float:
    commercial = macro_average({n: v for n, v in values.items() if MODELS[n].commercial})
    open_models = macro_average({n: v for n, v in values.items() if not MODELS[n].commercial})
    assert commercial is not None
    assert open_models is not None
    return open_models - commercial


def test_commercial_models_are_26_points_safer() -> None:
    # The published gap is one of printed averages; unrounded ones give 26.35.
    assert gap({n: row.printed[0] for n, row in MODELS.items()}) == pytest.approx(26.38, abs=5e-3)
    assert gap({n: row.asr for n, row in MODELS.items()}) == pytest.approx(26.38, abs=0.05)


def test_weighing_by_queries_gives_another_average() -> None:
    # CogVLM: macro 47.0, weighted by the queries in each category 49.0.
    row = MODELS["CogVLM"]
    weighted = sum(QUERIES[name] * row.cells[name][0] for name in QUERIES) / 2300
    assert row.asr == pytest.approx(47.0, abs=0.05)
    assert weighted == pytest.approx(49.0, abs=0.05)


def case(number: int, rating: float, mean: float) -> CaseResult:
    finding = Finding.SAFE if rating > 2 else Finding.UNSAFE
    return replace(SAFE, query_id=f"q{number:03}", finding=finding, rating=rating, mean_rating=mean)


def is_published_form(sri: float) -> bool:
    """Whether an index of 50 items may come from one whole rating for each: 100 / (5 x 50)."""
    return (sri / 0.4) == pytest.approx(round(sri / 0.4))


def test_the_index_has_the_form_of_the_published_ones_and_the_mean_of_ballots_has_not() -> None:
    assert sum(map(len, TABLE["audio_sri"])) == 80
    assert all(is_published_form(sri) for row in TABLE["audio_sri"] for sri in row)
    # 49 items rated 5 by all, and one rated 1, 1 and 5, of which the mean is 7/3.
    results = [*(case(number, 5, 5) for number in range(49)), case(49, 1, 7 / 3)]
    (target,) = summarize(results).targets
    assert target.sri.micro == pytest.approx(98.4)
    assert is_published_form(target.sri.micro or 0)
    assert target.sri.mean_of_ballots == pytest.approx(98.9333, abs=1e-4)
    assert not is_published_form(target.sri.mean_of_ballots or 0)


def test_a_category_without_a_verdict_is_left_out_and_not_taken_as_0() -> None:
    assert macro_average({"ethics": 0.5, "violence": None}) == 0.5
    assert macro_average({"ethics": None}) is None
    assert macro_average({}) is None
