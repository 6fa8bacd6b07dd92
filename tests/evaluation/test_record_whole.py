"""What a record says of its run as a whole, and what could stand before its tables."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from safejury.testing import ScriptedServer

Start = Callable[..., ScriptedServer]
CHARGE = "INSERT INTO charges VALUES ('c', 'q1/examined/0', 'estimated', {}, {})"
OTHER_META = {
    "fewer planned cases": "UPDATE meta SET value = '[]' WHERE key = 'planned'",
    "planned cases that went": "DELETE FROM meta WHERE key = 'planned'",
    "another total": "UPDATE meta SET value = '1' WHERE key = 'total'",
    "no embedded model": "UPDATE meta SET value = 'yes' WHERE key = 'embedded'",
    "another version": "UPDATE meta SET value = '9' WHERE key = 'version'",
    "another name": "UPDATE meta SET value = 'better' WHERE key = 'name'",
    "chains that are denied": "DELETE FROM meta WHERE key = 'sealed'",
    "chains that are denied in full": "DELETE FROM meta WHERE key IN ('sealed', 'bound')",
    "a negative charge": CHARGE.format(-5, "NULL"),
    "an endless charge": CHARGE.format(1, "9e999"),
}
DAMAGE = {
    "planned": ("xx", "[[1, 2]]", '[["examined", "", null, null, -1]]'),
    "total": (None,),
    "used": ("[]", '{"items": -1}'),
    "limits": ("[]", '{"max_cost_usd": "x"}'),
    "unbound": ("{", "{}"),
    "identity": ("[]", "zz", '{"targets": 1}', "[" * 5000, None),
    "jury": ("{", b"\x00", None),
    "protocol": (None,),
    "format": (None,),
}
"""Values of `meta` that no run writes; None for one that went."""


def sql(run: str, *statements: str, values: tuple[object, ...] = ()) -> None:
    with closing(sqlite3.connect(f"{run}/record.sqlite")) as database, database:
        for statement in statements:
            database.execute(statement, values)


def digest(ended: Any) -> str:
    return ended.out.splitlines()[-1].removeprefix("SHA-256 of the run: ")


@pytest.fixture
def config(workplace: Any, scripted: Start) -> str:
    """The config of a run that is finished."""
    config = workplace.config(scripted().base_url)
    assert workplace.safejury("run", config).code == 0
    return config


def test_what_it_says_of_the_whole_run_is_bound(workplace: Any, config: str):
    whole = digest(workplace.safejury("verify", "runs/first"))
    for name, statement in OTHER_META.items():
        shutil.copytree("runs/first", name)
        sql(name, statement)
        verified = workplace.safejury("verify", name)
        assert verified.code == 3, name
        assert digest(verified) != whole, name
        part = "its charge " if "charge" in name else "its facts "
        assert verified.out.startswith(f"{name}: {part}"), name
        reported = workplace.safejury("report", name)
        reported.refused(part, "its figures cannot be trusted", "safejury verify", code=3)


def test_charges_and_lists_of_what_was_left_out_are_in_the_digest(workplace: Any, config: str):
    found = [digest(workplace.safejury("verify", "runs/first"))]
    sql("runs/first", CHARGE.format(5, 0.5))
    found.append(digest(workplace.safejury("verify", "runs/first")))
    for name in ("left_out.jsonl", "dataset_left_out.jsonl"):
        Path("runs/first", name).write_text("{}\n")
        verified = workplace.safejury("verify", "runs/first")
        assert verified.code == 0
        found.append(digest(verified))
    assert len(set(found)) == 4


@pytest.mark.parametrize("key", DAMAGE)
def test_what_no_run_writes_is_refused_in_one_line(key: str, workplace: Any, config: str):
    code = 3 if key == "total" else 2
    for number, value in enumerate(DAMAGE[key]):
        name = f"damaged{number}"
        shutil.copytree("runs/first", name)
        if value is None:
            sql(name, f"DELETE FROM meta WHERE key = '{key}'")
        else:
            sql(name, f"UPDATE meta SET value = ? WHERE key = '{key}'", values=(value,))
        for command in ("report", "verify"):
            ended = workplace.safejury(command, name)
            assert ended.code == code, (value, ended.out)
            if code == 2:
                ended.refused(name, "not a record that can be read")
    shutil.rmtree("runs/first")
    shutil.move("damaged0", "runs/first")
    assert workplace.safejury("run", config).code == code


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE INDEX covering ON cases (query_id, case_id, result)",
        "CREATE TRIGGER again AFTER INSERT ON cases BEGIN SELECT 1; END",
        "CREATE VIEW more AS SELECT * FROM cases",
        "CREATE TABLE other (name TEXT)",
        "ALTER TABLE cases ADD COLUMN more TEXT",
        "DROP TABLE calls",
    ],
)
def test_tables_that_are_not_those_of_a_record(statement: str, workplace: Any, config: str):
    """An index may hold other rows than its table, and a view may never end."""
    sql("runs/first", statement)
    for command in ("report", "verify", "show"):
        workplace.safejury(command, "runs/first").refused("runs/first/record.sqlite", "its ")


def test_a_view_in_place_of_a_table(workplace: Any, config: str):
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
    sql(
        "runs/first",
        "DROP TABLE entries",
        f"CREATE VIEW entries AS {endless} SELECT i case_id, i number, i kind, i body FROM n",
    )
    workplace.safejury("verify", "runs/first").refused("its view 'entries'")
    workplace.safejury("run", config).refused("its view 'entries'")


def test_a_changed_record_is_refused_before_anything_is_paid(workplace: Any, scripted: Start):
    server = scripted()
    config = workplace.config(server.base_url)
    assert workplace.safejury("run", config).code == 0
    finding = "UPDATE cases SET rating = rating + 0.5 WHERE case_id = 'q1/examined/0'"
    gone = "WHERE case_id = 'q2/examined/0'"
    sql("runs/first", finding, *(f"DELETE FROM {table} {gone}" for table in ("cases", "entries")))
    sql("runs/first", "DELETE FROM calls")
    before = server.stats.calls
    workplace.safejury("run", config).refused("1 case was changed", "q1/examined/0", code=3)
    assert server.stats.calls == before
    assert workplace.safejury("verify", "runs/first").code == 3
