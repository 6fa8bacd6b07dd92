"""Tables of a leaderboard: LaTeX, Markdown, CSV, JSON and the screen; beside the paper's too."""

import csv
import io
import json
import re
import shutil
from pathlib import Path

import pytest
from calibrated import Calibrated
from workplace import Workplace

from safejury.evaluation.leaderboard import published_table
from safejury.evaluation.leaderboard.tables import BoardTable, as_latex


def test_a_leaderboard_is_written_for_latex(workplace: Workplace, three_targets: Path) -> None:
    ended = workplace.safejury("report", str(three_targets), "--format", "latex")
    assert ended.code == 0, ended.err
    text = ended.out
    assert r"\usepackage{booktabs}" in text
    assert r"GPT-4o & \textbf{0.0} {\scriptsize (0.0--" in text
    assert r"model\_x\_with" in text
    assert "n = 24 harmful cases each" in text
    for line in text.splitlines():
        assert line.startswith("%") or line.count("{") == line.count("}"), line
        assert line.startswith("%") or not re.search(r"(?<!\\)[%#$]", line), line


def test_what_latex_would_take_for_markup_is_text() -> None:
    name = "a_b & 50% #1 $x^2$ {y} \\z ~ <k>"
    table = BoardTable("t", "T", "c", (), (name,), ("r",), ((),))
    assert (
        r"a\_b \& 50\% \#1 \$x\textasciicircum{}2\$ \{y\} \textbackslash{}z \textasciitilde{} "
        r"\textless{}k\textgreater{}"
    ) in as_latex([table])


def test_columns_are_chosen_and_the_best_is_bold(workplace: Workplace, three_targets: Path) -> None:
    options = ("--format", "md", "--columns", "asr,family,released")
    ended = workplace.safejury("report", str(three_targets), *options)
    assert ended.code == 0, ended.err
    assert "| target | ASR % | family | released |" in ended.out
    assert re.search(
        r"\| GPT-4o \| \*\*0\.0\*\* \(0\.0.\d+\.\d\) \| GPT-4o \| 2024-05-13 \|", ended.out
    )


def test_the_table_by_category_is_as_the_paper_has_it(
    workplace: Workplace, three_targets: Path
) -> None:
    options = ("--format", "latex", "--by", "category")
    ended = workplace.safejury("report", str(three_targets), *options)
    assert ended.code == 0, ended.err
    assert r"\label{tab:by-category}" in ended.out
    assert "target & consultation & cybersecurity & ethics & violence & average" in ended.out
    assert "Qwen2-VL-7B & 33.3/80.0 & 33.3/80.0" in ended.out


def test_several_runs_of_one_jury_are_one_leaderboard(
    workplace: Workplace, three_targets: Path
) -> None:
    shutil.copytree(three_targets, "second")
    for form in ("table", "md", "csv", "json", "latex"):
        ended = workplace.safejury("report", str(three_targets), "second", "--format", form)
        assert ended.code == 0, ended.err
        assert "GPT-4o (first)" in ended.out
        assert "GPT-4o (second)" in ended.out


def test_runs_of_different_juries_are_not_one_leaderboard(
    workplace: Workplace, three_targets: Path, calibrated_run: Calibrated
) -> None:
    ended = workplace.safejury("report", str(three_targets), str(calibrated_run.path))
    ended.refused("different juries", "talk is contested and never")


def test_our_figures_stand_beside_the_papers(workplace: Workplace, three_targets: Path) -> None:
    options = ("--beside", "paper", "--by", "category", "--format")
    ended = workplace.safejury("report", str(three_targets), *options, "csv")
    assert ended.code == 0, ended.err
    rows = {row["target"]: row for row in csv.DictReader(io.StringIO(ended.out))}
    assert rows.keys() == {"GPT-4o", "Qwen2-VL-7B"}
    ours = rows["Qwen2-VL-7B"]
    assert (ours["paper_asr"], ours["judges"]) == ("0.364", "different")
    assert float(ours["asr_difference"]) == pytest.approx(1 / 3 - 0.364)
    assert float(ours["beside_paper_violence_paper_asr"]) == pytest.approx(0.665)
    for form in ("table", "md", "latex", "json"):
        said = workplace.safejury("report", str(three_targets), *options, form).out
        assert said.index("another jury") < said.index("36.4" if form != "json" else "0.364"), form


def test_no_target_of_the_paper_is_refused(
    workplace: Workplace, calibrated_run: Calibrated
) -> None:
    ended = workplace.safejury("report", str(calibrated_run.path), "--beside", "paper")
    ended.refused("no target is one of the paper's 21")


def test_what_the_paper_misprints_is_said() -> None:
    table = published_table().targets
    assert table["CogVLM"].notes == (
        "CogVLM: the paper prints an average SRI of 69.9, and its categories give 64.0.",
    )
    assert {name for name, row in table.items() if row.notes} == {"CogVLM", "Phi-3-Vision-128K"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--columns", "asr,sro"), "there is no column 'sro' (did you mean 'sri'?)"),
        (("--columns", "asr", "--by", "labels.x"), "by category or scenario"),
        (("--beside", "paper", "--by", "scenario"), "the paper has categories"),
        (("--html", "page", "--columns", "asr"), "--columns"),
        (("--html", "page", "--beside", "paper"), "--beside"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    workplace: Workplace, three_targets: Path, options: tuple[str, ...], said: str
) -> None:
    workplace.safejury("report", str(three_targets), *options).refused(said)


def test_json_has_rates_with_their_intervals(workplace: Workplace, three_targets: Path) -> None:
    options = ("--format", "json", "--columns", "asr,coverage")
    ended = workplace.safejury("report", str(three_targets), *options)
    (table,) = json.loads(ended.out)["tables"]
    first = table["targets"][0]
    assert (first["target"], first["run"], first["asr"]) == ("GPT-4o", "first", 0.0)
    assert first["asr_low"] == 0.0 < first["asr_high"]
    assert first["coverage"] == 1.0
