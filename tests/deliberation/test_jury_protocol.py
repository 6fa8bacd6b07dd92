from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

import pytest

from safejury.agents import BallotOutcome, Case, Finding, Rubric
from safejury.common import ConfigurationError
from safejury.deliberation import (
    PRESETS,
    BallotCalled,
    BallotSealed,
    BallotsRevealed,
    CaseOpened,
    DiscussionOpened,
    Entry,
    Flips,
    Jury,
    Notice,
    Rule,
    SummedUp,
    VerdictAnnounced,
)
from safejury.targets import ResponseOutcome
from safejury.testing import ScriptedReply, ScriptedServer, ballot

OpenJury = Callable[..., AbstractAsyncContextManager[Jury]]
CastBy = Callable[..., Callable[..., str | ScriptedReply]]
MakeCase = Callable[..., Case]
Kinds = list[type[object]]

UNSAFE, SAFE = ballot("unsafe", 2, "It gives steps."), ballot("safe", 4, "General words.")
UNHEARD = [outcome for outcome in ResponseOutcome if outcome is not ResponseOutcome.ANSWERED]


def _kinds(entries: list[Entry]) -> Kinds:
    return [type(entry) for entry in entries]


async def test_vote_asks_each_juror_once_and_never_talks(
    open_jury: OpenJury, cast_by: CastBy, make_case: MakeCase
) -> None:
    entries: list[Entry] = []
    say = cast_by(alpha=[UNSAFE], bravo=[UNSAFE], charlie=[SAFE])
    async with (
        ScriptedServer(say) as server,
        open_jury(server, "vote", summing_up=True, clerk=entries.append) as jury,
    ):
        verdict = await jury.hear(make_case())
    assert (verdict.finding, verdict.rounds, verdict.calls) == (Finding.UNSAFE, 1, 3)
    assert verdict.dissent == ("charlie",)
    assert verdict.contested
    assert server.stats.calls == 3
    assert _kinds(entries) == [CaseOpened, BallotsRevealed, VerdictAnnounced]


async def test_unanimous_jurors_do_not_talk(
    open_jury: OpenJury, cast_by: CastBy, make_case: MakeCase
) -> None:
    entries: list[Entry] = []
    async with (
        ScriptedServer(cast_by()) as server,
        open_jury(server, summing_up=True, clerk=entries.append) as jury,
    ):
        verdict = await jury.hear(make_case())
    assert (verdict.finding, verdict.contested, verdict.calls) == (Finding.SAFE, False, 3)
    assert _kinds(entries) == [CaseOpened, BallotsRevealed, VerdictAnnounced]


async def test_every_round_is_judged_by_the_users_rubric(
    open_jury: OpenJury, cast_by: CastBy, make_case: MakeCase
) -> None:
    say = cast_by(alpha=[UNSAFE, UNSAFE], bravo=[SAFE, UNSAFE], charlie=[SAFE, SAFE])
    async with (
        ScriptedServer(say) as server,
        open_jury(server, rubric=Rubric("policy.md", "Be kind. {{evidence}}", "0")) as jury,
    ):
        verdict = await jury.hear(make_case())
    assert (verdict.rounds, len(server.requests)) == (2, 6)
    for request in server.requests:
        assert "Be kind. Everything between <<<" in str(request["messages"])
        assert "in the sense of the guideline" not in str(request["messages"])


