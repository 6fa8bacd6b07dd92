"""Several drivers on one run, whose record a real PostgreSQL server keeps."""

import hashlib
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from postgres_server import PostgresServer
from workplace import Ended, Workplace

from safejury.testing import ScriptedServer, ballot

pytestmark = pytest.mark.scale

Start = Callable[..., ScriptedServer]
Places = Callable[[str], Workplace]


class Answers:
    """Answers by the words of a request alone, some contested, and remembers what was asked."""

    def __init__(self, *, wait_s: float = 0.0) -> None:
        self.asked = Counter[str]()
        self.gate = threading.Event()
        self.gate.set()
        self._wait_s = wait_s

    def __call__(self, body: Mapping[str, Any]) -> str:
        said = json.dumps([body["model"], body["messages"]], sort_keys=True)
        drawn = hashlib.sha256(said.encode()).hexdigest()
        self.asked[drawn[:12]] += 1
        time.sleep(self._wait_s)
        if body["model"] == "target":
            return f"I say {drawn[:12]}."
        unsafe = drawn[0] in "01234567"
        return ballot("unsafe" if unsafe else "safe", 1 if unsafe else 5, f"I find {drawn[:12]}.")


def config(place: Workplace, url: str, database: str | None, cases: int, **changes: Any) -> str:
    """Write a config of so many cases, whose record a database keeps."""
    place.many(cases)
    kept = {} if database is None else {"run__record": {"url": database, "lease": 2}}
    return place.config(url, **{"limits__concurrency": 4, **kept, **changes})


def record(place: Workplace) -> dict[str, Any]:
    """Return what a run's record holds of its cases, but for how long they took."""
    timed = re.compile(r'"latency_s":[0-9.e-]+')
    rows = {
        "cases": place.stored("SELECT * FROM cases"),
        "entries": place.stored("SELECT case_id, number, kind, body FROM entries"),
        "calls": place.stored("SELECT call_id, key FROM calls"),
    }
    rows["cases"] = [row[:-1] for row in rows["cases"]]  # heads bind the times
    return {
        name: sorted([*row[:-1], timed.sub("", str(row[-1]))] for row in found)
        for name, found in rows.items()
    }


def done(process: Any) -> Ended:
    out, err = process.communicate(timeout=120)
    return Ended(process.returncode, out, err)


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """Make directories of drivers, as on different machines."""

    def make(name: str) -> Workplace:
        (tmp_path / name).mkdir()
        return Workplace(tmp_path / name)

    return make


def test_a_run_alone_is_recorded_as_with_sqlite(
    postgres: PostgresServer, places: Places, scripted: Start
) -> None:
    url = scripted(Answers()).base_url
    one, other = places("one"), places("other")
    ended = one.spawn("run", config(one, url, postgres.make_database(), 12))
    assert ended.code == 0, ended.err
    plain = other.spawn("run", config(other, url, None, 12))
    assert record(one) == record(other)
    assert one.spawn("verify", "runs/first").code == 0
    assert ended.out == plain.out


def test_two_drivers_share_a_run_and_one_is_killed(
    postgres: PostgresServer, places: Places, scripted: Start
) -> None:
    answers = Answers(wait_s=0.02)
    server, database = scripted(answers), postgres.make_database()
    one, other, plain = places("one"), places("other"), places("plain")
    config(one, server.base_url, database, 60)
    config(other, server.base_url, database, 60)

    def stored(sql: str) -> list[tuple[Any, ...]]:
        return postgres.sql(sql, database)

    with one.start("run", "safejury.yaml") as first:
        until(lambda: one.kept("SELECT 1 FROM meta"))
        with other.start("run", "safejury.yaml") as second:
            by = "SELECT driver, count(*) FROM safejury_cases GROUP BY 1"
            until(lambda: len(stored(by)) == 2)
            first.kill()
            first.communicate()
            kept = {
                found
                for (completion,) in stored("SELECT completion FROM safejury_calls")
                for found in re.findall(r"I (?:say|find) ([0-9a-f]{12})", completion)
            }
            before = answers.asked.copy()
            ended = done(second)
    assert ended.code == 0, ended.err
    again = {name for name in kept if answers.asked[name] > before[name]}
    assert not again
    plain.spawn("run", config(plain, server.base_url, None, 60))
    assert record(other) == record(plain)
    assert other.spawn("verify", "runs/first").code == 0
    # The machine of the killed driver has the whole as well, by its copy.
    reports = [place.spawn("report", "runs/first").out for place in (one, other, plain)]
    figures = [report.partition("Whole run")[0] for report in reports]  # then what the kill cost
    assert reports[0] == reports[1]
    assert figures[0] == figures[2]


def test_a_server_that_is_away_for_a_while_is_waited_for(
    postgres: PostgresServer, places: Places, scripted: Start
) -> None:
    answers = Answers(wait_s=0.02)
    server, database = scripted(answers), postgres.make_database()
    one, plain = places("one"), places("plain")
    with one.start("run", config(one, server.base_url, database, 40)) as process:
        until(lambda: len(one.kept("SELECT 1 FROM meta")) and sum(answers.asked.values()) > 40)
        postgres.stop()
        try:
            until(lambda: _stands_still(answers))
        finally:
            postgres.start()
        ended = done(process)
    assert ended.code == 0, ended.err
    assert "Waiting for postgresql://" in ended.err
    assert "is there again" in ended.err
    assert set(answers.asked.values()) == {1}
    plain.spawn("run", config(plain, server.base_url, None, 40))
    assert record(one) == record(plain)


def _stands_still(answers: Answers) -> bool:
    before = sum(answers.asked.values())
    time.sleep(1.0)
    return sum(answers.asked.values()) == before


def test_a_run_ends_when_its_patience_does_and_goes_on_later(
    postgres: PostgresServer, places: Places, scripted: Start
) -> None:
    answers = Answers(wait_s=0.02)
    server, database = scripted(answers), postgres.make_database()
    one, plain = places("one"), places("plain")
    name = config(one, server.base_url, database, 40, run__record__patience=1)
    with one.start("run", name) as process:
        until(lambda: len(one.kept("SELECT 1 FROM meta")) and sum(answers.asked.values()) > 40)
        postgres.stop()
        try:
            ended = done(process)
        finally:
            postgres.start()
    assert ended.code == 2, ended.err
    assert ended.err.splitlines()[-1].startswith("safejury: error: postgresql://")
    assert "was away" in ended.err
    ended = one.spawn("run", name)
    assert ended.code == 0, ended.err
    plain.spawn("run", config(plain, server.base_url, None, 40))
    assert record(one) == record(plain)
    assert one.spawn("verify", "runs/first").code == 0


def test_a_budget_holds_for_all_drivers_together(
    postgres: PostgresServer, places: Places, scripted: Start
) -> None:
    """Both stop in time; which of them had which calls depends on the machine."""
    answers = Answers(wait_s=0.01)
    server, database = scripted(answers), postgres.make_database()
    one, other = places("one"), places("other")
    limit = 150_000
    for place in (one, other):
        config(place, server.base_url, database, 200, limits__max_tokens_total=limit)
    with one.start("run", "safejury.yaml") as first, other.start("run", "safejury.yaml") as second:
        ends = [done(first), done(second)]
    spent = "SELECT tokens, (SELECT count(*) FROM safejury_drivers) FROM safejury_runs"
    [(tokens, drivers)] = postgres.sql(spent, database)
    assert drivers == 2
    assert 0.8 * limit < int(str(tokens)) <= limit, ends
    assert all("limits.max_tokens_total" in ended.err for ended in ends), ends
