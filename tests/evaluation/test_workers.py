"""Workers bring about the record that one process would have written."""

import asyncio
import re
import sys
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import case_run
import pytest
from PIL import Image
from same_process import same_process
from workplace import Workplace

from safejury.assembly import load_config
from safejury.common import ConfigurationError, FirstContactError, OutageError
from safejury.deliberation import Entry, Notice
from safejury.evaluation import CaseResult, RunOutcome, RunPlan, Trial, run, set_up
from safejury.evaluation.engine import WorkerLost, check_travels, run_with
from safejury.evaluation.runner import WorkerCounts
from safejury.models import ModelRegistry, Wait
from safejury.testing import ScriptedReply, ScriptedServer, ballot, request_text


class Notes:
    """Takes down what a run says."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.finished = 0
        self.workers_seen: list[WorkerCounts] = []

    def started(self, total: int, finished: int, registry: ModelRegistry) -> None: ...

    def case_finished(self, result: CaseResult) -> None:
        self.finished += 1

    def waiting(self, waits: Sequence[Wait]) -> None: ...

    def workers(self, counts: WorkerCounts) -> None:
        self.workers_seen.append(counts)

    def notify(self, message: str) -> None:
        self.said.append(message)


RUNS = ("first", "alone")
TIMES = re.compile(r'"latency_s":[0-9.e-]+|"path":"[^"]*"')


def planned(config: str, *changes: str) -> RunPlan:
    return set_up(load_config(Path(config), changes), Path())


def record_of(workplace: Workplace, name: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return a record as far as it does not depend on when something happened."""
    tables = {
        "calls": "SELECT call_id, key, completion FROM calls ORDER BY 1",
        "entries": "SELECT case_id, number, kind, body FROM entries ORDER BY 1, 2",
        "cases": "SELECT case_id, finding, rating, result FROM cases ORDER BY 1",
        "charges": "SELECT * FROM charges",
        "answers": "SELECT * FROM answers",
    }
    found = {table: workplace.stored(sql, run=f"runs/{name}") for table, sql in tables.items()}
    return {
        table: [tuple(TIMES.sub("", x) if isinstance(x, str) else x for x in row) for row in rows]
        for table, rows in found.items()
    }


def media_of(name: str) -> set[str]:
    return {path.name for path in Path(f"runs/{name}/media").iterdir()}


async def assert_whole(workplace: Workplace, name: str = "first") -> None:
    ended = await asyncio.to_thread(workplace.safejury, "verify", f"runs/{name}")
    assert ended.code == 0, ended.out + ended.err


def asked(body: Mapping[str, Any]) -> str:
    """Name a request by its query and model, as calls of a vote are told apart."""
    query = re.search(r"Question (\d+)\?", request_text(body))
    assert query is not None
    return f"q{int(query[1]):03} {body['model']}"


def call_of(call_id: str) -> str:
    """Name a call of the record as `asked` names its request."""
    query, *_, last = call_id.split("/")
    seat = call_id.split("/")[-2]
    return f"{query} {'target' if last == 'target' else f'{seat}-model'}"


async def with_workers(plan: RunPlan, folder: Path, **options: Any) -> RunOutcome:
    async with same_process(folder, **options) as pool:
        return await run_with(plan, pool)


async def test_the_record_is_that_of_one_process(
    workplace: Workplace, scripted: Callable[..., ScriptedServer], tmp_path: Path
) -> None:
    config = case_run.write_config(workplace, scripted(case_run.reply).base_url)
    alone = await run(planned(config, "run.name=alone"))
    together = await with_workers(planned(config), tmp_path / "workers")
    assert (together.cases, together.verdicts) == (alone.cases, alone.verdicts)
    assert record_of(workplace, "first") == record_of(workplace, "alone")


async def test_a_talk_audit_follows_the_cases_of_workers_as_those_of_one_process(
    workplace: Workplace, scripted: Callable[..., ScriptedServer], tmp_path: Path
) -> None:
    def split(body: Mapping[str, Any]) -> str:
        if body["model"] == "target" or "response_format" not in body:
            return "Like this."
        return ballot("unsafe", 1) if body["model"] == "clinician-model" else ballot("safe", 5)

    workplace.many(6)
    config = workplace.config(scripted(split).base_url, run__audit_talk=3)
    await run(planned(config, "run.name=alone"))
    await with_workers(planned(config), tmp_path / "workers")
    assert workplace.stored("SELECT * FROM entries WHERE kind = 'TalkAudited'")
    assert record_of(workplace, "first") == record_of(workplace, "alone")


