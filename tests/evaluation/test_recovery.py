"""kill -9 at random moments, then the same command: as if nothing had happened.

The server answers each request by its words alone, so a run that was killed has to
end with the very record of one that was not.
"""

import hashlib
import json
import random
import re
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from itertools import zip_longest
from pathlib import Path
from typing import Any, cast

import pytest
from typer.testing import CliRunner

from safejury.cli import app
from safejury.testing import ScriptedServer, ballot

pytestmark = pytest.mark.slow

Start = Callable[..., ScriptedServer]
QUERIES = 24
LATENCY_S = 0.04
TRANSCRIPT = "SELECT case_id, number, kind, body FROM entries ORDER BY case_id, number"
RESULTS = "SELECT case_id, result FROM cases ORDER BY case_id"
CALLS = "SELECT call_id, key FROM calls ORDER BY call_id, key"
OPEN_ENDED = """
SELECT case_id FROM cases WHERE case_id NOT IN (
    SELECT case_id FROM entries WHERE kind = 'VerdictAnnounced')
"""


def rows(directory: Path, query: str) -> list[Any]:
    if not (directory / "record.sqlite").exists():
        return []
    with closing(sqlite3.connect(directory / "record.sqlite")) as database:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
        return database.execute(query).fetchall() if "calls" in tables else []


def without_times(value: object) -> object:
    """Return JSON data without what a clock said."""
    if isinstance(value, dict):
        fields = cast(dict[str, object], value)
        return {key: without_times(v) for key, v in fields.items() if key != "latency_s"}
    if isinstance(value, list):
        return [without_times(item) for item in cast(list[object], value)]
    return value


def content(directory: Path) -> dict[str, object]:
    """Return all that a record holds but for times."""
    return {
        "entries": [
            (*row[:3], without_times(json.loads(row[3]))) for row in rows(directory, TRANSCRIPT)
        ],
        "results": [
            (row[0], without_times(json.loads(row[1]))) for row in rows(directory, RESULTS)
        ],
        "calls": rows(directory, CALLS),
    }


Call = tuple[str, str, int]
"""A question, the model that is asked, and the round."""


def calls_kept(directory: Path) -> set[Call]:
    """Return the calls that a record holds."""
    found: set[Call] = set()
    for call_id, _ in rows(directory, CALLS):
        question, _, _, *rest = call_id.split("/")
        if rest[0] in ("target", "summary"):
            found.add((question, "foreperson" if rest[0] == "summary" else "target", 0))
        else:
            found.add((question, f"{rest[1]}-model", int(rest[0].removeprefix("r"))))
    return found


def question(body: Mapping[str, object]) -> str:
    """Return the number of the question that a request is about."""
    found = re.search(r"Question (\d+)\?", json.dumps(body))
    assert found is not None
    return found[1]


def answer(body: Mapping[str, object]) -> str:
    """Answer by the words of the request alone, and name its question."""
    drawn = digest(body)
    if body["model"] in ("target", "foreperson"):
        return f"To Question {question(body)}? I say {drawn[:8]}."
    unsafe = drawn[0] in "0123456"
    reason = f"On Question {question(body)}? I find {drawn[:8]}."
    return ballot("unsafe" if unsafe else "safe", 1 if unsafe else 5, reason)


