"""Databases that cannot keep a record, and what other commands do with a copy: a line each."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from postgres_server import PostgresServer
from workplace import Workplace

from safejury.testing import ScriptedServer

pytestmark = pytest.mark.scale

Start = Callable[..., ScriptedServer]


def refused(place: Workplace, database: str, *said: str, **changes: Any) -> None:
    place.config("http://127.0.0.1:9/v1", run__record={"url": database, **changes})
    place.safejury("run", "safejury.yaml").refused(*said)


def test_a_database_that_cannot_be_used_is_refused_in_a_line(
    postgres: PostgresServer, workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = postgres.make_database()
    refused(workplace, postgres.url("nowhere"), "nowhere", "does not exist")
    refused(workplace, "postgresql://safejury@127.0.0.1:9/db", "127.0.0.1:9", "refused")
    postgres.sql("CREATE ROLE guest LOGIN PASSWORD 'let-me-in-please'")
    monkeypatch.setenv("GUEST", "let-me-in-please")
    guest = database.replace("safejury@", "guest@")
    refused(workplace, guest, "CREATE", password_env="GUEST")
    postgres.sql("ALTER ROLE guest SET default_transaction_read_only = on")
    refused(workplace, guest, "read-only", password_env="GUEST")
    monkeypatch.setenv("GUEST", "wrong-wrong-wrong")
    refused(workplace, guest, "password is wrong", password_env="GUEST")
    monkeypatch.delenv("GUEST")
    refused(workplace, guest, "GUEST is not set", password_env="GUEST")
    postgres.sql("CREATE TABLE safejury_format (version integer)", database)
    postgres.sql("INSERT INTO safejury_format VALUES (99)", database)
    refused(workplace, database, "format 99")


def test_ids_that_are_too_long_for_an_index_are_refused_before_a_call(
    postgres: PostgresServer, workplace: Workplace, scripted: Start
) -> None:
    server, name = scripted(), "".join(map(chr, random.Random(7).choices(range(97, 123), k=9_000)))
    workplace.queries({"id": name, "scenario": "bias", "text": "?", "intent": "benign"})
    config = workplace.config(server.base_url, run__record=postgres.make_database())
    workplace.safejury("run", config).refused("an id is too long", "2,000 characters")
    assert not server.requests


def test_a_copy_is_read_on_any_machine_and_written_by_no_other_command(
    postgres: PostgresServer, workplace: Workplace, scripted: Start
) -> None:
    url, database = scripted().base_url, postgres.make_database()
    assert workplace.safejury("run", workplace.config(url, run__record=database)).code == 0
    run, there = workplace.path / "runs" / "first", workplace.path / "there"
    there.mkdir()
    pointer = "record.postgres.json"
    (there / pointer).write_bytes((run / pointer).read_bytes())
    report = workplace.safejury("report", "there")
    assert report.code == 0, report.err
    assert report.out == workplace.safejury("report", "runs/first").out
    assert workplace.safejury("verify", "there").code == 0
    # Without run.record the copy would be written, and no database know of it.
    workplace.safejury("run", workplace.config(url)).refused("is a copy", "set run.record")
    changed = workplace.config(url, run__record=database, run__seed=8)
    workplace.safejury("run", changed).refused("another configuration")
    kept = [path.read_bytes() for path in run.rglob("*") if path.is_file()]
    assert not any(postgres.password.encode() in content for content in kept)
    postgres.sql("DELETE FROM safejury_runs", database)
    workplace.safejury("report", "there").refused("has no run 'first'", pointer)


def test_a_record_that_is_in_no_database_is_not_taken_for_a_copy(
    postgres: PostgresServer, workplace: Workplace, scripted: Start, tmp_path: Path
) -> None:
    url = scripted().base_url
    assert workplace.safejury("run", workplace.config(url)).code == 0
    config = workplace.config(url, run__record=postgres.make_database())
    workplace.safejury("run", config).refused("in no database")