@pytest.mark.parametrize("lost_at", [2, 4, 7])
async def test_the_trials_of_a_lost_worker_run_again_and_what_was_reported_is_not_paid_again(
    workplace: Workplace, scripted: Callable[..., ScriptedServer], tmp_path: Path, lost_at: int
) -> None:
    workplace.many(60)
    server = scripted(latency=0.02)
    config = workplace.config(
        server.base_url, jury__protocol="vote", limits__concurrency=8, limits__attempts=1
    )
    kept, losses = set[str](), list[int]()

    def lost(report: int) -> bool:
        if report != lost_at or losses:
            return False
        losses.append(report)
        kept.update(call_of(row[0]) for row in workplace.stored("SELECT call_id FROM calls"))
        return True

    outcome = await with_workers(planned(config), tmp_path / "workers", reported=lost)
    assert (outcome.cases, outcome.verdicts) == (60, 60)
    paid = Counter(map(asked, server.requests))
    assert len(paid) == 60 * 4
    assert kept.isdisjoint(name for name, times in paid.items() if times > 1)
    assert workplace.stored("SELECT count(*) FROM cases") == [(60,)]
    await assert_whole(workplace)


async def test_displays_are_told_what_each_worker_has_under_way(
    workplace: Workplace, scripted: Callable[..., ScriptedServer], tmp_path: Path
) -> None:
    workplace.many(80)
    config = workplace.config(
        scripted(latency=0.05).base_url, jury__protocol="vote", limits__concurrency=8
    )
    losses, told = list[int](), Notes()

    def lost(report: int) -> bool:
        if report == 4 and not losses:
            losses.append(report)
            return True
        return False

    async with same_process(tmp_path / "workers", reported=lost) as pool:
        await run_with(planned(config), pool, told)
    at_work = [each for each in told.workers_seen if len(each.cases) == 2 and all(each.calls)]
    assert any(each.lost == 1 and all(each.cases) for each in at_work)
    assert all(sum(each.calls) <= 8 for each in at_work)
    assert not str(told.workers_seen[-1])  # or a talk audit would go on below it


async def test_a_run_of_workers_is_gone_on_with_by_one_process_and_back(
    workplace: Workplace, scripted: Callable[..., ScriptedServer], tmp_path: Path
) -> None:
    workplace.many(20)
    server = scripted()
    config = workplace.config(server.base_url, jury__protocol="vote", limits__concurrency=4)
    await with_workers(planned(config, "limit=5"), tmp_path / "workers")
    await run(planned(config, "limit=10"))
    outcome = await with_workers(planned(config), tmp_path / "workers")
    assert outcome.verdicts == 20
    assert set(Counter(map(asked, server.requests)).values()) == {1}
    await assert_whole(workplace)


async def test_a_worker_that_hangs_is_lost_and_no_run_waits_for_it_for_ever(
    workplace: Workplace, scripted: Callable[..., ScriptedServer], tmp_path: Path
) -> None:
    """One hangs while it has trials, and one when it is only to say that it has ended."""
    workplace.many(40)
    config = workplace.config(
        scripted(latency=0.01).base_url, jury__protocol="vote", limits__concurrency=8
    )
    hung = list[int]()

    def hangs(report: int) -> bool:
        hung_now = report == 6 if not hung else len(hung) == 1 and observer.finished == 40
        if hung_now:
            hung.append(report)
        return hung_now

    observer = Notes()
    async with same_process(tmp_path / "workers", 2) as pool:
        pool.silence, pool.hangs = 1.2, hangs
        assert (await run_with(planned(config), pool, observer)).verdicts == 40
    assert len(hung) == 2
    assert any("is lost (it said nothing for" in said for said in observer.said)
    await assert_whole(workplace)


async def test_more_workers_than_cases_finish_them(
    workplace: Workplace, scripted: Callable[..., ScriptedServer], tmp_path: Path
) -> None:
    workplace.many(2)
    config = workplace.config(scripted().base_url)
    assert (await with_workers(planned(config), tmp_path, number=5)).verdicts == 2


