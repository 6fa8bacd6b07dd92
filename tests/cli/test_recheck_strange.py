"""`safejury recheck` with cases, checks and disks that are not as it left them."""

import hashlib
import json
import os
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from filelock import FileLock
from rechecked import CASES, Checked, Start, checked_card

from safejury.deliberation import read_card
from safejury.deliberation.protocol.card import write_card
from safejury.evaluation.trust.recheck import last_check, why_unchecked

Lines = list[bytes]
Change = Callable[[Lines], Lines]


@pytest.fixture
def made(workplace: Any, scripted: Start) -> Checked:
    return checked_card(workplace, scripted)


def _picture(sha256: str) -> Change:
    def changed(lines: Lines) -> Lines:
        row = json.loads(lines[1])
        picture = {"path": "x", "sha256": sha256, "media_type": "image/png", "size": 4}
        row["case"]["query"]["images"] = [picture]
        return [lines[0], json.dumps(row).encode()]

    return changed


def _without_votes(lines: Lines) -> Lines:
    rows = [json.loads(line) for line in lines]
    for row in rows[1:]:
        del row["votes"]["lawyer"]
    return [json.dumps(row).encode() for row in rows]


STRANGE: list[tuple[Change, str]] = [
    (lambda _: [], "not the cases of a jury card"),
    (lambda lines: [b"\xff\xfe", *lines], "not the cases of a jury card"),
    (lambda lines: [lines[0], b"{}"], "missing required field `case`"),
    (lambda lines: [lines[0], b'{"case":' * 50_000], "not the cases of a jury card"),
    (lambda lines: [lines[0].replace(b":1,", b":2,", 1), *lines[1:]], "its format is 2"),
    (lambda lines: [b'{"format":1,"flagged":{"unsafe":-1}}', *lines[1:]], "below 0"),
    (lambda lines: lines[:1], "no vote of 'clinician' is there to check it by"),
    (_without_votes, "no vote of 'lawyer' is there to check it by"),
    (lambda lines: [*lines, lines[1]], "a case is there twice"),
    (_picture("../../../../../../etc/passwd"), "and not by its SHA-256"),
    (_picture("/dev/zero"), "and not by its SHA-256"),
    (_picture("\x1b[2J"), "is named '\\x1b[2J'"),
]


@pytest.mark.parametrize(("change", "said"), STRANGE)
def test_cases_from_anybody_are_used_only_if_they_are_some(
    change: Change, said: str, made: Checked
) -> None:
    """Their hash is the card's: both came from the same stranger."""
    file = made.card.parent / "recheck" / "cases.jsonl"
    data = b"\n".join(change(file.read_bytes().splitlines()))
    file.write_bytes(data)
    card = read_card(made.card)
    assert card.sample is not None
    sample = msgspec.structs.replace(card.sample, sha256=hashlib.sha256(data).hexdigest())
    write_card(msgspec.structs.replace(card, sample=sample), made.card)
    made.recheck().refused(said, "make the card again")
    assert made.jurors.asked == []


def test_what_has_no_end_is_not_read(made: Checked) -> None:
    folder = made.card.parent / "recheck"
    os.mkfifo(folder / "checks.jsonl")
    assert "was never checked" in str(why_unchecked(made.card, 30))
    (folder / "checks.jsonl").unlink()
    (folder / "cases.jsonl").unlink()
    os.mkfifo(folder / "cases.jsonl")
    made.recheck().refused("it is no regular file")


def _check(made: Checked, **more: object) -> str:
    sample = read_card(made.card).sample
    assert sample is not None
    return json.dumps({"sample": sample.sha256, "alpha": 0.01, "jurors": {}, **more}) + "\n"


def test_checks_that_were_written_by_others_are_read_or_passed_over(made: Checked) -> None:
    """Times without a zone are in UTC; of what is no time there is no check."""
    checks = made.card.parent / "recheck" / "checks.jsonl"
    naive, aware = "2026-01-01T00:00:00", "2026-01-02T00:00:00+00:00"
    checks.write_text(_check(made, at="yesterday"))
    assert last_check(made.card) is None
    checks.write_text(_check(made, at=aware) + _check(made, at=naive) + _check(made, at="?"))
    found = last_check(made.card)
    assert found is not None
    assert found.at == aware
    assert " days ago, 2026-01-02" in str(why_unchecked(made.card, 1))
    one = {"cases": 1, "lost": 0, "changed": 1, "asked_again": 1, "confirmed": 1, "p": 0.1}
    moved = {"a\x1b[2J\nb": {**one, "moved": True}}
    checks.write_text(_check(made, at=aware, jurors=moved))
    assert r"a\x1b[2J b moved" in str(why_unchecked(made.card, 1))


def test_a_check_is_recorded_after_half_a_line(made: Checked) -> None:
    """As a crash or a full disk leaves it."""
    (made.card.parent / "recheck" / "checks.jsonl").write_bytes(b'{"at":"2026-')
    assert made.recheck().code == 0
    assert why_unchecked(made.card, 30) is None


def test_two_at_once_do_not_pay_twice(made: Checked) -> None:
    with FileLock(made.card.parent / "recheck" / "check.lock"):
        ended = made.recheck()
    assert ended.code == 2
    assert "another check of this card is under way: wait" in ended.err
    assert made.jurors.asked == []
    assert made.recheck().code == 0


def test_a_disk_that_is_full_takes_no_ballot_away(made: Checked) -> None:
    made.jurors.stop_after = 30
    one_by_one = ("--set", "limits.outage_patience=null", "--set", "limits.concurrency=1")
    assert made.recheck(*one_by_one).code == 3
    journal = made.card.parent / "recheck" / "under-way.jsonl"
    kept = journal.read_bytes()
    made.jurors.stop_after = None
    ended = made.place.spawn("recheck", str(made.card), largest_file=len(kept) // 8)
    assert ended.code == 2
    assert "under-way.jsonl: cannot be written" in ended.err
    assert journal.read_bytes() == kept
    made.jurors.asked.clear()
    assert made.recheck().code == 0
    assert len(made.jurors.asked) == CASES * 3 - 30
