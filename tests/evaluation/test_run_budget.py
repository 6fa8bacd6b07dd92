"""A run's budget holds when replies are lost, and the report says what of it is estimated."""

import csv
import json
import time
from collections.abc import Callable, Mapping
from io import StringIO
from typing import Any

import pytest

from safejury.testing import ScriptedReply, ScriptedServer, ballot

Start = Callable[..., ScriptedServer]
Body = Mapping[str, object]
CAP = 20_000


class Meter:
    """Counts the tokens that a server works on, whether its replies arrive or not.

    Args:
        begins_well: Whether the first reply of each model is as it should be.
        reply: How all others are.
    """

    def __init__(self, *, begins_well: bool = False, **reply: Any) -> None:
        self.tokens = 0
        self._begins_well = begins_well
        self._reply = reply
        self._met = set[object]()

    def __call__(self, body: Body) -> ScriptedReply:
        size = len(json.dumps(body)) // 4
        self.tokens += size + 50
        text = "An answer." if body["model"] == "target" else ballot("safe", 5)
        if self._begins_well and body["model"] not in self._met:
            self._met.add(body["model"])
            return ScriptedReply(text, usage={"prompt_tokens": size, "completion_tokens": 50})
        return ScriptedReply(text, **self._reply)


@pytest.mark.slow
@pytest.mark.parametrize(
    "lost",
    [
        {"truncate": True},
        {"drop": True},
        {"raw_body": "{"},
        {"usage": None},
        {"usage": {"prompt_tokens": 0, "completion_tokens": 0}},
        {"usage": {"prompt_tokens": -(10**6), "completion_tokens": -1}},
        {"usage": {"prompt_tokens": 10**9, "completion_tokens": 0}},
    ],
)
def test_a_budget_holds_whatever_becomes_of_the_replies(
    lost: dict[str, Any], workplace: Any, scripted: Start
):
    workplace.many(40)
    meter = Meter(begins_well=True, **lost)
    changes = {"limits__max_tokens_total": CAP, "limits__attempts": 3, "run__max_tokens": 100}
    changes |= {"limits__outage_patience": 0.3}  # a server that cuts all replies is taken for down
    config = workplace.config(scripted(meter).base_url, **changes)
    for again in ((), ("--retry-failed",)):
        assert workplace.safejury("run", config, *again).code in (2, 3)
        assert 0 < meter.tokens <= CAP
    report = workplace.report()
    (target,) = report["targets"]
    charged = [
        target["estimated"],
        report["run"]["estimated_elsewhere"] or {"calls": 0, "tokens": 0},
    ]
    assert sum(part["calls"] for part in charged) > 0
    told = target["tokens"]["known"]
    assert min(told.values()) >= 0
    assert meter.tokens // 4 < sum(part["tokens"] for part in charged) <= CAP


def test_a_call_that_the_whole_limit_does_not_cover_leaves_the_cases_unstarted(
    workplace: Any, scripted: Start
):
    server = scripted(Meter(usage={"prompt_tokens": 100, "completion_tokens": 10}))
    config = workplace.config(server.base_url, limits__max_tokens_total=500)
    ended = workplace.safejury("run", config)
    assert ended.code == 3
    assert "does not cover a call of up to" in ended.err
    assert "3 cases of 3 not started" in ended.err
    assert (server.stats.calls, workplace.stored("SELECT 1 FROM cases")) == (0, [])
    config = workplace.config(server.base_url, limits__max_tokens_total=100_000)
    assert workplace.safejury("run", config).code == 0


def test_every_format_says_what_is_estimated(workplace: Any, scripted: Start):
    price = {"input": 1.0, "output": 1.0}
    server = scripted(Meter(usage={"prompt_tokens": 0, "completion_tokens": -5}))
    config = workplace.config(
        server.base_url,
        targets__0__price=price,
        **{f"jury__jurors__{seat}__price": price for seat in range(3)},
    )
    ended = workplace.safejury("run", config)
    assert ended.code == 0, ended.err
    (target,) = workplace.report()["targets"]
    assert (target["calls"], target["estimated"]["calls"]) == (12, 12)
    assert target["estimated"]["usd"] == pytest.approx(target["estimated"]["tokens"] / 1e6)
    assert (target["cost_usd"], target["cost_usd_known"]) == (None, 0)
    assert (target["tokens"]["prompt"], target["tokens"]["completion"]) == (None, None)

    tokens = target["estimated"]["tokens"]
    said = f"reported no credible usage and count at what was reserved: {tokens:,} tokens"
    assert said in " ".join(ended.out.split())
    assert said in workplace.safejury("report", "runs/first", "--format", "md").out
    text = workplace.safejury("report", "runs/first", "--format", "csv").out
    row = next(csv.DictReader(StringIO(text)))
    assert int(row["estimated_calls"]) == 12
    assert int(row["estimated_tokens"]) == tokens
    assert float(row["estimated_cost_usd"]) == target["estimated"]["usd"]