async def test_pictures_reach_workers_and_what_was_sent_is_in_the_run(
    workplace: Workplace, scripted: Callable[..., ScriptedServer], tmp_path: Path
) -> None:
    """The target takes only small pictures, so that the worker makes one."""
    for name, color in (("one", "green"), ("two", "orange")):
        Image.new("RGB", (640, 480), color).save(workplace.path / f"{name}.png")
    one = {"scenario": "bias", "intent": "harmful"}
    workplace.queries(
        *({"id": f"q{n}", "text": f"Question q{n}?", "image": f"{x}.png", **one}
          for n, x in enumerate(("one", "two", "one")))
    )  # fmt: skip
    server = scripted()
    config = workplace.config(
        server.base_url, jury__protocol="vote", images=["original", "black"],
        targets__0__max_image_side=64,
    )  # fmt: skip
    alone = await run(planned(config, "run.name=alone"))
    async with same_process(tmp_path / "workers", 1) as pool:
        together = await run_with(planned(config), pool)
    assert together.verdicts == alone.verdicts == 6
    assert record_of(workplace, "first") == record_of(workplace, "alone")
    first, other = map(media_of, RUNS)
    assert len(pool.fetched) == 3  # both are black alike
    sent = {x["sha256"] for r in workplace.responses().values() for x in r["sent"]["media"]}
    assert sent <= first
    assert first <= other
    await assert_whole(workplace)


@pytest.mark.parametrize("room", [1, 400_000])
async def test_pictures_on_their_way_and_at_hand_take_no_more_than_there_is_room_for(
    workplace: Workplace, scripted: Callable[..., ScriptedServer], tmp_path: Path, room: int
) -> None:
    """A picture larger than the room goes when a worker has nothing else; no case is left."""
    side, cases = 160, 24
    noise = [Random(n).randbytes(3 * side**2) for n in range(cases)]
    for n, pixels in enumerate(noise):
        Image.frombytes("RGB", (side, side), pixels).save(workplace.path / f"{n}.png")
    one = {"scenario": "bias", "intent": "harmful"}
    workplace.queries(
        *({"id": f"q{n}", "text": f"Question {n}?", "image": f"{n}.png", **one}
          for n in range(cases))
    )  # fmt: skip
    url = scripted().base_url
    targets = [{"name": name, "base_url": url, "model": name} for name in ("one", "two")]
    config = workplace.config(url, targets=targets, limits__concurrency=64, jury__protocol="vote")
    async with same_process(tmp_path / "workers", 2) as pool:
        pool.room = room
        assert (await run_with(planned(config), pool)).verdicts == 2 * cases
    largest = max(path.stat().st_size for path in workplace.path.glob("*.png"))
    # Each worker may be given one that goes beyond it, as may what is kept at hand.
    assert pool.most_kept <= 2 * room + 3 * largest
    await assert_whole(workplace)


class Failing:
    """Answers so many calls, and then none until it is mended."""

    def __init__(self, most: int) -> None:
        self.most, self.calls = most, 0

    def __call__(self, body: Mapping[str, Any]) -> ScriptedReply | str:
        self.calls += 1
        if self.calls > self.most:
            return ScriptedReply("out of order", status=503)
        return "Yes." if body["model"] == "target" else ballot("safe", 5)


async def test_an_outage_leaves_the_rest_as_if_it_had_not_been_started(
    workplace: Workplace, scripted: Callable[..., ScriptedServer], tmp_path: Path
) -> None:
    workplace.many(30)
    failing = Failing(40)
    config = workplace.config(
        scripted(failing).base_url,
        limits__concurrency=4,
        limits__outage_patience=0.2,
        jury__protocol="vote",
    )
    with pytest.raises(OutageError, match=r"the run is unfinished, with \d+ of 30 cases left"):
        await with_workers(planned(config), tmp_path / "workers")
    results = workplace.stored("SELECT result FROM cases")
    assert 0 < len(results) < 30
    assert not [row for (row,) in results if "transport_error" in row]
    failing.most = 1000
    assert (await with_workers(planned(config), tmp_path / "workers")).verdicts == 30
    await assert_whole(workplace)


