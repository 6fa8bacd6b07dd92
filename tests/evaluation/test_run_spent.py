"""A report says all that a run spent, and what of it is in no target's figures."""

import csv
import io
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from safejury.evaluation import RecordReader
from safejury.testing import ScriptedReply, ScriptedServer, ballot

Start = Callable[..., ScriptedServer]
Body = Mapping[str, object]
USED = {"prompt_tokens": 100, "completion_tokens": 20}
PRICE = {"input": 1000.0, "output": 1000.0}
PRICES = {
    "targets__0__price": PRICE,
    **{f"jury__jurors__{seat}__price": PRICE for seat in range(3)},
}


class Troubled:
    """A server that gives q1 no words and a juror of q2 none either, once; q4 is never judged."""

    def __init__(self) -> None:
        self._failed = Counter[str]()

    def __call__(self, body: Body) -> ScriptedReply:
        asked, model = str(body["messages"]), str(body["model"])
        if model == "sceptic-model" and "Question 4?" in asked:
            return ScriptedReply("insufficient balance", status=402)
        if model == "target":
            text = "" if self._is_first("empty", "Question 1?" in asked) else "An answer."
            return ScriptedReply(text, usage=USED)
        if model == "lawyer-model" and self._is_first("broken", "Question 2?" in asked):
            return ScriptedReply("oops", status=500)
        split = "safe" if model == "clinician-model" else "unsafe"
        return ScriptedReply(ballot(split, 5 if split == "safe" else 1), usage=USED)

    def _is_first(self, what: str, holds: bool) -> bool:
        self._failed[what] += holds
        return holds and self._failed[what] == 1


def test_what_the_targets_took_and_the_rest_add_up_to_what_the_run_spent(
    workplace: Any, scripted: Start
):
    """After an empty reply, a lost ballot, a second hearing and a case that nobody judged."""
    workplace.queries(
        *(
            {"id": f"q{n}", "scenario": "bias", "text": f"Question {n}?", "intent": "harmful"}
            for n in range(1, 5)
        )
    )
    config = workplace.config(scripted(Troubled()).base_url, limits__concurrency=1, **PRICES)
    for again in ((), ("--retry-failed",)):
        ended = workplace.safejury("run", config, *again)
        assert ended.code == 3
        assert "insufficient balance" in ended.err
    report = workplace.report()
    spent, (target,) = report["run"]["spent"], report["targets"]

    reader = RecordReader(workplace.path / "runs/first")
    tokens, usd, _ = reader.total_cost()
    reader.close()
    assert (spent["total"]["tokens"], spent["total"]["usd"]) == (tokens, pytest.approx(usd))
    assert spent["unfinished"]["tokens"] >= 120  # the target's answer to q4
    assert spent["replaced"]["tokens"] >= 120  # the empty reply, and all that was said in q2
    assert spent["estimated"]["calls"] == target["estimated"]["calls"] == 1
    known = target["tokens"]["known"]
    parts = [known["prompt"] + known["completion"], target["estimated"]["tokens"]]
    parts += [spent[part]["tokens"] for part in ("unfinished", "replaced")]
    assert sum(parts) == tokens
    costs = [target["cost_usd_known"], target["estimated"]["usd"]]
    costs += [spent[part]["usd"] for part in ("unfinished", "replaced")]
    assert sum(costs) == pytest.approx(usd)
    assert target["cost_usd"] is None

    said = f"Whole run: {spent['total']['replies']} replies, {tokens:,} tokens, "
    table = workplace.safejury("report", "runs/first").out
    assert said in " ".join(table.split())
    for form in ("md", "csv"):
        out = workplace.safejury("report", "runs/first", "--format", form).out
        if form == "md":
            assert said in out
            continue
        *_, row = csv.DictReader(io.StringIO(out))
        assert (row["level"], int(row["spent_tokens"])) == ("run", tokens)
        assert int(row["spent_unfinished_tokens"]) == spent["unfinished"]["tokens"]


def test_a_run_that_finished_nothing_says_what_it_spent(workplace: Any, scripted: Start):
    def reply(body: Body) -> ScriptedReply:
        if body["model"] == "sceptic-model":
            return ScriptedReply("insufficient balance", status=402)
        return ScriptedReply("So." if body["model"] == "target" else ballot("safe", 5), usage=USED)

    config = workplace.config(scripted(reply).base_url, **PRICES)
    assert workplace.safejury("run", config).code in (2, 3)
    report = workplace.report()
    assert report["targets"][0]["cost_usd"] is None
    assert report["run"]["spent"]["total"]["usd"] > 0
    accepted = ("--min-coverage", "0")
    out = workplace.safejury("report", "runs/first", "--format", "md", *accepted).out
    assert "$0.00" not in out
    assert "for unfinished cases" in out


def test_a_limit_that_was_exceeded_is_said_with_by_how_much(workplace: Any, scripted: Start):
    """Nothing tells beforehand that the first call takes ten times what it may."""
    much = {"prompt_tokens": 100, "completion_tokens": 20_000}
    config = workplace.config(
        scripted(ScriptedReply("So.", usage=much)).base_url, limits__max_tokens_total=6_000
    )
    ended = workplace.safejury("run", config)
    assert ended.code == 3
    said = "limits.max_tokens_total of 6,000 was exceeded by 14,100 tokens"
    assert said in " ".join(ended.out.split())
    assert said in " ".join(workplace.report()["run"]["notes"])


def test_a_juror_that_cannot_be_read_is_told_in_every_format(workplace: Any, scripted: Start):
    def reply(body: Body) -> str:
        if body["model"] == "lawyer-model":
            return "I would rather not use JSON."
        return "An answer." if body["model"] == "target" else ballot("safe", 5)

    ended = workplace.safejury("run", workplace.config(scripted(reply).base_url))
    assert ended.code == 0, ended.err
    warning = "of ballots could not be read (unparsed)"
    report = workplace.report()
    assert any(warning in line for line in report["run"]["warnings"])
    lawyer = report["targets"][0]["jurors"]["lawyer"]
    assert (lawyer["verdicts_lacking"], lawyer["verdicts_without_vote"]) == (0, 3)
    out = workplace.safejury("report", "runs/first", "--format", "md").out
    assert "100.0 % not lost to failed calls or the budget, 3 verdicts lack its vote" in out
    assert warning in out
    rows = workplace.csv()
    (row,) = [row for row in rows if row["name"] == "lawyer"]
    assert row["verdicts_without_vote"] == "3"
    assert warning in rows[-1]["warnings"]
