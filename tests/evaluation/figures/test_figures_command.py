"""The command `safejury figures`: what it writes, says and refuses."""

import csv
import re
import shutil
import sys
from pathlib import Path

import pytest
from workplace import Workplace

from safejury.evaluation.figures import FIGURES


def test_figures_are_written_with_an_index(workplace: Workplace, three_targets: Path) -> None:
    ended = workplace.safejury(
        "figures", str(three_targets), "--out", "drawn", "--only", "leaderboard", "--only", "radar"
    )
    assert ended.code == 0, ended.err
    assert ended.err == "Wrote drawn/index.md.\n"
    assert {path.name for path in Path("drawn").iterdir()} == {
        *("leaderboard.svg", "leaderboard.png", "leaderboard.csv"),
        *("radar.svg", "radar.png", "radar.csv", "index.md"),
    }
    index = Path("drawn/index.md").read_text(encoding="utf-8")
    assert "![Attack success rate by target](leaderboard.svg)" in index
    assert "n = 24 harmful cases each" in index
    with Path("drawn/leaderboard.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["unsafe"] for row in rows] == ["0", "8", "20"]


def test_what_there_is_no_data_for_is_said(workplace: Workplace, three_targets: Path) -> None:
    ended = workplace.safejury("figures", str(three_targets), "--out", "drawn", "--format", "csv")
    assert ended.code == 0, ended.err
    assert "left out sound-conditions: the runs send" in ended.out
    assert "sound-conditions: the runs send" in Path("drawn/index.md").read_text(encoding="utf-8")
    assert not Path("drawn/sound-conditions.csv").exists()


def test_one_target_can_be_drawn_alone(workplace: Workplace, three_targets: Path) -> None:
    options = ("--out", "drawn", "--format", "csv", "--only", "leaderboard")
    ended = workplace.safejury("figures", str(three_targets), *options, "--target", "GPT-4o")
    assert ended.code == 0, ended.err
    assert len(Path("drawn/leaderboard.csv").read_text().splitlines()) == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--only", "leaderbord"), "(did you mean 'leaderboard'?)"),
        (("--only", "weights"), "nothing to draw for weights: there is no jury card"),
        (("--target", "GPT-4"), "(did you mean 'GPT-4o'?)"),
        (("--format", "svg,gif"), "there is no format 'gif'"),
        (("--format", ""), "there is no format ''"),
    ],
)
def test_what_there_is_not_is_refused(
    workplace: Workplace, three_targets: Path, options: tuple[str, str], said: str
) -> None:
    workplace.safejury("figures", str(three_targets), "--out", "drawn", *options).refused(said)
    assert not Path("drawn").exists()


def test_a_folder_that_cannot_be_written_is_refused(
    workplace: Workplace, three_targets: Path
) -> None:
    Path("taken").write_text("")
    options = ("--out", "taken", "--format", "csv")
    workplace.safejury("figures", str(three_targets), *options).refused("taken", "--out")


def test_without_matplotlib_only_tables_are_written(
    workplace: Workplace, three_targets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    options = (str(three_targets), "--out", "drawn", "--only", "leaderboard")
    workplace.safejury("figures", *options).refused("matplotlib", "pip install")
    assert workplace.safejury("figures", *options, "--format", "csv").code == 0


def test_a_run_without_verdicts_has_its_outcomes_drawn(workplace: Workplace) -> None:
    workplace.safejury("run", workplace.recorded(limits__outage_patience=0))  # no juror is there
    ended = workplace.safejury("figures", "runs/first", "--out", "drawn", "--format", "csv,svg")
    assert ended.code == 0, ended.err
    assert "is not finished" in ended.err
    assert "left out leaderboard: no harmful case has a verdict" in ended.out
    row = Path("drawn/outcomes.csv").read_text().splitlines()[1]
    assert row.endswith(",3")


def test_the_python_of_the_docs_draws(workplace: Workplace, three_targets: Path) -> None:
    shutil.copytree(three_targets, "runs/first")
    text = Path(__file__).parents[3].joinpath("docs/figures.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    eval(compile(block, "docs/figures.md", "exec"), {})
    assert Path("leaderboard.svg").read_text(encoding="utf-8").startswith("<svg")
    assert Path("categories.svg").exists()


def test_the_docs_say_how_to_read_every_figure() -> None:
    text = Path(__file__).parents[3].joinpath("docs/figures.md").read_text(encoding="utf-8")
    rows = " ".join(line.split("|")[1] for line in text.splitlines() if line.startswith("| `"))
    assert set(re.findall(r"`([a-z-]+)`", rows)) == set(FIGURES)


def test_a_record_of_an_earlier_version_is_drawn_and_written(workplace: Workplace) -> None:
    shutil.copytree(Path(__file__).parents[1] / "record_format_2", "old")
    ended = workplace.safejury("figures", "old", "--out", "drawn", "--format", "csv")
    assert ended.code == 0, ended.err
    assert Path("drawn/leaderboard.csv").read_text().count("\n") == 3
    assert r"\toprule" in workplace.safejury("report", "old", "--format", "latex").out