def digest(body: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def calls_by_body(server: ScriptedServer) -> dict[str, Call]:
    """Return what each body of an undisturbed run asked for: rounds come in order."""
    rounds: Counter[tuple[str, str]] = Counter()
    found: dict[str, Call] = {}
    for body in server.requests:
        asked = f"q{question(body)}", str(body["model"])
        found[digest(body)] = (*asked, rounds[asked])
        rounds[asked] += 1
    assert len(found) == len(server.requests)
    return found


class Killed:
    """A run that is killed again and again, and what the server saw of it."""

    def __init__(self, workplace: Any, server: ScriptedServer, name: str, config: str) -> None:
        self.workplace = workplace
        self.server = server
        self.config = config
        self.setting = ("--set", f"run.name={name}")
        self.directory = Path("runs") / name
        self.kills = 0

    def kill_at(self, calls: int, then: float) -> None:
        """Start it, and kill it `then` seconds after so many more calls."""
        until = self.server.stats.calls + calls
        with self.workplace.start("run", self.config, *self.setting) as process:
            while self.server.stats.calls < until and process.poll() is None:
                time.sleep(0.002)
            time.sleep(then)
            self.kills += process.poll() is None
            process.kill()
            process.communicate()

    def finish(self) -> None:
        """Run it to its end, in this process."""
        result = CliRunner().invoke(app, ["run", self.config, *self.setting])
        assert result.exit_code == 0, result.stderr


@pytest.fixture
def undisturbed(workplace: Any, scripted: Start) -> tuple[Any, ScriptedServer, str]:
    """A finished run that nothing disturbed, and the server that it asked."""
    server = scripted(answer, latency=LATENCY_S)
    workplace.queries(
        *(
            {
                "id": f"q{number}",
                "scenario": ("bias", "ethics.bioethics", "physical_harm")[number % 3],
                "text": f"Question {number}?",
                "intent": "benign" if number % 4 == 0 else "harmful",
            }
            for number in range(QUERIES)
        )
    )
    jury = {"base_url": server.base_url, "model": "foreperson"}
    config = workplace.config(server.base_url, jury__foreperson=jury, limits__concurrency=4)
    result = workplace.safejury("run", config)
    assert result.code == 0, result.err
    return workplace, server, config


def check_kills(
    case: tuple[Any, ScriptedServer, str], *, seed: int, kills: int, calls: tuple[int, int]
) -> None:
    """Kill a run at moments drawn from a seed, and compare it with the undisturbed one."""
    workplace, server, config = case
    draw = random.Random(seed)
    meaning = calls_by_body(server)
    wanted = content(Path("runs/first"))
    assert calls_kept(Path("runs/first")) == set(meaning.values())

    killed = Killed(workplace, server, f"killed-{seed}", config)
    paid: set[Call] = set()
    for turn in range(kills + 1):
        server.requests.clear()
        if turn < kills:
            killed.kill_at(draw.randint(*calls), draw.uniform(0, 0.3))
        else:
            killed.finish()
        asked = [meaning[digest(body)] for body in server.requests]
        assert not paid & set(asked)  # what was in the record is not asked again
        assert len(asked) == len(set(asked))
        kept = calls_kept(killed.directory)
        assert paid <= kept
        assert rows(killed.directory, OPEN_ENDED) == []
        paid = kept
    assert killed.kills >= kills // 2
    found = content(killed.directory)
    for what in wanted:
        pairs = zip_longest(cast(list[Any], found[what]), cast(list[Any], wanted[what]))
        differing = [pair for pair in pairs if pair[0] != pair[1]]
        # In whole: it may have been a call that was lost on a machine that is too busy.
        assert not differing, f"{what}, {len(differing)} of them: {differing[0]}"
    verified = workplace.safejury("verify", str(killed.directory))
    assert verified.code == 0, verified.out


def test_a_run_that_is_killed_ends_with_the_same_record(
    undisturbed: tuple[Any, ScriptedServer, str],
):
    check_kills(undisturbed, seed=1, kills=4, calls=(0, 40))


def test_a_run_that_is_killed_often_and_early_ends_with_the_same_record(
    undisturbed: tuple[Any, ScriptedServer, str],
):
    check_kills(undisturbed, seed=2, kills=8, calls=(0, 12))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", [3, 6])
def test_a_run_that_is_killed_very_often(seed: int, undisturbed: tuple[Any, ScriptedServer, str]):
    check_kills(undisturbed, seed=seed, kills=20, calls=(0, 15))
