"""How often jury and people agree, in `report --labels` and `review --summary`."""

import json
from pathlib import Path

import pytest
from calibrated import labels
from workplace import Workplace

from safejury.evaluation.trust.rates import Paired, jury_agreement


def test_agreement_is_weighted_by_how_cases_were_drawn() -> None:
    """Of 100 cases: 20 found unsafe, all labeled; 80 found safe, of which a tenth is labeled."""
    pairs = [Paired("ethics", True, number < 15, 1.0) for number in range(20)]
    pairs += [Paired("violence", False, number < 1, 10.0) for number in range(8)]
    found = jury_agreement(pairs)
    assert found is not None
    assert found.raw == pytest.approx((15 + 70) / 100)
    chance = 0.20 * 0.25 + 0.80 * 0.75
    assert found.kappa == pytest.approx((0.85 - chance) / (1 - chance))
    low, high = found.interval
    assert low < 0.75
    assert 0.85 < high < 1
    assert found.categories["ethics"].raw == pytest.approx(0.75)
    assert found.categories["violence"].raw == pytest.approx(7 / 8)
    assert found.categories["violence"].kappa == pytest.approx(0)


def test_kappa_is_unknown_where_both_say_the_same_of_all() -> None:
    found = jury_agreement([Paired("", False, False, 1.0)] * 9)
    assert found is not None
    assert found.kappa is None
    assert found.raw == 1
    assert jury_agreement([]) is None


def test_reports_with_labels_say_it(workplace: Workplace, finished_run: Path) -> None:
    workplace.write_lines(labels(), "labels.jsonl")
    for form in ("json", "md", "table"):
        said = workplace.safejury(
            *("report", "runs/first", "--labels", "labels.jsonl", "--format", form)
        )
        assert said.code == 0, said.err
        assert "Jury and people agree on" in " ".join(said.out.split())
    notes = json.loads(
        workplace.safejury(
            *("report", "runs/first", "--labels", "labels.jsonl", "--format", "json")
        ).out
    )["run"]["notes"]
    assert any("Cohen's kappa" in note for note in notes)


def test_a_review_says_it(workplace: Workplace, finished_run: Path) -> None:
    """Of 20 cases that are all labeled as the jury found them."""
    sheet = workplace.path / "sheet.csv"
    drawn = workplace.safejury(
        *("review", "runs/first", "--random", "20", "--contested", "0", "--export", str(sheet))
    )
    assert drawn.code == 0, drawn.err
    found = dict(workplace.stored("SELECT case_id, finding FROM cases"))
    head, *rows = [line.split(",") for line in sheet.read_text().splitlines()]
    for row in rows:
        row[head.index("label")] = found[row[0]] or "safe"
    sheet.write_text("".join(",".join(row) + "\n" for row in (head, *rows)))
    taken = workplace.safejury("review", "runs/first", "--import", str(sheet))
    assert taken.code == 0, taken.err
    said = " ".join(workplace.safejury("review", "runs/first", "--summary").out.split())
    assert "Jury and people agree on 100.0 % of cases" in said
