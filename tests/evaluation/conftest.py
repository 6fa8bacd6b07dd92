"""Fixtures of the tests that run evaluations, by the command line."""

import shutil
from pathlib import Path

import pytest
from calibrated import CASES, reply
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


@pytest.fixture
def finished_run(_finished: Path, workplace: Workplace) -> Path:
    """`runs/first` of the workplace: a run by `vote`, of whose jurors `calibrated` tells."""
    return Path(shutil.copytree(_finished, workplace.path / "runs" / "first"))