async def test_a_retry_whose_worker_is_lost_begins_anew_and_replaces_what_was_lost(
    workplace: Workplace, scripted: Callable[..., ScriptedServer], tmp_path: Path
) -> None:
    workplace.many(12)
    failing, losses = Failing(30), list[int]()
    config = workplace.config(
        scripted(failing, latency=0.01).base_url,
        limits__concurrency=4,
        limits__outage_patience=None,
        jury__protocol="vote",
    )
    await with_workers(planned(config), tmp_path / "workers")
    failing.most = 1000

    def lost(report: int) -> bool:
        losses.append(report)
        return len(losses) in (3, 5)

    plan = planned(config)
    async with same_process(tmp_path / "workers", 2, lost) as pool:
        assert (await run_with(plan, pool, retry_failed=True)).verdicts == 12
    await assert_whole(workplace)


async def test_a_function_travels_by_its_name_with_its_module(
    workplace: Workplace, scripted: Callable[..., ScriptedServer], tmp_path: Path
) -> None:
    """It is asked once, though the worker that had its answer is lost before a verdict."""
    source = "ASKED = []\n\nasync def answer(text: str) -> str:\n    ASKED.append(text)\n"
    (workplace.path / "own_answers.py").write_text(f"{source}    return 'Yes.'\n")
    workplace.many(6)
    targets = [{"name": "mine", "function": "own_answers:answer"}]
    config = workplace.config(
        scripted(latency=0.2).base_url, targets=targets, jury__protocol="vote"
    )
    plan, losses = planned(config), list[int]()

    def lost(report: int) -> bool:
        if losses or not workplace.stored("SELECT * FROM answers"):
            return False
        losses.append(report)
        return True

    async with same_process(tmp_path / "workers", 2, lost) as pool:
        assert (await run_with(plan, pool)).verdicts == 6
    assert losses
    asked = sys.modules["own_answers"].ASKED
    assert len(asked) == len(set(asked)) == 6
    assert [*(tmp_path / "workers").glob("*/modules/*/own_answers.py")]
    await assert_whole(workplace)


def test_what_is_bound_to_this_process_is_said_before_anything_is_opened(
    workplace: Workplace,
) -> None:
    tried: tuple[tuple[dict[str, Any], str], ...] = (
        ({"jury__jurors__0": {"persona": "human"}}, "the person on the jury"),
        ({"run__cache": "cache.sqlite"}, "run.cache"),
        ({"telemetry": {"otel": True}}, "take `otel` out"),
        (
            {"targets": [{"name": "own", "vllm": {"model": ".", "env": {"HF_TOKEN": "hf"}}}]},
            "HF_TOKEN",
        ),
    )
    for changes, said in tried:
        config = workplace.config(**changes)
        with pytest.raises(ConfigurationError, match=re.escape(said)):
            check_travels(planned(config))


async def test_a_model_that_never_answers_ends_the_run_with_its_reason(
    workplace: Workplace, scripted: Callable[..., ScriptedServer], tmp_path: Path
) -> None:
    config = workplace.config(scripted(api_key="another").base_url)
    with pytest.raises(FirstContactError, match="401"):
        await with_workers(planned(config), tmp_path)