def test_a_cost_counts_every_known_call(workplace: Any, scripted: Start):
    """A target of unknown price does not hide what the jury cost."""
    used = {"prompt_tokens": 100, "completion_tokens": 10}
    price = {"input": 1000.0, "output": 1000.0}
    config = workplace.config(
        scripted(Meter(usage=used)).base_url,
        **{f"jury__jurors__{seat}__price": price for seat in range(3)},
    )
    ended = workplace.safejury("run", config)
    assert ended.code == 0, ended.err
    (target,) = workplace.report()["targets"]
    # Nine ballots of 110 tokens at a thousandth of a dollar each.
    assert target["cost_usd"] is None
    assert target["cost_usd_known"] == pytest.approx(9 * 0.11)
    assert "≥$0.99" in ended.out


def test_a_silent_provider_has_unknown_tokens_in_the_verdict(workplace: Any, scripted: Start):
    config = workplace.config(scripted(Meter(usage=None)).base_url, jury__protocol="vote")
    assert workplace.safejury("run", config).code == 0
    rows = workplace.stored("SELECT body FROM entries WHERE kind = 'VerdictAnnounced'")
    usages = [json.loads(body)["verdict"]["usage"] for (body,) in rows]
    nothing = {"prompt_tokens": None, "cached_tokens": None, "completion_tokens": None}
    assert usages == [nothing] * 3


def test_charges_outlive_a_kill(workplace: Any, scripted: Start):
    """What timed out was paid for: the process that goes on counts it."""
    workplace.many(4)
    server = scripted(ScriptedReply(hang=True))
    config = workplace.config(
        server.base_url,
        targets__0__timeout=0.5,
        limits__max_tokens_total=1_300,
        limits__concurrency=1,
    )
    with workplace.start("run", config) as process:
        while not workplace.kept("SELECT 1 FROM charges WHERE kind = 'estimated'"):
            assert process.poll() is None
            time.sleep(0.02)  # or the server, in this process too, is late to answer
        process.kill()
    calls = server.stats.calls
    assert workplace.safejury("run", config).code == 3
    # 1,300 tokens cover one call of up to 1,034, and no second one.
    assert (calls, server.stats.calls) == (1, 1)


@pytest.mark.parametrize("cases", [60])
def test_near_the_cap_cases_are_finished_before_others_are_begun(
    cases: int, workplace: Any, scripted: Start
):
    """With a cap that covers half the calls, hardly a response is paid for without a verdict."""
    workplace.many(cases)
    responses = [0]
    used = {"prompt_tokens": 900, "completion_tokens": 100}

    def reply(body: Body) -> ScriptedReply:
        responses[0] += body["model"] == "target"
        text = "An answer." if body["model"] == "target" else ballot("safe", 5)
        return ScriptedReply(text, usage=used)

    server = scripted(reply, latency=0.005)
    changes = {"limits__max_tokens_total": cases * 4 * 1_000 // 2, "limits__concurrency": 16}
    config = workplace.config(server.base_url, **changes)
    ended = workplace.safejury("run", config)
    assert ended.code == 3
    (target,) = workplace.report()["targets"]
    assert responses[0] - target["verdicts"] <= 1
    assert target["verdicts"] >= 0.9 * cases / 2
    # The others are as if nobody had heard of them, and the same command goes on.
    left = cases - target["cases"]
    assert f"{left} cases of 60 not started. Resume with: safejury run" in ended.err
    assert target["outcomes"]["responses"]["error"] == 0

    config = workplace.config(server.base_url, limits__max_tokens_total=10**9)
    assert workplace.safejury("run", config, "--retry-failed").code == 0
    assert workplace.report()["targets"][0]["verdicts"] == cases
    assert responses[0] == cases


@pytest.mark.parametrize("limit", ["tokens", "usd"])
def test_no_wave_of_cases_begins_before_it_is_known_how_much_jurors_think(
    limit: str, workplace: Any, scripted: Start
):
    """Jurors take ten times their cap; the limit covers four cases, or thirty as expected."""
    workplace.many(40)
    responses = [0]

    def reply(body: Body) -> ScriptedReply:
        responses[0] += body["model"] == "target"
        if body["model"] == "target":
            usage = {"prompt_tokens": 900, "completion_tokens": 100}
            return ScriptedReply("An answer.", usage=usage)
        usage = {"prompt_tokens": 1_000, "completion_tokens": 30_000}
        return ScriptedReply(ballot("safe", 5), usage=usage)

    changes: dict[str, Any] = {"limits__max_tokens_total": 4 * 95_000}
    if limit == "usd":
        price = {"input": 1.0, "output": 1.0}
        changes = {f"jury__jurors__{seat}__price": price for seat in range(3)}
        changes |= {"targets__0__price": price, "limits__max_cost_usd": 4 * 95_000 / 1e6}
    changes |= {"limits__concurrency": 16, "jury__protocol": "vote"}
    config = workplace.config(scripted(reply, latency=0.005).base_url, **changes)
    assert workplace.safejury("run", config).code == 3
    (target,) = workplace.report()["targets"]
    assert target["verdicts"] >= 3
    assert responses[0] - target["verdicts"] <= 1
