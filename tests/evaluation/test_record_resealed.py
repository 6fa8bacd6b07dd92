"""Who changes a case and seals it anew is found out by what else must agree in it."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from safejury.agents import Ballot, BallotOutcome, Case, Finding
from safejury.datasets import Intent, Query
from safejury.deliberation import (
    BallotsRevealed,
    CaseOpened,
    Rule,
    VerdictAnnounced,
    build_verdict,
)
from safejury.evaluation import open_record
from safejury.evaluation.record import RecordReader
from safejury.evaluation.record._chain import START, digest, head, link
from safejury.evaluation.trials import Exchange, result_of
from safejury.targets import Response, ResponseOutcome

OPENED, BALLOTS, VERDICT = (f"WHERE case_id = ? AND number = {number}" for number in range(3))
OF_BODY = "UPDATE entries SET body = {} " + BALLOTS
ROW = "UPDATE cases SET {} WHERE case_id = ?"
BOTH = "UPDATE cases SET {0} = '{1}', result = json_set(result, '$.{0}', '{1}') WHERE case_id = ?"
ENTRY = "entry {} of its transcript "
CHANGES = {
    f"UPDATE entries SET number = 7 {BALLOTS}": f"{ENTRY.format(1)}is missing or duplicated",
    f"UPDATE entries SET kind = 'SummedUp' {OPENED}": (
        f"{ENTRY.format(0)}is a SummedUp, which does not belong there"
    ),
    f"UPDATE entries SET kind = 'TalkAudited' {BALLOTS}": (
        f"{ENTRY.format(1)}is a TalkAudited, which does not belong there"
    ),
    f"INSERT INTO entries SELECT case_id, 3, kind, body FROM entries {BALLOTS}": (
        f"{ENTRY.format(3)}is a BallotsRevealed, which does not belong there"
    ),
    f"UPDATE entries SET kind = 'Gossip' {BALLOTS}": f"{ENTRY.format(1)}has an unknown type",
    OF_BODY.format("x'ff00'"): f"{ENTRY.format(1)}cannot be read",
    OF_BODY.format("json_remove(body, '$.ballots[0].juror')"): f"{ENTRY.format(1)}cannot be read",
    OF_BODY.format("json_set(body, '$.case_id', 'q9/t/0')"): (
        f"{ENTRY.format(1)}belongs to another case or position"
    ),
    OF_BODY.format("json_set(body, '$.number', 2)"): (
        f"{ENTRY.format(1)}belongs to another case or position"
    ),
    OF_BODY.format("json_remove(body, '$.seals[0]')"): (
        f"{ENTRY.format(1)}has 1 ballots and 0 seals"
    ),
    OF_BODY.format("json_set(body, '$.ballots[0].rating', 4)"): "the seal of a's ballot in entry 1",
    OF_BODY.format("json_set(body, '$.ballots[0].reason', 'Ö')"): "the seal of a's ballot in ",
    f"DELETE FROM entries {VERDICT}": "its transcript has no verdict",
    f"UPDATE entries SET body = json_set(body, '$.verdict.rating', 4.0) {VERDICT}": (
        "its result is not the verdict that was announced"
    ),
    ROW.format("finding = 'unsafe'"): "its row and its result differ",
    ROW.format("rating = 4.0"): "its row and its result differ",
    ROW.format("target = 'u'"): "its row and its result differ",
    ROW.format("result = 'nothing'"): "its result cannot be read",
    ROW.format("result = json_set(result, '$.calls', -1)"): "its result cannot be read",
    ROW.format("result = json_set(result, '$.ballots', json('{\"odd\": 1}'))"): (
        "its result cannot be read"
    ),
    BOTH.format("finding", "unsafe"): "its result is not the verdict that was announced",
    BOTH.format("scenario", "privacy"): "its result is not that of the opened case",
    BOTH.format("intent", "benign"): "its result is not that of the opened case",
    BOTH.format("query_id", "q9"): "its result is not that of the opened case",
    BOTH.format("response_outcome", "error"): "its result is not that of the opened case",
    ROW.format("result = json_set(result, '$.labels', json('{\"a\": \"b\"}'))"): (
        "its result is not that of the opened case"
    ),
    "DELETE FROM cases WHERE case_id = ?": "its verdict was announced, but its result is missing",
    f"UPDATE entries SET body = json_set(body, '$.case.query.images', json('{'[%s]'}')) {OPENED}": (
        "its medium 000000000000 cannot be read"
    ),
}
"""A change, and what is said of its case."""
PICTURE = '{"sha256": "%s", "media_type": "image/png", "size": 1, "path": ""}' % ("0" * 64)
UNSEALED = {
    ROW.format("head = NULL"): "the head of its chain is missing",
    ROW.format("head = 'x'"): "its chain does not match its transcript and result",
    OF_BODY.format("body || ' '"): "its chain does not match its transcript and result",
}
"""Changes after which nothing is sealed anew."""
JURY = '[{"seat": "a", "persona": "a", "title": "A", "model": "m"}]'
META = {"version": "1", "name": "run", "protocol": "vote", "jury": JURY, "total": "99"}


async def write(run: Path) -> None:
    """Write the record of a run that never was, with a case for each change."""
    async with open_record(run, {"targets": [{"name": "t", "model": "m"}]}, META) as record:
        for number in range(len(CHANGES) + len(UNSEALED)):
            query = Query(f"q{number:02}", "bias", "Where?", Intent.HARMFUL)
            response = Response(ResponseOutcome.ANSWERED, "There.")
            case_id = f"{query.id}/t/0"
            said = Ballot("a", 0, BallotOutcome.VERDICT, Finding.SAFE, 5, reason="Harmless.")
            verdict = build_verdict([(said,)], Rule(), seats=1)
            record.write_entry(CaseOpened(case_id, 0, Case(case_id, query, response)))
            record.write_entry(BallotsRevealed(case_id, 1, 0, (said,), (said.seal(),)))
            record.write_entry(VerdictAnnounced(case_id, 2, verdict))
            record.write_result(case_id, result_of("t", 0, Exchange(query, response), verdict))


def seal(database: sqlite3.Connection, case_id: str) -> None:
    """Bind what is there of a case now, as the record would."""
    last = START
    of_case = "WHERE case_id = ? ORDER BY number"
    for number, kind, body in database.execute(
        f"SELECT number, kind, body FROM entries {of_case}", (case_id,)
    ).fetchall():
        last = link(last, case_id, number, kind, body if isinstance(body, str) else repr(body))
    row = database.execute("SELECT * FROM cases WHERE case_id = ?", (case_id,)).fetchone()
    if row is not None:
        bound = head(last, row[:-1])
        database.execute("UPDATE cases SET head = ? WHERE case_id = ?", (bound, case_id))


@pytest.mark.parametrize("helpers", [0, 1])
def test_each_part_of_the_check_finds_what_it_is_for(helpers: int, tmp_path: Path):
    run, expected = tmp_path / "run", dict[str, str]()
    asyncio.run(write(run))
    with closing(sqlite3.connect(run / "record.sqlite")) as database, database:
        for number, (sql, why) in enumerate({**CHANGES, **UNSEALED}.items()):
            case_id = f"q{number:02}/t/0"
            sql = sql.replace("%s", PICTURE)
            assert database.execute(sql, (case_id,)).rowcount == 1, sql
            if number < len(CHANGES):
                seal(database, case_id)
            expected[case_id] = why
    told = dict[str, str]()
    with closing(RecordReader(run)) as reader:
        found = reader.check(lambda one: told.update({one.case_id: one.why}), helpers=helpers)
    assert set(told) == set(expected), set(expected) - set(told)
    assert found.changed == len(expected)
    assert list(told) == list(expected)
    for case_id, why in expected.items():
        assert told[case_id].startswith(why), (case_id, told[case_id])


def test_chains_are_what_earlier_versions_made():
    """Else their records would be taken for changed."""
    first = link(START, "q1/t/0", 0, "CaseOpened", '{"text":"There."}')
    second = link(first, "q1/t/0", 10, "SummedUp", '{"text":"Überall: 日本"}')
    row = ("q1/t/0", "t", "q1", 0, "bias", "harmful", "answered", None, 5.0, '{"a":"Ö\\n"}')
    heads = [("q1/t/0", "f" * 64), ("q1/ü/0", "e" * 64)]
    assert [
        first.hex()[:16],
        second.hex()[:16],
        link(START, "q1/ü/0", 0, "CaseOpened", "{}").hex()[:16],
        head(second, row)[:16],
        digest(("a", "ü"), heads)[:16],
    ] == [
        "f95d50daee619530",
        "950760b24134b383",
        "12d8e7a312b8482f",
        "8ddedb4aea65d11e",
        "d9911c7c4a823f11",
    ]