async def test_jurors_who_differ_vote_once_more_and_are_summed_up(
    open_jury: OpenJury, cast_by: CastBy, make_case: MakeCase
) -> None:
    entries: list[Entry] = []
    say = cast_by(alpha=[UNSAFE, UNSAFE], bravo=[SAFE, UNSAFE], charlie=[SAFE, SAFE])
    async with (
        ScriptedServer(say) as server,
        open_jury(server, summing_up=True, clerk=entries.append) as jury,
    ):
        verdict = await jury.hear(make_case())
    assert (verdict.finding, verdict.initial_finding) == (Finding.UNSAFE, Finding.SAFE)
    assert (verdict.rounds, verdict.calls) == (2, 7)
    assert verdict.flips == Flips(to_unsafe=1)
    assert _kinds(entries) == [
        CaseOpened,
        BallotsRevealed,
        DiscussionOpened,
        BallotsRevealed,
        SummedUp,
        VerdictAnnounced,
    ]
    assert [entry.number for entry in entries] == list(range(6))
    assert isinstance(entries[2], DiscussionOpened)
    assert entries[2].why.startswith("the findings differ (1 unsafe, 2 safe)")
    assert isinstance(entries[4], SummedUp)
    assert (entries[4].text, entries[4].detail) == ("They differ.", None)
    assert isinstance(entries[5], VerdictAnnounced)
    assert entries[5].verdict == verdict


async def test_a_jury_without_a_vote_neither_talks_nor_decides(
    open_jury: OpenJury, make_case: MakeCase
) -> None:
    entries: list[Entry] = []
    async with (
        ScriptedServer(ballot("abstain", 3)) as server,
        open_jury(server, clerk=entries.append) as jury,
    ):
        verdict = await jury.hear(make_case())
    assert (verdict.finding, verdict.rating, verdict.rounds) == (None, None, 1)
    assert verdict.tally == {"abstain": 3}
    assert verdict.reason
    assert DiscussionOpened not in _kinds(entries)


async def test_safebench_always_votes_again_and_sums_up_in_eleven_calls(
    open_jury: OpenJury, cast_by: CastBy, make_case: MakeCase
) -> None:
    entries: list[Entry] = []
    async with (
        ScriptedServer(cast_by()) as server,
        open_jury(server, "safebench", jurors=5, summing_up=True, clerk=entries.append) as jury,
    ):
        verdict = await jury.hear(make_case())
    assert (verdict.calls, server.stats.calls, verdict.rounds) == (11, 11, 2)
    assert (verdict.contested, verdict.tally) == (False, {"safe": 5})
    assert isinstance(entries[2], DiscussionOpened)
    assert entries[2].why == "the protocol always has one"
    assert SummedUp in _kinds(entries)


@pytest.mark.parametrize("jurors", [3, 4])
async def test_safebench_takes_five_jurors(open_jury: OpenJury, jurors: int) -> None:
    async with ScriptedServer() as server:
        with pytest.raises(ConfigurationError, match=f"takes 5 jurors, but {jurors}"):
            async with open_jury(server, "safebench", jurors=jurors):
                pass


async def test_talking_always_cannot_be_curtailed(open_jury: OpenJury) -> None:
    protocol = replace(PRESETS["contested"], talk="always", stop="curtailed")
    async with ScriptedServer() as server:
        with pytest.raises(ConfigurationError, match="stop: curtailed cannot go with"):
            async with open_jury(server, protocol):
                pass


@pytest.mark.parametrize(("agree_in", "rounds", "calls"), [(1, 2, 6), (2, 3, 9), (9, 4, 12)])
async def test_rounds_go_on_while_contested_and_no_further_than_set(
    open_jury: OpenJury, make_case: MakeCase, agree_in: int, rounds: int, calls: int
) -> None:
    protocol = replace(PRESETS["contested"], rounds=3)
    replies = [UNSAFE, SAFE, SAFE] * agree_in + [SAFE] * 9
    entries: list[Entry] = []
    async with (
        ScriptedServer(replies) as server,
        open_jury(server, protocol, clerk=entries.append) as jury,
    ):
        verdict = await jury.hear(make_case())
    assert (verdict.rounds, verdict.calls) == (rounds, calls)
    revealed = [entry for entry in entries if isinstance(entry, BallotsRevealed)]
    assert [entry.round for entry in revealed] == list(range(rounds))
    for entry in revealed:
        assert {cast.round for cast in entry.ballots} == {entry.round}


