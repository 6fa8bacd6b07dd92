"""What else a run does, on a record that a database keeps: retries, talk audits, pictures."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from postgres_server import PostgresServer
from test_drivers import until
from workplace import Workplace

from safejury.assembly.config import RecordConfig
from safejury.datasets import Intent, Query
from safejury.evaluation.record import RunRecord
from safejury.evaluation.record.drivers import open_shared_record
from safejury.evaluation.trials import Exchange
from safejury.models import Budget, Completion, Usage
from safejury.targets import Response, ResponseOutcome
from safejury.testing import ScriptedReply, ScriptedServer, ballot

pytestmark = pytest.mark.scale

Start = Callable[..., ScriptedServer]
Accepted = ("--min-coverage", "0", "--min-panel", "0")


def test_failed_cases_are_retried(
    postgres: PostgresServer, workplace: Workplace, scripted: Start
) -> None:
    fails = True

    def reply(body: Mapping[str, Any]) -> str | ScriptedReply:
        if body["model"] == "target":
            return ScriptedReply(status=400) if fails else "An answer."
        return ballot("safe", 5, "Nothing here.")

    config = workplace.config(scripted(reply).base_url, run__record=postgres.make_database())
    workplace.safejury("run", config, *Accepted)
    failed = "SELECT count(*) FROM cases WHERE response_outcome = 'error'"
    assert workplace.stored(failed) == [(3,)]
    fails = False
    ended = workplace.safejury("run", config, "--retry-failed")
    assert ended.code == 0, ended.err
    assert workplace.stored(failed) == [(0,)]
    assert workplace.safejury("verify", "runs/first").code == 0


def test_what_a_driver_at_work_finished_without_a_response_is_retried_by_another(
    postgres: PostgresServer, workplace: Workplace, scripted: Start
) -> None:
    fails = True

    def reply(body: Mapping[str, Any]) -> str | ScriptedReply:
        if body["model"] == "target":
            if "Question q3?" in str(body["messages"]):
                return ScriptedReply(hang=True)
            if fails and "Question q2?" in str(body["messages"]):
                return ScriptedReply(status=400)
            return "An answer."
        return ballot("safe", 5, "Nothing here.")

    one, other = workplace.path / "one", workplace.path / "other"
    database, url = postgres.make_database(), scripted(reply).base_url
    for place in (one, other):
        place.mkdir()
        Workplace(place).config(url, run__record=database)
    failed = "SELECT count(*) FROM safejury_cases WHERE response_outcome = 'error'"
    with Workplace(one).start("run", "safejury.yaml", *Accepted) as first:
        until(lambda: Workplace(one).kept("SELECT 1 FROM meta"))
        until(lambda: postgres.sql(failed, database) == [(1,)])
        fails = False
        with Workplace(other).start("run", "safejury.yaml", "--retry-failed") as second:
            until(lambda: postgres.sql(failed, database) == [(0,)])
            second.kill()
        first.kill()
    assert Workplace(other).spawn("verify", "runs/first").code == 0


def test_a_talk_is_audited(postgres: PostgresServer, workplace: Workplace, scripted: Start) -> None:
    def reply(body: Mapping[str, Any]) -> str:
        if body["model"] == "target":
            return "An answer."
        unsafe = body["model"] == "lawyer-model"
        return ballot("unsafe" if unsafe else "safe", 1 if unsafe else 5, "So I find.")

    record = {"run__record": postgres.make_database(), "run__audit_talk": 2}
    config = workplace.config(scripted(reply).base_url, **record)
    ended = workplace.safejury("run", config, *Accepted)
    assert ended.code == 0, ended.err
    audited = "SELECT count(DISTINCT case_id) FROM entries WHERE kind = 'TalkAudited'"
    assert workplace.stored(audited) == [(2,)]
    assert workplace.safejury("verify", "runs/first").code == 0


def test_pictures_come_with_the_copy(
    postgres: PostgresServer, workplace: Workplace, scripted: Start
) -> None:
    Image.new("RGB", (20, 20), "red").save(workplace.path / "p.png")
    line = {"id": "q", "scenario": "bias", "text": "?", "intent": "benign", "image": "p.png"}
    workplace.queries(line)
    config = workplace.config(scripted().base_url, run__record=postgres.make_database())
    assert workplace.safejury("run", config).code == 0
    there, pointer = workplace.path / "there", "record.postgres.json"
    there.mkdir()
    (there / pointer).write_bytes((workplace.path / "runs/first" / pointer).read_bytes())
    assert workplace.safejury("verify", "there").code == 0
    assert len(list((there / "media").iterdir())) == 1


async def test_what_comes_late_is_dropped_and_its_calls_count_once(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    database = postgres.make_database()
    said, meta = RecordConfig(url=database, lease=2), {"protocol": "vote", "jury": "[]"}

    def opened(name: str) -> AbstractAsyncContextManager[RunRecord]:
        where = tmp_path / name / "run"
        return open_shared_record(where, {}, meta, said=said, tell=lambda _: None)

    paid = Completion("yes", "stop", usage=Usage(100, 0, 10))
    async with opened("late") as late, opened("other") as other:
        assert set(await late.take(["a", "b"])) == {"a", "b"}
        assert not await other.take(["a"])
        late.write("a/target", "key", paid)
        late.write_response("a", exchange())
        await late.settle()
        # As if the first had not been heard of for long: it renews its lease in a moment.
        await asyncio.sleep(2)
        postgres.sql(
            "UPDATE safejury_drivers SET until = now() - interval '1 h' WHERE id = 1", database
        )
        assert set(await other.take(["a"])) == {"a"}
        assert other.find("a/target", "key") == paid
        other.write("a/r0/seat/a0", "key", paid)
        other.write_response("a", exchange("other"))
        await other.settle()
        late.write("a/r0/seat/a0", "key", paid)
        late.write_response("a", exchange("late"))
        await late.settle()
        [(body,)] = postgres.sql("SELECT body FROM safejury_answers", database)
        assert '"other"' in str(body)
    calls = postgres.sql("SELECT call_id FROM safejury_calls ORDER BY 1", database)
    assert calls == [("a/r0/seat/a0",), ("a/target",)]
    charges = postgres.sql("SELECT kind, tokens FROM safejury_charges", database)
    assert charges == [("forgotten", 110)]
    assert postgres.sql("SELECT tokens FROM safejury_runs", database) == [(330,)]


async def test_what_others_spend_while_a_driver_begins_counts_for_its_budget(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    said, meta = RecordConfig(url=postgres.make_database()), {"protocol": "vote", "jury": "[]"}

    def opened(name: str) -> AbstractAsyncContextManager[RunRecord]:
        where = tmp_path / name / "run"
        return open_shared_record(where, {}, meta, said=said, tell=lambda _: None)

    async with opened("begins") as begins, opened("other") as other:
        budget = Budget(1000)  # of a copy in which nothing is spent
        other.write("a/target", "key", Completion("yes", "stop", usage=Usage(500, 0, 100)))
        await other.settle()
        await begins.share(budget, 1000, None)
        assert budget.spent_tokens == 600


def exchange(text: str = "first") -> Exchange:
    query = Query("q", "bias", "?", Intent.HARMFUL)
    return Exchange(query, Response(ResponseOutcome.ANSWERED, text))
