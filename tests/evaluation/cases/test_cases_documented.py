"""`docs/cases.md` names all columns with their types, and its pandas code runs."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from safejury.evaluation.cases import OUTCOMES, Column, ballot_columns, case_columns

PAGE = (Path(__file__).parents[3] / "docs/cases.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("what", "columns"),
    [("cases", case_columns(reveal=True)), ("ballots", ballot_columns(reveal=True))],
)
def test_every_column_is_documented(what: str, columns: Sequence[Column]) -> None:
    part = PAGE.partition(f"## Columns of {what}\n")[2].partition("\n## ")[0]
    told = re.findall(r"^\| `(\w+)` \| ([a-z ]+) \| \S", part, re.MULTILINE)
    assert told == [(column.name, column.kind.value) for column in columns]


def test_every_outcome_is_documented() -> None:
    (row,) = re.findall(r"^\| `--outcome WORD` .*$", PAGE, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", row)) == set(OUTCOMES)


def test_the_pandas_code_runs(run_of_cases: Path, workplace: Any, capsys: Any) -> None:
    pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    for options in (("--out", "cases.parquet"), ("--ballots", "--out", "ballots.parquet")):
        ended = workplace.safejury("cases", "runs/first", *options)
        assert ended.code == 0, ended.err
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    eval(compile(code, "docs/cases.md", "exec"), {})
    said = capsys.readouterr().out
    assert re.search(r"^alpha +1\.0$", said, re.MULTILINE)
    assert re.search(r"^clinician +2 +2$", said, re.MULTILINE)
