"""What is said of a record in a database before any server is asked."""

from typing import Any

import pytest

from safejury.assembly.config import RecordConfig


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://me:sesame-sesame@host/db", "must hold no password"),
        ("postgresql://host/db?password=sesame-sesame", "must hold no password"),
        ("postgresql://me@host:port/db", "must be the address of a database"),
        ("postgresql://me:sesame-sesame@one:1,two:2/db", "must hold no password"),
        ("postgresql://me@one:1,two:2/db", "which of its hosts is written to"),
        ("postgresql://me@/db?host=one,two", "which of its hosts is written to"),
        ("postgresql://me@one:1,two:x/db", "must be the address of a database"),
        ("mysql://me@host/db", "must be the address of a database"),
        ("postgresql://me@host/", "must be the address of a database"),
    ],
)
def test_an_address_that_is_wrong_or_secret_is_refused_and_not_shown(
    workplace: Any, url: str, said: str
) -> None:
    ended = workplace.safejury("run", workplace.config(run__record=url))
    ended.refused("run.record.url", said)
    assert "sesame" not in ended.err


def test_several_hosts_are_taken_of_which_one_is_written_to() -> None:
    url = "postgresql://me@one:1,two:2/db?target_session_attrs=read-write"
    assert RecordConfig(url=url).url == url


def test_the_file_that_names_a_database_may_hold_no_password_either(workplace: Any) -> None:
    run = workplace.path / "runs" / "first"
    run.mkdir(parents=True)
    said = '{"url": "postgresql://me:sesame-sesame@host/db", "run": "first"}'
    (run / "record.postgres.json").write_text(said)
    ended = workplace.safejury("report", "runs/first")
    ended.refused("record.postgres.json", "does not say which database")
    assert "sesame" not in ended.err


def test_a_batch_needs_a_record_of_its_own(workplace: Any) -> None:
    config = workplace.config(run__record="postgresql://me@host/db")
    workplace.safejury("export-batch", config).refused("run.record", "take it out")
