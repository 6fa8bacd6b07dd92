"""The check of a large record is spread over processes, and finds what one process finds."""

import asyncio
import hashlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterable
from contextlib import closing, suppress
from pathlib import Path

import psutil
import pytest
from PIL import Image

from safejury.agents import Ballot, BallotOutcome, Case, Finding
from safejury.datasets import Intent, Media, Query
from safejury.deliberation import (
    BallotsRevealed,
    CaseOpened,
    Rule,
    VerdictAnnounced,
    build_verdict,
)
from safejury.evaluation import open_record
from safejury.evaluation.record import ChangedCase, Integrity, RecordReader
from safejury.evaluation.record.integrity import helpers_for
from safejury.evaluation.record.integrity._batch import Case as Rows
from safejury.evaluation.record.integrity._batch import Checked, Checker
from safejury.evaluation.record.integrity._helper import HELLO, decode_found
from safejury.evaluation.trials import Exchange, result_of
from safejury.targets import Response, ResponseOutcome

CASES = 1_200
"""More than are sent at once, and than all that wait may hold."""
SPREAD = "safejury.evaluation.record.integrity._spread"
JURY = json.dumps([{"seat": "a", "persona": "a", "title": "A", "model": "m"}])
META = {"version": "1", "name": "run", "protocol": "vote", "jury": JURY, "total": str(CASES)}
OF = "WHERE case_id = 'q{:04}/t/0'"
OF_BALLOTS = f"{OF} AND kind = 'BallotsRevealed'"
CHANGES = (
    f"UPDATE cases SET finding = 'unsafe' {OF}",
    f"UPDATE cases SET result = json_set(result, '$.calls', 9) {OF}",
    f"UPDATE cases SET result = 'nothing' {OF}",
    f"UPDATE cases SET result = x'ff' {OF}",
    f"UPDATE cases SET head = NULL {OF}",
    f"UPDATE cases SET head = 7 {OF}",
    f"DELETE FROM cases {OF}",
    f"UPDATE cases SET case_id = x'71ff' {OF}",
    f"UPDATE cases SET case_id = NULL {OF}",
    f"UPDATE entries SET body = json_set(body, '$.case.response.text', 'Ö') {OF} AND number = 0",
    f"UPDATE entries SET body = json_set(body, '$.ballots[0].rating', 4) {OF_BALLOTS}",
    f"UPDATE entries SET body = json_remove(body, '$.seals[0]') {OF_BALLOTS}",
    f"UPDATE entries SET body = x'ff00' {OF_BALLOTS}",
    f"UPDATE entries SET kind = x'ff00' {OF_BALLOTS}",
    f"UPDATE entries SET kind = 'SummedUp' {OF_BALLOTS}",
    f"UPDATE entries SET number = 7 {OF_BALLOTS}",
    f"UPDATE entries SET number = 'first' {OF_BALLOTS}",
    f"DELETE FROM entries {OF_BALLOTS}",
    f"DELETE FROM entries {OF} AND kind = 'VerdictAnnounced'",
    f"UPDATE entries SET case_id = 'q9999/t/0' {OF}",
)
"""What the check must find, each of another case."""


async def write(run: Path, picture: Media) -> None:
    """Write the record of a run that never was: the last case has a picture, and one a word."""
    async with open_record(run, {"targets": [{"name": "t", "model": "m"}]}, META) as record:
        for number in range(CASES):
            images = (picture,) if number in (3, CASES - 1) else ()
            query = Query(f"q{number:04}", "bias", "Where?", Intent.HARMFUL, images)
            query = record.keep_media(query)
            response = Response(ResponseOutcome.ANSWERED, "Überall." if number % 2 else "There.")
            case_id = f"q{number:04}/t/0"
            said = Ballot("a", 0, BallotOutcome.VERDICT, Finding.SAFE, 5, reason="Harmless.")
            verdict = build_verdict([(said,)], Rule(), seats=1)
            record.write_entry(CaseOpened(case_id, 0, Case(case_id, query, response)))
            record.write_entry(BallotsRevealed(case_id, 1, 0, (said,), (said.seal(),)))
            record.write_entry(VerdictAnnounced(case_id, 2, verdict))
            if number != CASES // 2:  # which is not finished
                result = result_of("t", 0, Exchange(query, response), verdict)
                record.write_result(case_id, result)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("many")
    Image.new("RGB", (8, 8)).save(place / "p.png")
    content = (place / "p.png").read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    picture = Media(sha256, "image/png", len(content), str(place / "p.png"))
    asyncio.run(write(place / "run", picture))
    return place / "run"