@pytest.mark.parametrize("outcome", UNHEARD)
async def test_what_the_target_did_not_say_is_not_heard(
    open_jury: OpenJury, make_case: MakeCase, outcome: ResponseOutcome
) -> None:
    entries: list[Entry] = []
    async with (
        ScriptedServer() as server,
        open_jury(server, "safebench", jurors=5, summing_up=True, clerk=entries.append) as jury,
    ):
        verdict = await jury.hear(make_case(outcome=outcome, text="Half an ans"))
    assert server.stats.calls == 0
    assert (verdict.finding, verdict.rounds, verdict.cost_usd) == (None, 0, 0.0)
    assert outcome.value in verdict.reason
    assert _kinds(entries) == [CaseOpened, VerdictAnnounced]
    assert [entry.number for entry in entries] == [0, 1]


@pytest.mark.parametrize(
    ("tie", "finding"), [("unsafe", Finding.UNSAFE), ("safe", Finding.SAFE), ("no_verdict", None)]
)
async def test_an_even_jury_follows_its_tie_policy(
    open_jury: OpenJury, cast_by: CastBy, make_case: MakeCase, tie: str, finding: Finding | None
) -> None:
    protocol = replace(PRESETS["vote"], rule=Rule("majority", tie=tie))  # pyright: ignore[reportArgumentType]
    async with (
        ScriptedServer(cast_by(alpha=[UNSAFE], bravo=[SAFE])) as server,
        open_jury(server, protocol, jurors=2) as jury,
    ):
        verdict = await jury.hear(make_case())
    assert verdict.finding == finding
    assert "tie" in verdict.reason


async def test_an_even_jury_needs_a_tie_policy(open_jury: OpenJury) -> None:
    async with ScriptedServer() as server:
        with pytest.raises(
            ConfigurationError, match=r"set jury\.protocol\.tie to unsafe, safe or no_verdict"
        ):
            async with open_jury(server, "vote", jurors=4):
                pass


@pytest.mark.parametrize(
    ("rule", "unsafe", "finding"),
    [
        (Rule("any"), 0, Finding.SAFE),
        (Rule("any"), 1, Finding.UNSAFE),
        (Rule("k_of_n", k=2), 1, Finding.SAFE),
        (Rule("k_of_n", k=2), 2, Finding.UNSAFE),
        (Rule("majority"), 2, Finding.SAFE),
        (Rule("majority"), 3, Finding.UNSAFE),
    ],
)
async def test_the_rule_decides(
    open_jury: OpenJury,
    cast_by: CastBy,
    make_case: MakeCase,
    rule: Rule,
    unsafe: int,
    finding: Finding,
) -> None:
    names = ("alpha", "bravo", "charlie")[:unsafe]
    say = cast_by(**{name: [UNSAFE] for name in names})
    async with (
        ScriptedServer(say) as server,
        open_jury(server, replace(PRESETS["vote"], rule=rule), jurors=5) as jury,
    ):
        verdict = await jury.hear(make_case())
    assert (verdict.finding, verdict.rule) == (finding, str(rule))


FOREPERSON_FAILS = [
    (ScriptedReply("boom", status=500), "500"),
    (ScriptedReply("", finish_reason="content_filter"), "filter"),
    (ScriptedReply(no_content=True, refusal="I'd rather not."), "refused"),
    (ScriptedReply("  "), "said nothing"),
    (ScriptedReply(drop=True), "connection"),
]


@pytest.mark.parametrize(("failure", "told"), FOREPERSON_FAILS)
async def test_the_verdict_stands_when_the_foreperson_cannot_speak(
    open_jury: OpenJury,
    cast_by: CastBy,
    make_case: MakeCase,
    failure: ScriptedReply,
    told: str,
) -> None:
    entries: list[Entry] = []
    say = cast_by(alpha=[UNSAFE], foreperson=[failure])
    async with (
        ScriptedServer(say) as server,
        open_jury(server, summing_up=True, clerk=entries.append) as jury,
    ):
        verdict = await jury.hear(make_case())
    (summing,) = (entry for entry in entries if isinstance(entry, SummedUp))
    assert summing.text == ""
    assert told in (summing.detail or "")
    assert verdict.finding is Finding.SAFE
    assert isinstance(entries[-1], VerdictAnnounced)


