"""Limits of a server, encodings, lost databases: what else happens to runs kept in one."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from postgres_server import PostgresServer
from test_drivers import Answers, config, done, until
from workplace import Workplace

from safejury.assembly.config import RecordConfig
from safejury.evaluation.record.drivers import open_shared_record
from safejury.evaluation.record.postgres import Place, connect, make_tables
from safejury.models import Completion, Usage
from safejury.testing import ScriptedServer

pytestmark = pytest.mark.scale

Start = Callable[..., ScriptedServer]


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_that_cannot_hold_every_text_is_refused_at_once(
    postgres: PostgresServer, workplace: Workplace, scripted: Start, encoding: str
) -> None:
    server, name = scripted(), f"narrow_{encoding.lower()}"
    postgres.sql(f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0")
    ended = workplace.safejury(
        "run", workplace.config(server.base_url, run__record=postgres.url(name))
    )
    ended.refused(f"its encoding is {encoding}", "createdb -E UTF8")
    assert not server.requests


def test_another_encoding_of_the_client_changes_nothing(
    postgres: PostgresServer,
    workplace: Workplace,
    scripted: Start,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    line = {"id": "日本", "scenario": "bias", "text": "日本語?", "intent": "benign"}
    workplace.queries(line)
    written = workplace.config(scripted().base_url, run__record=postgres.make_database())
    ended = workplace.safejury("run", written)
    assert ended.code == 0, ended.err
    assert workplace.safejury("verify", "runs/first").code == 0


def test_two_drivers_that_begin_at_once_make_the_tables_once(
    postgres: PostgresServer, workplace: Workplace, scripted: Start
) -> None:
    database = postgres.make_database()
    config(workplace, scripted(Answers()).base_url, database, 3)
    waits = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    place = Place(database, "other")
    with connect(place) as first, workplace.start("run", "safejury.yaml") as second:
        with first.transaction():
            first.execute("SELECT pg_advisory_xact_lock(7318402155)")
            until(lambda: postgres.sql(waits))
            make_tables(first, place)
        ended = done(second)
    assert ended.code == 0, ended.err


def test_of_several_hosts_the_one_is_used_that_answers(
    postgres: PostgresServer, workplace: Workplace, scripted: Start
) -> None:
    database = postgres.make_database().replace("@", "@127.0.0.1:9,")
    url = f"{database}?target_session_attrs=read-write"
    ended = workplace.safejury("run", workplace.config(scripted().base_url, run__record=url))
    assert ended.code == 0, ended.err
    assert workplace.safejury("verify", "runs/first").code == 0


@pytest.mark.parametrize("again", [False, True])
def test_a_copy_of_a_run_that_was_deleted_is_not_written_over(
    postgres: PostgresServer, workplace: Workplace, scripted: Start, tmp_path: Path, again: bool
) -> None:
    url, database = scripted().base_url, postgres.make_database()
    written = workplace.config(url, run__record=database)
    assert workplace.safejury("run", written).code == 0
    postgres.sql("DELETE FROM safejury_runs", database)
    if again:  # by another driver, under the same name
        (tmp_path / "other").mkdir()
        other = Workplace(tmp_path / "other")
        assert other.spawn("run", other.config(url, run__record=database)).code == 0
        workplace.safejury("report", "runs/first").refused("may be all that is left")
    why = "may be all that is left" if again else "has no run 'first'"
    workplace.safejury("run", written).refused(why, "restore the database", "move the directory")
    (workplace.path / "runs/first/record.postgres.json").unlink()
    assert workplace.safejury("report", "runs/first").code == 0


def test_a_run_that_is_deleted_while_it_is_under_way_ends_with_a_line(
    postgres: PostgresServer, workplace: Workplace, scripted: Start
) -> None:
    answers = Answers(wait_s=0.02)
    server, database = scripted(answers), postgres.make_database()
    config(workplace, server.base_url, database, 60)
    with workplace.start("run", "safejury.yaml") as process:
        until(lambda: sum(answers.asked.values()) > 20)
        postgres.sql("DELETE FROM safejury_runs", database)
        ended = done(process)
    assert ended.code == 2, ended.err
    assert "was deleted from its database" in ended.err.splitlines()[-1]


def _sleep_in_changes(postgres: PostgresServer, database: str) -> None:
    postgres.sql(
        "CREATE FUNCTION hang() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_sleep(1); RETURN NEW; END $$",
        database,
    )
    postgres.sql(
        "CREATE TRIGGER hang BEFORE UPDATE ON safejury_runs FOR EACH ROW EXECUTE FUNCTION hang()",
        database,
    )


def test_a_limit_of_time_of_the_server_is_waited_for(
    postgres: PostgresServer, workplace: Workplace, scripted: Start
) -> None:
    answers = Answers(wait_s=0.02)
    server, database = scripted(answers), postgres.make_database()
    config(workplace, server.base_url, database, 20)
    with workplace.start("run", "safejury.yaml") as process:
        until(lambda: sum(answers.asked.values()) > 20)
        name = database.rpartition("/")[2]
        canceled = (
            "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE "
            f"datname = '{name}' AND application_name = 'safejury' AND state = 'active'"
        )
        _sleep_in_changes(postgres, database)
        until(lambda: postgres.sql(canceled) != [(0,)])
        postgres.sql("DROP TRIGGER hang ON safejury_runs", database)
        ended = done(process)
    assert ended.code == 0, ended.err
    assert workplace.safejury("verify", "runs/first").code == 0


def test_a_server_that_lets_a_driver_have_one_connection_is_not_asked_for_ever(
    postgres: PostgresServer, workplace: Workplace, scripted: Start
) -> None:
    database = postgres.make_database()
    with suppress(Exception):
        postgres.sql(f"CREATE ROLE narrow LOGIN PASSWORD '{postgres.password}' CONNECTION LIMIT 1")
    postgres.sql("GRANT CREATE, USAGE ON SCHEMA public TO narrow", database)
    url = database.replace("//safejury@", "//narrow@")
    config(workplace, scripted().base_url, url, 3, run__record__patience=1)
    ended = workplace.spawn("run", "safejury.yaml")
    assert ended.code == 2, ended.err
    assert "too many connections" in ended.err.splitlines()[-1]


async def test_much_text_is_stored_in_several_transactions(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    database = postgres.make_database()
    said, meta = RecordConfig(url=database), {"protocol": "vote", "jury": "[]"}
    opened: Any = open_shared_record(tmp_path / "run", {}, meta, said=said, tell=lambda _: None)
    async with opened as record:
        long = Completion("x" * 150_000, "stop", usage=Usage(1, 0, 1))
        for number in range(300):
            record.write(f"a/{number}", "key", long)
        await record.settle()
    [(groups,)] = postgres.sql("SELECT groups FROM safejury_drivers", database)
    assert int(str(groups)) >= 3
    assert postgres.sql("SELECT count(*) FROM safejury_calls", database) == [(300,)]
