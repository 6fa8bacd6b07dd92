"""A record of an earlier version in which JSON was damaged: an error of one line, or figures."""

import json
import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import pytest

KEPT = Path(__file__).with_name("record_format_2")
VALUES: tuple[Any, ...] = (
    None,
    -1,
    0,
    7,
    1e308,
    -2.5,
    2**63,
    10**30,
    "x",
    "",
    [],
    {},
    True,
    [1],
    {"a": 1},
)
COLUMNS = (
    ("cases", "result"),
    ("entries", "body"),
    ("calls", "completion"),
    ("meta", "value"),
)
COMMANDS = (
    ("report", "old", "--format", "json"),
    ("report", "old", "--format", "csv"),
    ("report", "old"),
    ("verify", "old"),
    ("show", "old", "q4/first", "--reveal"),
)
OF_CASE = "WHERE case_id = 'q1/first/0'"
COUNTS: tuple[dict[str, Any], ...] = (
    {"by_juror": {"lawyer": {"odd": 1}}},
    {"by_juror": {"lawyer": {}}},
    {"by_juror": {"lawyer": {"verdict": 0}}},
    {"by_juror": {"lawyer": {"verdict": -3}}},
    {"by_juror": {"lawyer": 3}},
    {"ballots": {"odd": 1}},
    {"ballots": {"unsafe": 10**18}},
    {"initial_votes": {"unsafe": -1}},
    {"media": {"smell": {"withheld": 1}}},
    {"media": {"image": {"withheld": 0}}},
    {"rating": 9.0},
    {"mean_rating": -7.0},
    {"epoch": -1},
    {"calls": -1},
    {"cost_usd_known": 1e300},
)


def places(data: Any) -> Iterator[tuple[Any, Any]]:
    """Yield all that is within plain data, each as what holds it and its key there."""
    keys: list[Any] = []
    if isinstance(data, dict | list):
        keys += data if isinstance(data, dict) else range(len(cast("list[Any]", data)))
    for key in keys:
        yield data, key
        yield from places(data[key])


def damaged(text: str, chance: random.Random) -> str:
    whole = [json.loads(text)]
    holder, key = chance.choice(list(places(whole)))
    how = chance.choice(("gone", "renamed", "other", "other"))
    if how == "other" or isinstance(holder, list):
        holder[key] = chance.choice(VALUES)
    else:
        value = holder.pop(key)
        holder.update({"other": value} if how == "renamed" else {})
    return json.dumps(whole[0])


def damage(record: Path, seed: int) -> None:
    chance = random.Random(seed)
    table, column = chance.choice(COLUMNS)
    key = "key" if table == "meta" else "rowid"
    with closing(sqlite3.connect(record)) as database, database:
        found = database.execute(f"SELECT {key}, {column} FROM {table} ORDER BY 1").fetchall()
        name, text = chance.choice([row for row in found if row[1][:1] in ("{", "[")])
        update = f"UPDATE {table} SET {column} = ? WHERE {key} = ?"
        database.execute(update, (damaged(text, chance), name))


@pytest.mark.parametrize("first", range(0, 24, 6))
def test_no_damage_ends_in_a_traceback(first: int, workplace: Any):
    """Where exceptions are not caught, a command that raised one would raise it here."""
    for seed in range(first, first + 6):
        shutil.rmtree("old", ignore_errors=True)
        shutil.copytree(KEPT, "old")
        damage(Path("old/record.sqlite"), seed)
        for command in COMMANDS:
            ended = workplace.safejury(*command)
            assert ended.code in (0, 2, 3), (seed, command)
            assert "Traceback" not in ended.err
            if ended.code == 2:
                ended.refused("old")


def test_counts_that_no_version_wrote_are_refused_with_the_name_of_their_case(workplace: Any):
    for members in COUNTS:
        shutil.rmtree("old", ignore_errors=True)
        shutil.copytree(KEPT, "old")
        with closing(sqlite3.connect("old/record.sqlite")) as database, database:
            ((result,),) = database.execute(f"SELECT result FROM cases {OF_CASE}").fetchall()
            changed = json.dumps({**json.loads(result), **members})
            database.execute(f"UPDATE cases SET result = ? {OF_CASE}", (changed,))
        verified = workplace.safejury("verify", "old")
        assert verified.code == 3, members
        assert "q1/first/0: its result cannot be read" in verified.out, members
        reported = workplace.safejury("report", "old", "--format", "json")
        reported.refused("q1/first/0", "cannot be read", code=3)
