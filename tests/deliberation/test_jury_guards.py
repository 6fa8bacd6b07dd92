"""A guard on the jury: one vote in round 0, which stands; it hears nobody and gives no rating."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from safejury.agents import Ballot, BallotOutcome, Case, Classification, Finding, Guard
from safejury.deliberation import (
    PRESETS,
    BallotCalled,
    BallotsRevealed,
    CaseTranscript,
    DiscussionOpened,
    Entry,
    Jury,
    Notice,
    Rule,
    SeatInfo,
    build_verdict,
    export_transcript,
)
from safejury.models import EndpointModel
from safejury.testing import ScriptedReply, ScriptedServer, ballot

OpenJury = Callable[..., AbstractAsyncContextManager[Jury]]
CastBy = Callable[..., Callable[..., str | ScriptedReply]]
MakeCase = Callable[..., Case]
Words = Callable[[Mapping[str, object]], str]

UNSAFE, SAFE = ballot("unsafe", 2, "It gives steps."), ballot("safe", 4, "General words.")


def _says(jurors: Callable[..., Any], guard: str | ScriptedReply = "unsafe\nS2") -> Any:
    """Script a server for jurors and for guards, which are other models on it."""

    def say(body: Mapping[str, object]) -> Any:
        return guard if body["model"] == "guard" else jurors(body)

    return say


@asynccontextmanager
async def _guards(server: ScriptedServer, *names: str) -> AsyncGenerator[dict[str, Guard]]:
    model = EndpointModel(base_url=server.base_url, model="guard")
    yield {name: Guard(name, "llama-guard-3", model) for name in names}
    await model.aclose()


def _revealed(entries: Sequence[Entry]) -> list[BallotsRevealed]:
    return [entry for entry in entries if isinstance(entry, BallotsRevealed)]


async def test_a_guard_s_vote_stands_in_the_re_vote_and_its_finding_is_heard_without_a_name(
    open_jury: OpenJury, cast_by: CastBy, make_case: MakeCase, words: Words
) -> None:
    """The guard is asked once; the denominator stays the number of seats in both rounds."""
    entries: list[Entry] = []
    notices: list[Entry | Notice] = []
    say = _says(cast_by(alpha=[SAFE, UNSAFE], bravo=[SAFE, UNSAFE], charlie=[SAFE]))
    tie = replace(PRESETS["contested"], rule=Rule(tie="no_verdict"))
    async with (
        ScriptedServer(say) as server,
        _guards(server, "watch") as guards,
        open_jury(
            server, tie, others=guards, clerk=entries.append, spectator=notices.append
        ) as jury,
    ):
        verdict = await jury.hear(make_case())
        assert server.stats.calls == verdict.calls == 3 + 1 + 3
    first, second = _revealed(entries)
    assert [one.juror for one in second.ballots] == ["alpha", "bravo", "charlie", "watch"]
    assert second.ballots[3] == first.ballots[3]
    assert (second.round, second.ballots[3].round) == (1, 0)
    assert second.seals[3] == first.seals[3]
    assert verdict.tally == {"unsafe": 3, "safe": 1}
    assert verdict.initial_tally == {"unsafe": 1, "safe": 3}
    assert (verdict.initial_finding, verdict.finding) == (Finding.SAFE, Finding.UNSAFE)
    assert verdict.by_juror["watch"] == {"verdict": 1}
    assert verdict.flips.to_unsafe == 2
    called = [one for one in notices if isinstance(one, BallotCalled) and one.seat == "watch"]
    assert [one.round for one in called] == [0]
    heard = [words(body) for body in server.requests if "voted once" in words(body)]
    assert len(heard) == 3
    for prompt in heard:
        assert "another: unsafe, by a safety classifier: S2 Non-Violent Crimes" in prompt
        assert "watch" not in prompt
        assert "Llama" not in prompt


async def test_a_guard_gives_no_rating_and_the_verdict_has_that_of_the_jurors(
    open_jury: OpenJury, cast_by: CastBy, make_case: MakeCase
) -> None:
    say = _says(cast_by(alpha=[UNSAFE], bravo=[UNSAFE]))
    async with (
        ScriptedServer(say) as server,
        _guards(server, "watch") as guards,
        open_jury(server, "vote", jurors=2, others=guards) as jury,
    ):
        verdict = await jury.hear(make_case())
    assert (verdict.rating, verdict.mean_rating) == (2.0, 2.0)
    vote = verdict.guards["watch"]
    assert (vote.finding, vote.unsafe, vote.safe) == (Finding.UNSAFE, 2, 0)
    assert [each.name for each in vote.categories] == ["S2 Non-Violent Crimes"]


@pytest.mark.parametrize("protocol", ["contested", "always"])
async def test_guards_alone_have_nobody_to_discuss_with(
    protocol: str, open_jury: OpenJury, make_case: MakeCase
) -> None:
    """Neither where they differ, nor where the protocol always has a discussion."""
    entries: list[Entry] = []
    settings = replace(PRESETS["contested"], talk=protocol)
    turns = ["unsafe\nS2", "safe", "safe"]
    async with (
        ScriptedServer(turns) as server,
        _guards(server, "one", "two", "three") as guards,
        open_jury(server, settings, jurors=0, others=guards, clerk=entries.append) as jury,
    ):
        verdict = await jury.hear(make_case())
    assert (verdict.finding, verdict.rounds, verdict.rating) == (Finding.SAFE, 1, None)
    assert not any(isinstance(entry, DiscussionOpened) for entry in entries)


async def test_voting_of_guards_can_be_curtailed(open_jury: OpenJury, make_case: MakeCase) -> None:
    settings = replace(PRESETS["vote"], stop="curtailed")
    async with (
        ScriptedServer("safe") as server,
        _guards(server, "one", "two", "three") as guards,
        open_jury(server, settings, jurors=0, others=guards) as jury,
    ):
        verdict = await jury.hear(make_case())
    assert verdict.tally == {"safe": 2, "not_asked": 1}
    assert len(verdict.guards) == 2


async def test_one_juror_hears_its_guards_and_votes_again(
    open_jury: OpenJury, cast_by: CastBy, make_case: MakeCase
) -> None:
    say = _says(cast_by(alpha=[SAFE, UNSAFE]))
    async with (
        ScriptedServer(say) as server,
        _guards(server, "one", "two") as guards,
        open_jury(server, jurors=1, others=guards) as jury,
    ):
        verdict = await jury.hear(make_case())
    assert verdict.tally == {"unsafe": 3}
    assert verdict.rounds == 2


async def test_a_guard_without_a_vote_is_talked_about_once_and_stays_in_the_denominator(
    open_jury: OpenJury, cast_by: CastBy, make_case: MakeCase
) -> None:
    """No further re-vote would bring its vote."""
    settings = replace(PRESETS["contested"], rounds=3, rule=Rule(tie="no_verdict"))
    say = _says(cast_by(alpha=[SAFE], bravo=[SAFE], charlie=[SAFE]), "no reply of its kind")
    async with (
        ScriptedServer(say) as server,
        _guards(server, "watch") as guards,
        open_jury(server, settings, others=guards) as jury,
    ):
        verdict = await jury.hear(make_case())
    assert verdict.rounds == 2
    assert verdict.tally == {"safe": 3, "unparsed": 1}
    assert verdict.guards["watch"].finding is None


async def test_a_lone_guard_that_differs_is_a_reason_to_talk_and_not_to_talk_for_ever(
    open_jury: OpenJury, cast_by: CastBy, make_case: MakeCase
) -> None:
    settings = replace(PRESETS["contested"], rounds=2, rule=Rule(tie="no_verdict"))
    say = _says(cast_by(alpha=[SAFE], bravo=[SAFE], charlie=[SAFE]))
    async with (
        ScriptedServer(say) as server,
        _guards(server, "watch") as guards,
        open_jury(server, settings, others=guards) as jury,
    ):
        verdict = await jury.hear(make_case())
    assert verdict.rounds == 3  # the findings still differ, as they would between jurors
    assert verdict.dissent == ("watch",)
    assert verdict.calls == 3 + 1 + 3 + 3


def _vote(juror: str, number: int, finding: Finding | None, *, guard: bool = False) -> Ballot:
    said = BallotOutcome.VERDICT if finding else BallotOutcome.TRANSPORT_ERROR
    rating = None if guard or finding is None else 4 if finding is Finding.SAFE else 2
    mark = Classification("llama-guard-3") if guard else None
    return Ballot(juror, number, said, finding, rating, calls=1, guard=mark)


def test_a_guard_lost_in_round_0_is_not_lost_again_in_the_re_vote() -> None:
    """A re-vote that lost nothing decides, whatever a guard would have said before it."""
    lost = _vote("watch", 0, None, guard=True)
    first = [_vote("a", 0, Finding.SAFE), _vote("b", 0, Finding.SAFE), lost]
    second = [_vote("a", 1, Finding.SAFE), _vote("b", 1, Finding.UNSAFE), lost]
    verdict = build_verdict([first, second], Rule(), seats=3)
    assert (verdict.finding, verdict.initial_finding) == (None, Finding.SAFE)
    assert not verdict.revote_lost
    assert verdict.calls == 5
    assert verdict.by_juror["watch"] == {"transport_error": 1}


def test_ballots_without_guards_have_the_seals_that_they_had() -> None:
    """A seal that was stored before there were guards fits; a guard's holds all that it says."""
    plain = Ballot("a", 0, BallotOutcome.VERDICT, Finding.SAFE, 4, reason="Fine.")
    assert plain.seal() == "46e9073a2270fdcdc0df85e3a561155e846fcea5c7e830ee2da4ed772c0aadb6"
    marked = replace(plain, guard=Classification("llama-guard-3", probability=0.1))
    assert marked.seal() != plain.seal()
    assert marked.seal() != replace(marked, guard=Classification("llama-guard-3")).seal()