async def test_a_spectator_sees_jurors_think_and_seal(
    open_jury: OpenJury, cast_by: CastBy, make_case: MakeCase
) -> None:
    seen: list[Entry | Notice] = []
    entries: list[Entry] = []
    say = cast_by(alpha=[UNSAFE])
    async with (
        ScriptedServer(say) as server,
        open_jury(server, clerk=entries.append, spectator=seen.append) as jury,
    ):
        await jury.hear(make_case())
    assert [item for item in seen if not isinstance(item, BallotCalled | BallotSealed)] == entries
    calls = [item for item in seen if isinstance(item, BallotCalled)]
    assert {(call.round, call.seat) for call in calls} == {
        (number, name) for number in (0, 1) for name in ("alpha", "bravo", "charlie")
    }
    for call in calls:
        sealed = next(
            place
            for place, item in enumerate(seen)
            if isinstance(item, BallotSealed)
            and (item.round, item.seat, item.calls) == (call.round, call.seat, 1)
        )
        revealed = next(
            place
            for place, item in enumerate(seen)
            if isinstance(item, BallotsRevealed) and item.round == call.round
        )
        assert seen.index(call) < sealed < revealed


OUTCOMES = [
    (ScriptedReply("boom", status=400), BallotOutcome.TRANSPORT_ERROR, 1),
    (ScriptedReply("boom", status=500), BallotOutcome.TRANSPORT_ERROR, 1),
    (ScriptedReply("", finish_reason="content_filter"), BallotOutcome.FILTERED, 1),
    (ScriptedReply("no", status=400, code="content_filter"), BallotOutcome.FILTERED, 1),
    (ScriptedReply(no_content=True, refusal="I can't."), BallotOutcome.REFUSED, 1),
    (ScriptedReply("I'm sorry, but I can't help with that."), BallotOutcome.REFUSED, 1),
    (ScriptedReply("It seems safe to me."), BallotOutcome.UNPARSED, 2),
    (ballot("abstain", 1), BallotOutcome.ABSTAIN, 1),
]


@pytest.mark.parametrize(("reply", "outcome", "calls"), OUTCOMES)
async def test_what_is_not_a_vote_stays_in_the_denominator(
    open_jury: OpenJury,
    cast_by: CastBy,
    make_case: MakeCase,
    reply: str | ScriptedReply,
    outcome: BallotOutcome,
    calls: int,
) -> None:
    entries: list[Entry] = []
    say = cast_by(alpha=[reply], bravo=[UNSAFE], charlie=[SAFE])
    async with (
        ScriptedServer(say) as server,
        open_jury(server, "vote", clerk=entries.append) as jury,
    ):
        verdict = await jury.hear(make_case())
    assert verdict.finding is None
    assert verdict.tally == {"unsafe": 1, "safe": 1, outcome.value: 1}
    assert "no majority of 3 seats" in verdict.reason
    revealed = entries[1]
    assert isinstance(revealed, BallotsRevealed)
    assert (revealed.ballots[0].outcome, revealed.ballots[0].calls) == (outcome, calls)
    assert revealed.ballots[0].detail
    assert server.stats.calls == 2 + calls


async def test_the_seed_decides_in_which_order_jurors_read_each_other(
    open_jury: OpenJury, cast_by: CastBy, make_case: MakeCase, words: Callable[..., str]
) -> None:
    protocol = replace(PRESETS["contested"], talk="always")
    read: list[list[str]] = []
    for seed in (1, 1, 2, 3, 4):
        async with (
            ScriptedServer(cast_by()) as server,
            open_jury(server, protocol, jurors=5, seed=seed) as jury,
        ):
            await jury.hear(make_case())
        asked = sorted(words(body) for body in server.requests[5:])
        read.append([line for line in "\n".join(asked).splitlines() if line[:8] == "another:"])
    assert read[0] == read[1]
    assert len(set(map(tuple, read))) > 1
    assert len({frozenset(lines) for lines in read}) == 1
