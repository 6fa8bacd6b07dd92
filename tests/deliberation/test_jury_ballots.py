import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

from safejury.agents import Ballot, BallotOutcome, Case, Juror, Persona
from safejury.deliberation import (
    PRESETS,
    BallotsRevealed,
    DiscussionOpened,
    Entry,
    Jury,
    VerdictAnnounced,
)
from safejury.models import Budget, Budgeted, EndpointModel, FirstContact, Retrying, RetryPolicy
from safejury.testing import ScriptedReply, ScriptedServer, ballot

Body = Mapping[str, Any]
OpenJury = Callable[..., AbstractAsyncContextManager[Jury]]
CastBy = Callable[..., Callable[[Body], str | ScriptedReply]]
MakeCase = Callable[..., Case]
Words = Callable[[Body], str]
ReadCall = Callable[[Body], tuple[str, int]]

NAMES = ("alpha", "bravo", "charlie", "delta", "echo")
# No reason tells who gave it, so that any name found in a request was put there.
REASONS = ("Walnut first.", "Copper second.", "Velvet third.", "Granite fourth.", "Amber fifth.")
SPLIT = {
    name: [ballot("unsafe" if place < 2 else "safe", 2 if place < 2 else 4, REASONS[place])]
    for place, name in enumerate(NAMES)
}


def _revealed(entries: list[Entry]) -> list[BallotsRevealed]:
    return [entry for entry in entries if isinstance(entry, BallotsRevealed)]


async def test_round_0_is_sealed_and_published_before_anybody_reads_it(
    open_jury: OpenJury, cast_by: CastBy, make_case: MakeCase, words: Words, read_call: ReadCall
) -> None:
    happened: list[object] = []
    say = cast_by(**SPLIT)

    def watched(body: Body) -> str | ScriptedReply:
        happened.append(read_call(body))
        return say(body)

    async with (
        ScriptedServer(watched) as server,
        open_jury(server, jurors=5, clerk=happened.append) as jury,
    ):
        await jury.hear(make_case())
    kinds = [type(item) if isinstance(item, Entry) else item for item in happened]
    assert set(kinds[1:6]) == {(name, 0) for name in NAMES}
    assert kinds[6:8] == [BallotsRevealed, DiscussionOpened]
    assert set(kinds[8:13]) == {(name, 1) for name in NAMES}
    assert kinds[13:] == [BallotsRevealed, VerdictAnnounced]
    for body in server.requests[:5]:
        assert not any(reason in words(body) for reason in REASONS)


async def test_the_seals_are_hashes_of_what_was_stated(
    open_jury: OpenJury, cast_by: CastBy, make_case: MakeCase
) -> None:
    entries: list[Entry] = []
    async with (
        ScriptedServer(cast_by(**SPLIT)) as server,
        open_jury(server, jurors=5, clerk=entries.append) as jury,
    ):
        await jury.hear(make_case())
    for entry in _revealed(entries):
        assert tuple(cast.juror for cast in entry.ballots) == NAMES
        assert entry.seals == tuple(_hashed(cast) for cast in entry.ballots)
        assert len(set(entry.seals)) == 5