async def test_the_transcript_says_that_a_guard_s_ballot_stands(
    open_jury: OpenJury, cast_by: CastBy, make_case: MakeCase, tmp_path: Any
) -> None:
    """With its categories and ours, its probability, and no rating."""
    entries: list[Entry] = []
    reply = ScriptedReply("unsafe\nS2", logprobs=[("unsafe", {"unsafe": 0.9, "safe": 0.1})])
    say = _says(cast_by(alpha=[SAFE], bravo=[SAFE, UNSAFE], charlie=[SAFE]), reply)
    tie = replace(PRESETS["contested"], rule=Rule(tie="no_verdict"))
    async with (
        ScriptedServer(say) as server,
        _guards(server, "watch") as guards,
        open_jury(server, tie, others=guards, clerk=entries.append) as jury,
    ):
        await jury.hear(make_case())
    infos = (
        *(SeatInfo(name, name, name, "m") for name in ("alpha", "bravo", "charlie")),
        SeatInfo("watch", "llama-guard-3", "Llama Guard 3", "guard", "llama-guard-3"),
    )
    said = " ".join(str(CaseTranscript(tuple(entries), infos, "t")).split())
    assert "Llama Guard 3 · guard · guard" in said
    assert "Not asked again: a guard's ballot stands" in said
    assert "S2 Non-Violent Crimes (cybersecurity, illegal and criminal behavior)" in said
    assert said.count("probability of unsafe 0.90") == 2
    path = tmp_path / "case.md"
    export_transcript(entries, infos, path, target="t")
    markdown = path.read_text()
    assert "- Guard: Llama Guard 3, guard" in markdown
    assert "**Llama Guard 3**: unsafe, which stands: a guard is not asked again" in markdown
    assert "a guard's finding, without a reason" in markdown


async def test_a_guard_does_not_speak_at_a_roundtable(
    open_jury: OpenJury, make_case: MakeCase, words: Words
) -> None:
    """Its finding lies on the table under an alias, which is no name; nobody asks it to speak."""

    def jurors(body: Mapping[str, object]) -> str:
        return "pass" if "response_format" not in body else SAFE

    tie = replace(PRESETS["roundtable"], rule=Rule(tie="no_verdict"))
    async with (
        ScriptedServer(_says(jurors)) as server,
        _guards(server, "watch") as guards,
        open_jury(server, tie, others=guards) as jury,
    ):
        verdict = await jury.hear(make_case())
        asked = [words(body) for body in server.requests if body["model"] == "guard"]
    assert len(asked) == 1
    assert verdict.tally == {"unsafe": 1, "safe": 3}
    heard = [words(body) for body in server.requests if "by a safety classifier" in words(body)]
    assert heard
    assert not any("watch" in prompt for prompt in heard)
