"""Fixtures of the tests that run evaluations, by the command line."""

import shutil
from pathlib import Path

import case_run
import pytest
from calibrated import CASES, QUICK, Calibrated, labels, reply
from workplace import Host, Workplace, keys_end_with_their_test, scripted, workplace

__all__ = ["keys_end_with_their_test", "scripted", "workplace"]


@pytest.fixture(scope="session")
def _finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = Workplace(tmp_path_factory.mktemp("calibrated"))
    place.many(CASES)
    host = Host()
    config = place.config(
        host.scripted(reply).base_url,
        dataset=str(place.path / "queries.jsonl"),
        jury__protocol="vote",
        run__directory=str(place.path / "runs"),
    )
    ended = place.safejury("run", str(place.path / config), "--min-panel", "0")
    host.close()
    assert ended.code == 0, ended.err
    return place.path / "runs" / "first"


@pytest.fixture(scope="session")
def calibrated_run(_finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Calibrated:
    """The same run with its jury card, to be read and not changed."""
    place = Workplace(tmp_path_factory.mktemp("card"))
    run = Path(shutil.copytree(_finished, place.path / "runs" / "first"))
    file = place.path / place.write_lines(labels(), "labels.jsonl")
    with pytest.MonkeyPatch.context() as narrow:
        narrow.setenv("COLUMNS", "80")
        ended = place.safejury("calibrate", str(run), "--labels", str(file), *QUICK)
    assert ended.code == 0, ended.err
    return Calibrated(run, ended)


@pytest.fixture
def finished_run(_finished: Path, workplace: Workplace) -> Path:
    """`runs/first` of the workplace: a run by `vote`, of whose jurors `calibrated` tells."""
    return Path(shutil.copytree(_finished, workplace.path / "runs" / "first"))


@pytest.fixture(scope="session")
def _cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = Workplace(tmp_path_factory.mktemp("cases"))
    host = Host()
    with pytest.MonkeyPatch.context() as there:
        there.chdir(place.path)
        config = case_run.write_config(place, host.scripted(case_run.reply).base_url)
        ended = place.safejury("run", config, "--min-coverage", "0", "--min-panel", "0")
    host.close()
    assert ended.code == 0, ended.err
    return place.path / "runs" / "first"


@pytest.fixture
def run_of_cases(_cases: Path, workplace: Workplace) -> Path:
    """`runs/first` of the workplace: the run of `case_run`."""
    return Path(shutil.copytree(_cases, workplace.path / "runs" / "first"))
