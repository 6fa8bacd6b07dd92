"""Drivers that hang, or are cut off without a word: others go on, and nothing counts twice."""

import signal
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
import pytest
from postgres_server import PostgresServer
from test_drivers import Answers, Places, config, done, places, record, until
from workplace import Workplace

from safejury.assembly.config import RecordConfig
from safejury.common import RecordError
from safejury.evaluation.record.drivers import open_shared_record
from safejury.evaluation.record.drivers._group import Group
from safejury.evaluation.record.drivers._unsent import keep_unsent
from safejury.models import Charge, Completion, Usage
from safejury.testing import ScriptedServer

pytestmark = pytest.mark.scale

Start = Callable[..., ScriptedServer]
__all__ = ["places"]


@contextmanager
def cut_off_within_a_change(postgres: PostgresServer, database: str) -> Generator[None]:
    """Lock the run as a driver does whose way to the server breaks before all of it arrived.

    No limit of time of the server holds then, as it waits for the rest of what was sent.
    """
    psycopg: Any = import_module("psycopg")
    there = psycopg.connect(database, password=postgres.password, autocommit=True)
    wire = there.pgconn
    try:
        there.execute("BEGIN")
        there.execute("SET LOCAL idle_in_transaction_session_timeout = '1s'")
        wire.enter_pipeline_mode()
        wire.send_query_params(b"UPDATE safejury_runs SET revision = revision", None)
        wire.flush()  # without the message that ends what is sent at once
        holds = "SELECT 1 FROM pg_locks WHERE relation = 'safejury_runs'::regclass"
        until(lambda: postgres.sql(f"{holds} AND mode = 'RowExclusiveLock' AND granted", database))
        yield
    finally:
        wire.finish()


def test_a_driver_that_is_cut_off_within_a_change_holds_up_others_for_a_lease(
    postgres: PostgresServer, workplace: Workplace, scripted: Start
) -> None:
    answers = Answers(wait_s=0.02)
    server, database = scripted(answers), postgres.make_database()
    config(workplace, server.base_url, database, 30, run__record__patience=20)
    with workplace.start("run", "safejury.yaml") as process:
        until(lambda: sum(answers.asked.values()) > 20)
        with cut_off_within_a_change(postgres, database):
            ended = done(process)
    assert ended.code == 0, ended.err
    assert "another session has the run locked" in ended.err
    assert set(answers.asked.values()) == {1}
    assert workplace.safejury("verify", "runs/first").code == 0


def test_a_driver_joins_although_another_is_cut_off_within_a_change(
    postgres: PostgresServer, workplace: Workplace, scripted: Start
) -> None:
    server, database = scripted(Answers()), postgres.make_database()
    config(workplace, server.base_url, database, 3)
    assert workplace.safejury("run", "safejury.yaml").code == 0
    config(workplace, server.base_url, database, 4)
    with cut_off_within_a_change(postgres, database):
        ended = workplace.spawn("run", "safejury.yaml")
    assert ended.code == 0, ended.err
    assert workplace.stored("SELECT count(*) FROM cases") == [(4,)]


def _sleep_in_changes(postgres: PostgresServer, database: str) -> None:
    _let_changes_last(postgres, database, 1)
    postgres.sql(
        "CREATE TRIGGER hang BEFORE UPDATE ON safejury_runs FOR EACH ROW EXECUTE FUNCTION hang()",
        database,
    )


def _let_changes_last(postgres: PostgresServer, database: str, seconds: float) -> None:
    postgres.sql(
        "CREATE OR REPLACE FUNCTION hang() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN PERFORM pg_sleep({seconds}); RETURN NEW; END $$",
        database,
    )