def _hashed(cast: Ballot) -> str:
    stated = (
        cast.juror,
        cast.round,
        cast.outcome,
        cast.finding,
        cast.rating,
        cast.criteria,
        cast.reason,
        cast.declined,
    )
    text = json.dumps(stated, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


async def test_a_juror_reads_all_its_peers_and_no_name(
    open_jury: OpenJury, cast_by: CastBy, make_case: MakeCase, words: Words, read_call: ReadCall
) -> None:
    case = make_case()
    async with (
        ScriptedServer(cast_by(**SPLIT)) as server,
        open_jury(server, jurors=5) as jury,
    ):
        await jury.hear(case)
    second = {read_call(body)[0]: body for body in server.requests if read_call(body)[1]}
    assert set(second) == set(NAMES)
    for place, name in enumerate(NAMES):
        text, raw = words(second[name]), json.dumps(second[name]["messages"]).casefold()
        for reason in REASONS:
            assert text.count(reason) == 1
        own = "unsafe, rating 2" if place < 2 else "safe, rating 4"
        assert f"yours: {own}: {REASONS[place]}" in text
        assert text.count("another: ") == 4
        assert not any(other in raw for other in NAMES if other != name)
        assert "secret-model" not in raw
        assert case.query.text in text
        assert case.response.text in text
        assert case.guideline in text


async def _orders(
    open_jury: OpenJury, say: Callable[[Body], Any], words: Words, read_call: ReadCall, case: Case
) -> dict[str, list[str]]:
    async with ScriptedServer(say) as server, open_jury(server, jurors=5) as jury:
        await jury.hear(case)
    orders: dict[str, list[str]] = {}
    for body in server.requests:
        name, number = read_call(body)
        if number:
            text = words(body)
            others = [REASONS[place] for place, other in enumerate(NAMES) if other != name]
            orders[name] = sorted(others, key=text.index)
    return orders


async def test_peers_are_shuffled_anew_for_each_reader_and_case_and_alike_when_repeated(
    open_jury: OpenJury, cast_by: CastBy, make_case: MakeCase, words: Words, read_call: ReadCall
) -> None:
    say = cast_by(**SPLIT)
    told = [
        await _orders(open_jury, say, words, read_call, make_case(number))
        for number in (1, 1, 2, 3, 4)
    ]
    assert told[0] == told[1]
    by_seat = {
        name: [reason for place, reason in enumerate(REASONS) if NAMES[place] != name]
        for name in NAMES
    }
    assert any(told[0][name] != by_seat[name] for name in NAMES)
    assert len({tuple(orders["alpha"]) for orders in told}) > 1
    # The same three peers, as two readers see them.
    shared = [REASONS[2], REASONS[3], REASONS[4]]
    pairs = [
        [[reason for reason in orders[name] if reason in shared] for name in ("alpha", "bravo")]
        for orders in told
    ]
    assert any(first != second for first, second in pairs)


async def test_an_unparsable_ballot_is_asked_for_once_more(
    open_jury: OpenJury, make_case: MakeCase, words: Words
) -> None:
    async with (
        ScriptedServer(["Well, it depends.", ballot("unsafe", 1)]) as server,
        open_jury(server, "vote", jurors=1) as jury,
    ):
        verdict = await jury.hear(make_case())
    assert (verdict.finding, verdict.calls) == ("unsafe", 2)
    assert [m["role"] for m in _messages(server.requests[1])][-2:] == ["assistant", "user"]
    assert "Well, it depends." in words(server.requests[1])


async def test_after_two_unparsable_replies_the_ballot_is_unparsed(
    open_jury: OpenJury, make_case: MakeCase
) -> None:
    entries: list[Entry] = []
    async with (
        ScriptedServer("Well, it depends.") as server,
        open_jury(server, "vote", jurors=1, clerk=entries.append) as jury,
    ):
        verdict = await jury.hear(make_case())
    assert (verdict.finding, verdict.tally, server.stats.calls) == (None, {"unparsed": 1}, 2)
    (revealed,) = _revealed(entries)
    assert revealed.ballots[0].outcome is BallotOutcome.UNPARSED


def _messages(body: Body) -> list[dict[str, Any]]:
    return list(body["messages"])


async def test_jurors_without_a_vote_are_shown_to_nobody_and_may_vote_again(
    open_jury: OpenJury, cast_by: CastBy, make_case: MakeCase, words: Words, read_call: ReadCall
) -> None:
    entries: list[Entry] = []
    refuses = ScriptedReply(no_content=True, refusal="Walnut, never.")
    say = cast_by(alpha=[refuses, ballot("safe", 4, "Now I see.")])
    async with (
        ScriptedServer(say) as server,
        open_jury(server, clerk=entries.append) as jury,
    ):
        verdict = await jury.hear(make_case())
    assert verdict.initial_tally == {"safe": 2, "refused": 1}
    assert (verdict.finding, verdict.tally) == ("safe", {"safe": 3})
    second = {read_call(body)[0]: words(body) for body in server.requests if read_call(body)[1]}
    assert "yours: you reached no finding" in second["alpha"]
    assert second["bravo"].count("another: ") == 1
    assert "Walnut" not in second["bravo"]


async def test_a_spent_budget_is_an_outcome_and_no_call(
    cast_by: CastBy, make_case: MakeCase
) -> None:
    entries: list[Entry] = []
    async with ScriptedServer(cast_by()) as server:
        model = EndpointModel(base_url=server.base_url, model="m")
        poor = Budgeted(model, Budget(max_tokens_total=10))
        async with Jury(
            {name: Juror(name, _persona(name), poor) for name in NAMES[:3]},
            PRESETS["vote"],
            clerk=entries.append,
        ) as jury:
            verdict = await jury.hear(make_case())
        await model.aclose()
    assert (verdict.finding, verdict.tally) == (None, {"budget_stop": 3})
    assert (verdict.calls, verdict.cost_usd, server.stats.calls) == (0, 0.0, 0)
    (revealed,) = _revealed(entries)
    assert all("max_tokens_total" in (cast.detail or "") for cast in revealed.ballots)


async def test_a_refusal_is_not_asked_again_even_where_calls_are_retried(
    cast_by: CastBy, make_case: MakeCase
) -> None:
    say = cast_by(
        alpha=[ScriptedReply(no_content=True, refusal="No.")],
        bravo=[ScriptedReply("", finish_reason="content_filter")],
        charlie=[ScriptedReply("no", status=400, code="content_filter")],
    )
    async with ScriptedServer(say) as server:
        model = EndpointModel(base_url=server.base_url, model="m")
        patient = FirstContact(Retrying(model, RetryPolicy(base_delay=0.0)))
        seats = {name: Juror(name, _persona(name), patient) for name in NAMES[:3]}
        async with Jury(seats, PRESETS["vote"]) as jury:
            verdict = await jury.hear(make_case())
        await model.aclose()
    assert verdict.tally == {"refused": 1, "filtered": 2}
    assert server.stats.calls == 3


async def test_the_same_case_is_heard_alike_twice(
    open_jury: OpenJury, cast_by: CastBy, make_case: MakeCase
) -> None:
    heard: list[list[str]] = []
    sent: list[list[str]] = []
    for _ in range(2):
        entries: list[Entry] = []
        async with (
            ScriptedServer(cast_by(**SPLIT)) as server,
            open_jury(server, jurors=5, summing_up=True, clerk=entries.append) as jury,
        ):
            await jury.hear(make_case())
        heard.append([repr(_timeless(entry)) for entry in entries])
        sent.append(sorted(json.dumps(body) for body in server.requests))
    assert heard[0] == heard[1]
    assert sent[0] == sent[1]


def _timeless(entry: Entry) -> Entry:
    if not isinstance(entry, BallotsRevealed):
        return entry
    return replace(entry, ballots=tuple(replace(cast, latency_s=0.0) for cast in entry.ballots))


def _persona(name: str) -> Persona:
    title = f"Examiner {name.capitalize()}"
    return Persona(name=name, title=title, perspective="Looks.", instructions="Look.")