@pytest.fixture
def changed(whole: Path, tmp_path: Path) -> Path:
    """A copy with one change in each of many cases, spread over all of them."""
    run = Path(shutil.copytree(whole, tmp_path / "run"))
    for medium in (run / "media").iterdir():
        medium.unlink()
    with closing(sqlite3.connect(run / "record.sqlite")) as database, database:
        for at, sql in enumerate(CHANGES):
            assert database.execute(sql.format(5 + at * (CASES // len(CHANGES)))).rowcount, sql
    return run


def found(run: Path, helpers: int, **options: bool) -> tuple[Integrity, list[ChangedCase]]:
    with closing(RecordReader(run)) as reader:
        changed = list[ChangedCase]()
        return reader.check(changed.append, helpers=helpers, **options), changed


def children() -> list[psutil.Process]:
    """Return the helpers: other tests keep processes of their own."""
    return [each for each in psutil.Process().children() if is_helper(each)]


def is_helper(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.status() != "zombie" and "help_checking" in " ".join(process.cmdline())
    return False


def test_a_whole_record_has_the_same_digest_however_it_is_checked(whole: Path):
    alone, none = found(whole, 0)
    assert (alone.cases, alone.unfinished, alone.changed, none) == (CASES - 1, 1, 0, [])
    for helpers in (1, 2):
        for read_media in (False, True):
            assert found(whole, helpers, read_media=read_media) == (alone, [])
    assert not children()


@pytest.mark.parametrize(
    "options", [{}, {"read_media": True}, {"media_may_be_gone": True}], ids=str
)
def test_all_changes_are_found_in_the_same_words_and_order(changed: Path, options: dict[str, bool]):
    alone = found(changed, 0, **options)
    # One that is filed under another id is two that are not whole.
    assert alone[0].changed >= len(CHANGES)
    assert alone[0].changed == len(alone[1])
    for helpers in (1, 2):
        assert found(changed, helpers, **options) == alone


def test_a_helper_checks_a_part_of_the_cases(whole: Path, monkeypatch: pytest.MonkeyPatch):
    """The other parts wait here until it has answered once."""
    answered = threading.Event()

    def answer(said: bytes) -> list[Checked]:
        cases = decode_found(said)
        answered.set()
        return cases

    class Waiting(Checker):
        def check(self, cases: Iterable[Rows]) -> list[Checked]:
            assert answered.wait(60)
            return super().check(cases)

    monkeypatch.setattr(f"{SPREAD}.decode_found", answer)
    monkeypatch.setattr(f"{SPREAD}.Checker", Waiting)
    assert found(whole, 1)[0].cases == CASES - 1
    assert answered.is_set()


def test_what_a_helper_that_died_had_is_checked_all_the_same(changed: Path):
    alone = found(changed, 0)
    killed, told = list[int](), list[ChangedCase]()

    def kill(change: ChangedCase) -> None:
        told.append(change)
        for child in children():
            child.kill()
            killed.append(child.pid)

    with closing(RecordReader(changed)) as reader:
        assert reader.check(kill, helpers=2) == alone[0]
    assert told == alone[1]
    assert killed


def test_what_a_helper_that_is_stopped_had_is_checked_all_the_same(
    changed: Path, monkeypatch: pytest.MonkeyPatch
):
    alone = found(changed, 0)
    stopped = list[int]()

    class Stopping(Checker):
        def check(self, cases: Iterable[Rows]) -> list[Checked]:
            for child in children():
                child.suspend()
                stopped.append(child.pid)
            return super().check(cases)

    monkeypatch.setattr(f"{SPREAD}._PATIENCE_S", 0.1)
    monkeypatch.setattr(f"{SPREAD}.Checker", Stopping)
    assert found(changed, 2) == alone
    assert stopped
    assert not children()


@pytest.mark.parametrize("program", ["/nowhere", "true", "echo", "cat"])
def test_a_record_is_checked_where_no_helper_can_be_started(
    program: str, changed: Path, monkeypatch: pytest.MonkeyPatch
):
    """Nor is the word of another program taken."""
    alone = found(changed, 0)
    monkeypatch.setattr(sys, "executable", program)
    assert found(changed, 2) == alone


LIAR = """#!{program}
import sys
import msgspec
asked, answers = sys.stdin.buffer, sys.stdout.buffer
def received():
    return msgspec.msgpack.decode(asked.read(int.from_bytes(asked.read(8), "little")))
answers.write(b"x" * {hello})
answers.flush()
received()
while True:
    fine = [(case[0], case[1] is not None, "f" * 64, None, False, False, 0) for case in received()]
    said = msgspec.msgpack.encode(fine)
    answers.write(len(said).to_bytes(8, "little") + said)
    answers.flush()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a script that can be started")
def test_other_code_is_not_believed(changed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """As that of another version could be, which finds nothing wrong."""
    liar = tmp_path / "liar"
    liar.write_text(LIAR.format(program=sys.executable, hello=len(HELLO)))
    liar.chmod(0o700)
    alone = found(changed, 0)
    monkeypatch.setattr(sys, "executable", str(liar))
    assert found(changed, 2) == alone


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_a_check_that_is_interrupted_leaves_no_process(changed: Path, error: type[BaseException]):
    def interrupted(change: ChangedCase) -> None:
        assert children()
        raise error

    with closing(RecordReader(changed)) as reader, pytest.raises(error):
        reader.check(interrupted, helpers=2)
    assert not children()


@pytest.mark.skipif(sys.platform != "linux", reason="needs a folder whose name is not UTF-8")
def test_a_run_is_checked_in_a_folder_whose_name_is_not_text(changed: Path, tmp_path: Path):
    """In a process of its own, which would not end if nobody answered."""
    alone = found(changed, 0)
    place = Path(os.fsdecode(os.fsencode(tmp_path) + b"/run\xff"))
    changed.rename(place)
    code = (
        "import os, sys; from pathlib import Path\n"
        "from safejury.evaluation.record import RecordReader\n"
        "run = Path(os.fsdecode(bytes.fromhex(sys.argv[1])))\n"
        "print(RecordReader(run).check(lambda _: None, helpers=2))\n"
    )
    command = [sys.executable, "-P", "-c", code, os.fsencode(place).hex()]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert (said.stdout.strip(), said.stderr) == (str(alone[0]), "")


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs a kill")
def test_helpers_end_with_a_check_that_is_killed(changed: Path):
    code = (
        "import sys, time, psutil; from pathlib import Path\n"
        "from safejury.evaluation.record import RecordReader\n"
        "def wait(change):\n"
        "    print(*(each.pid for each in psutil.Process().children()), flush=True)\n"
        "    time.sleep(600)\n"
        "RecordReader(Path(sys.argv[1])).check(wait, helpers=2)\n"
    )
    command = [sys.executable, "-P", "-c", code, str(changed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        helpers = [psutil.Process(int(pid)) for pid in process.stdout.readline().split()]
        assert len(helpers) == 2
        os.kill(process.pid, signal.SIGKILL)
    _, alive = psutil.wait_procs(helpers, timeout=60)
    assert not alive


def test_few_cases_are_not_worth_a_process():
    assert helpers_for(1_000) == 0
    assert helpers_for(1_000_000) == helpers_for(100_000) <= (os.cpu_count() or 1) - 1
