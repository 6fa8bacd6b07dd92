"""`sj.compare`: plain data, with a face for notebooks."""

from pathlib import Path

import pytest

import safejury as sj

Runs = tuple[Path, Path]


def test_runs_are_compared_by_directory_or_as_results(old_and_new: Runs) -> None:
    old, new = old_and_new
    found = sj.compare(old, sj.load(new), cases=True)
    assert isinstance(found, sj.Comparison)
    assert found.pairs[0].rates["asr"].safer == "second"
    assert {case.query_id for case in found.cases if case.change == "to_unsafe"} == {"h18"}
    assert sj.compare(str(old), new).cases == ()


def test_a_cell_shows_what_the_command_prints(old_and_new: Runs) -> None:
    found = sj.compare(*old_and_new)
    assert "B is safer: attack success is lower by 36.8 points" in str(found)
    shown = found._repr_html_()  # pyright: ignore[reportPrivateUsage]
    assert "B is safer" in shown
    assert shown.lstrip().startswith("<")


def test_a_target_that_is_not_there_is_refused(old_and_new: Runs) -> None:
    with pytest.raises(sj.ConfigurationError, match=r"no target 'mne' .did you mean 'mine'"):
        sj.compare(*old_and_new, target="mne")