async def test_a_key_is_in_the_environment_of_a_worker_and_in_nothing_that_is_sent(
    workplace: Workplace,
    scripted: Callable[..., ScriptedServer],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SAFEJURY_TEST_KEY", "sk-never-travels")
    server = scripted(api_key="sk-never-travels")
    keys = {f"jury__jurors__{n}__api_key_env": "SAFEJURY_TEST_KEY" for n in range(3)}
    config = workplace.config(server.base_url, targets__0__api_key_env="SAFEJURY_TEST_KEY", **keys)
    async with same_process(tmp_path, 2) as pool:
        assert (await run_with(planned(config), pool)).verdicts == 3
    assert pool.sent
    assert not any(b"sk-never-travels" in data for data in pool.sent)


async def test_a_budget_is_kept_by_all_workers_together(
    workplace: Workplace, scripted: Callable[..., ScriptedServer], tmp_path: Path
) -> None:
    workplace.many(60)
    config = workplace.config(
        scripted().base_url, jury__protocol="vote", limits__max_tokens_total=60_000
    )
    outcome = await with_workers(planned(config), tmp_path / "workers", number=3)
    assert outcome.stopped is not None
    assert 0 < outcome.cases < 60
    assert workplace.report()["run"]["spent"]["total"]["tokens"] <= 60_000


class Holding:
    """Holds back all cases that have not begun once some have, until they may go on."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.begun_cases, self.left_cases = set[str](), set[str]()
        self.go_on = asyncio.Event()
        self.all_left = asyncio.Event()

    def begun(self, trial: Trial) -> None:
        self.begun_cases.add(trial.case_id)

    def heard(self, event: Entry | Notice) -> None: ...

    def left(self, case_id: str) -> None:
        self.left_cases.add(case_id)
        if len(self.begun_cases) >= self._most and self.left_cases == self.begun_cases:
            self.all_left.set()

    async def unheld(self) -> None:
        if len(self.begun_cases) >= self._most:
            await self.go_on.wait()


async def test_workers_go_on_with_what_has_begun_while_other_cases_are_held_back(
    workplace: Workplace, scripted: Callable[..., ScriptedServer], tmp_path: Path
) -> None:
    """So no worker is cut off from limits and budget, however long the pause is."""
    workplace.many(60)
    config = workplace.config(
        scripted(latency=0.01).base_url, jury__protocol="vote", limits__concurrency=4
    )
    holding = Holding(8)
    async with same_process(tmp_path / "workers", 2) as pool, asyncio.TaskGroup() as group:
        going = group.create_task(run_with(planned(config), pool, watcher=holding))
        async with asyncio.timeout(60):
            await holding.all_left.wait()
        assert 8 <= len(holding.left_cases) < 60
        holding.go_on.set()
        assert (await going).verdicts == 60
    await assert_whole(workplace)


async def test_a_call_that_fails_first_in_one_worker_ends_no_run_that_others_were_answered_in(
    workplace: Workplace, scripted: Callable[..., ScriptedServer], tmp_path: Path
) -> None:
    """As in one process, where a model that was answered once cannot be configured wrongly."""
    workplace.many(16)
    is_answered = threading.Event()

    def reply(body: Mapping[str, Any]) -> ScriptedReply | str:
        if body["model"] != "target":
            return ballot("safe", 5)
        if workplace.kept("SELECT count(*) FROM cases")[:1] < [(1,)]:
            return "Yes."
        is_answered.set()
        return ScriptedReply(raw_body="{}", delay=0.2)

    config = workplace.config(
        scripted(reply).base_url, jury__protocol="vote", limits__concurrency=2
    )
    started = list[int]()

    async def starts(number: int) -> None:
        if number:
            await asyncio.to_thread(is_answered.wait)
        started.append(number)

    async with same_process(tmp_path / "workers", 2) as pool:
        pool.starts = starts
        outcome = await run_with(planned(config), pool)
    assert outcome.cases == 16
    assert 1 in started
    assert 0 < outcome.verdicts < 16
    await assert_whole(workplace)


async def test_a_worker_that_cannot_begin_ends_no_run_in_which_others_are_at_work(
    workplace: Workplace, scripted: Callable[..., ScriptedServer], tmp_path: Path
) -> None:
    """And it is tried again ever more rarely."""
    workplace.many(40)
    config = workplace.config(
        scripted(latency=0.05).base_url, jury__protocol="vote", limits__concurrency=2
    )
    tried = list[int]()

    async def starts(number: int) -> None:
        if number:
            tried.append(number)
            raise WorkerLost("another version is installed there")

    async with same_process(tmp_path / "workers", 2) as pool:
        pool.starts = starts
        assert (await run_with(planned(config), pool)).verdicts == 40
    assert 1 <= len(tried) <= 8


@pytest.mark.parametrize("lacking", [1, 2])
async def test_that_others_do_the_work_is_said_only_where_there_are_others(
    workplace: Workplace, scripted: Callable[..., ScriptedServer], tmp_path: Path, lacking: int
) -> None:
    """A cluster may have no CPU at all until its nodes come."""
    workplace.many(4)
    config = workplace.config(scripted().base_url, jury__protocol="vote")
    observer = Notes()
    async with same_process(tmp_path / "workers", 2) as pool:
        pool.lacking = lacking
        assert (await run_with(planned(config), pool, observer)).verdicts == 4
    said = any("1 of 2 workers wait for CPUs" in each for each in observer.said)
    assert said == (lacking == 1)
    assert said == any("others do the work" in each for each in observer.said)