def test_a_driver_that_is_stopped_within_a_change_loses_its_trials_and_goes_on(
    postgres: PostgresServer, places: Places, scripted: Start
) -> None:
    """It is stopped while it has the run locked, and goes on when the other has finished."""
    answers = Answers(wait_s=0.02)
    server, database = scripted(answers), postgres.make_database()
    one, other, plain = places("one"), places("other"), places("plain")
    config(one, server.base_url, database, 30)
    config(other, server.base_url, database, 30)
    with one.start("run", "safejury.yaml") as first:
        until(lambda: sum(answers.asked.values()) > 20)
        _sleep_in_changes(postgres, database)
        sleeps = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
        until(lambda: postgres.sql(sleeps, database))
        first.send_signal(signal.SIGSTOP)
        try:
            _let_changes_last(postgres, database, 0)
            ended = other.spawn("run", "safejury.yaml")
        finally:
            first.send_signal(signal.SIGCONT)
        stopped = done(first)
    assert ended.code == 0, ended.err
    assert stopped.code == 0, stopped.err
    assert "Traceback" not in stopped.err
    plain.spawn("run", config(plain, server.base_url, None, 30))
    assert record(one) == record(other) == record(plain)
    for place in (one, other):
        assert place.spawn("verify", "runs/first").code == 0
    calls = postgres.sql("SELECT completion FROM safejury_calls", database)
    [(tokens, charged)] = postgres.sql(
        "SELECT tokens, (SELECT coalesce(sum(tokens), 0) FROM safejury_charges) FROM safejury_runs",
        database,
    )
    paid = sum(_tokens(str(completion)) for (completion,) in calls)
    assert tokens == paid + int(str(charged))


def _tokens(completion: str) -> int:
    usage = msgspec.json.decode(completion, type=Completion).usage
    return (usage.prompt_tokens or 0) + (usage.completion_tokens or 0)


async def test_a_driver_that_stood_still_makes_no_call_before_it_is_heard_of_again(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    """Others may have its trials by then, and its share of the budget."""
    said = RecordConfig(url=postgres.make_database(), lease=2)
    meta = {"protocol": "vote", "jury": "[]"}
    opened: Any = open_shared_record(tmp_path / "run", {}, meta, said=said, tell=lambda _: None)
    async with opened as record:
        assert not record.is_behind
        time.sleep(2.1)  # noqa: ASYNC251 - as a process does that is stopped
        assert record.is_behind
        await record.caught_up()
        assert not record.is_behind


async def test_what_a_restored_database_lacks_ends_the_run_and_loses_no_call(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    database = postgres.make_database()
    said, meta = RecordConfig(url=database), {"protocol": "vote", "jury": "[]"}
    paid = Completion("yes", "stop", usage=Usage(100, 0, 10))

    def opened() -> Any:
        return open_shared_record(tmp_path / "run", {}, meta, said=said, tell=lambda _: None)

    async def until_it_is_restored() -> None:
        async with opened() as record:
            await record.take(["a"])
            record.write("a/target", "key", paid)
            await record.settle()
            postgres.sql("UPDATE safejury_drivers SET groups = 0", database)
            postgres.sql("DELETE FROM safejury_calls", database)
            record.write("a/r0/seat/a0", "key", paid)
            await record.settle()

    with pytest.raises(RecordError, match="was restored from a backup"):
        await until_it_is_restored()
    calls = postgres.sql("SELECT call_id FROM safejury_calls", database)
    assert calls == [("a/r0/seat/a0",)]
    async with opened() as record:
        assert record.find("a/r0/seat/a0", "key") == paid


async def test_a_group_that_was_stored_although_no_reply_came_is_not_stored_again(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    """Its driver keeps it for the next command, as it cannot know."""
    database, run = postgres.make_database(), tmp_path / "run"
    said, meta = RecordConfig(url=database), {"protocol": "vote", "jury": "[]"}

    def opened() -> Any:
        return open_shared_record(run, {}, meta, said=said, tell=lambda _: None)

    async with opened() as record:
        record.charge("a/target", Charge(50, 0.5))
        await record.settle()
    charges = "SELECT call_id, tokens FROM safejury_charges"
    drivers = "SELECT one.id, groups, token FROM safejury_drivers AS one"
    of_run = f"{drivers} JOIN safejury_runs AS runs ON runs.id = one.run"
    [(driver, number, token)] = postgres.sql(of_run, database)
    [stored] = postgres.sql("SELECT id, call_id, case_id FROM safejury_charges", database)
    rows = {"charges": [(*stored, "estimated", 50, 0.5)]}
    keep_unsent(run, str(token), [Group(int(str(driver)), int(str(number)), rows)])
    async with opened():
        assert postgres.sql(charges, database) == [("a/target", 50)]
    assert postgres.sql("SELECT tokens FROM safejury_runs", database) == [(50,)]
