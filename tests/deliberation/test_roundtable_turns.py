"""Turns that fail, are lost or come from others than our jurors; what they cost, who sees them."""

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

import pytest
from autogen_agentchat.agents import AssistantAgent
from roundtable import REVOTE, SAFE, TURN, UNSAFE, VOTES, Hold, passes, remarks_of, says

from safejury.agents import AgentChatClient, Case, CaseMessage, Guard, HumanJuror, RemarkOutcome
from safejury.deliberation import (
    PRESETS,
    BallotSealed,
    Entry,
    Jury,
    Notice,
    RemarkCalled,
    RemarkEvent,
    RemarkMade,
)
from safejury.models import EndpointModel
from safejury.testing import ScriptedReply, ScriptedServer, ballot, remark

OpenJury = Callable[..., AbstractAsyncContextManager[Jury]]
MakeCase = Callable[..., Case]
Words = Callable[[Mapping[str, object]], str]

ROUNDTABLE = PRESETS["roundtable"]
FAILED = {
    "refused": ("I'm sorry, but I can't help with that.", RemarkOutcome.REFUSED),
    "filtered": (ScriptedReply(text="", finish_reason="content_filter"), RemarkOutcome.FILTERED),
    "a ballot": (ballot("safe", 5), RemarkOutcome.UNPARSED),
    "words": ("Juror B is right.", RemarkOutcome.UNPARSED),
    "a failed call": (ScriptedReply(status=500), RemarkOutcome.TRANSPORT_ERROR),
}


def _mumbles(seat: str, alias: str, prompt: str) -> str:
    return "Hm."


@pytest.mark.parametrize(("reply", "outcome"), FAILED.values(), ids=FAILED)
async def test_a_turn_that_fails_is_an_outcome_of_its_own_and_never_words(
    hold: Hold, reply: str | ScriptedReply, outcome: RemarkOutcome
) -> None:
    def speak(seat: str, alias: str, prompt: str) -> str | ScriptedReply:
        return reply if seat == "alpha" else remark(f"I am {seat}.")

    entries, verdict, _ = await hold(speak, protocol=replace(ROUNDTABLE, turns=1))
    failed = {one.juror: one for one in remarks_of(entries)}["alpha"]
    assert (failed.outcome, failed.text, failed.to) == (outcome, "", None)
    assert failed.detail
    assert verdict.talk == {"spoke": 2, str(outcome): 1}
    assert verdict.finding is not None


async def test_an_unreadable_turn_is_asked_for_once_more(hold: Hold) -> None:
    def speak(seat: str, alias: str, prompt: str) -> str:
        retried = "That was not a turn: it holds no JSON object" in prompt
        return remark("Now I say it.") if retried else "Well."

    entries, verdict, _ = await hold(speak, protocol=replace(ROUNDTABLE, turns=1))
    assert [one.text for one in remarks_of(entries)] == ["Now I say it."] * 3
    assert [one.calls for one in remarks_of(entries)] == [2] * 3
    assert verdict.calls == 3 + 6 + 3


async def test_turns_that_all_fail_end_the_talk_like_passes(hold: Hold) -> None:
    entries, verdict, _ = await hold(_mumbles, protocol=replace(ROUNDTABLE, turns=5))
    assert len(remarks_of(entries)) == 3
    assert (verdict.rounds, verdict.talk) == (2, {"unparsed": 3})


@pytest.mark.parametrize("turns", [1, 3])
async def test_each_juror_speaks_as_often_as_the_setting_says(hold: Hold, turns: int) -> None:
    entries, _, _ = await hold(says("Well."), protocol=replace(ROUNDTABLE, turns=turns))
    assert len(remarks_of(entries)) == 3 * turns


async def test_a_second_talk_before_a_second_re_vote_has_all_of_the_first(hold: Hold) -> None:
    protocol = replace(ROUNDTABLE, turns=1, rounds=2)
    entries, verdict, prompts = await hold(says("Well."), protocol=protocol)
    assert [(one.round, one.turn) for one in remarks_of(entries)] == [
        *((1, 1), (1, 2), (1, 3)),
        *((2, 1), (2, 2), (2, 3)),
    ]
    assert verdict.rounds == 3
    assert prompts[-1][1].count(' to all: "Well."') == 6


async def test_the_tokens_and_the_cost_of_the_talk_are_the_verdicts(hold: Hold) -> None:
    with_talk, told, _ = await hold(says("Well."))
    _, silent, _ = await hold(passes)
    remarks = remarks_of(with_talk)
    used = sum(one.usage.completion_tokens or 0 for one in remarks)
    assert used > 0
    assert told.calls - silent.calls == 3
    assert told.usage.completion_tokens is not None
    ballots = sum(
        ballot.usage.completion_tokens or 0
        for entry in with_talk
        for ballot in getattr(entry, "ballots", ())
    )
    assert told.usage.completion_tokens == used + ballots


async def test_a_curtailed_vote_asks_all_only_where_jurors_are_to_talk(hold: Hold) -> None:
    curtailed = replace(ROUNDTABLE, stop="curtailed")
    entries, verdict, _ = await hold(
        says("Never."), votes=dict.fromkeys(VOTES, SAFE), protocol=curtailed
    )
    assert (verdict.calls, remarks_of(entries)) == (2, [])
    entries, verdict, _ = await hold(says("Well."), protocol=curtailed)
    assert len(remarks_of(entries)) == 6
    assert sum(verdict.initial_tally.values()) == 3


async def test_whoever_watches_is_told_whose_turn_it_is(hold: Hold) -> None:
    seen: list[Entry | Notice] = []
    await hold(says("Well."), spectator=seen.append)
    told = [one for one in seen if isinstance(one, RemarkCalled | RemarkMade)]
    assert [type(one) for one in told] == [RemarkCalled, RemarkMade] * 6
    for called, made in zip(told[::2], told[1::2], strict=True):
        assert isinstance(called, RemarkCalled)
        assert isinstance(made, RemarkMade)
        assert (called.seat, called.turn) == (made.remark.juror, made.remark.turn)
    sealed = [one for one in seen if isinstance(one, BallotSealed)]
    assert len(sealed) == 6


async def test_a_strangers_agent_speaks_in_words_and_passes_by_one_word(
    open_jury: OpenJury, words: Words, make_case: MakeCase
) -> None:
    """It hears the others in its prompt, like a juror."""
    said = iter(["Juror A, Juror B or Juror C: who names a dose?", "PASS"])
    heard: list[str] = []

    def say(body: Mapping[str, object]) -> str:
        prompt = words(body)
        stranger = "Examiner" not in prompt
        if TURN in prompt and stranger:
            heard.append(prompt)
            return next(said)
        if TURN in prompt:
            return remark("I am an examiner.")
        return UNSAFE if stranger else SAFE

    entries: list[Entry] = []
    async with ScriptedServer(say) as server:
        model = EndpointModel(base_url=server.base_url, model="any")
        agent = AssistantAgent("stranger", AgentChatClient(model))
        async with open_jury(
            server, "roundtable", jurors=2, others={"other": agent}, clerk=entries.append
        ) as jury:
            await jury.hear(make_case())
        await model.aclose()
    remarks = [one for one in remarks_of(entries) if one.juror == "other"]
    assert [one.outcome for one in remarks] == [RemarkOutcome.SPOKE, RemarkOutcome.PASSED]
    assert remarks[0].text == "Juror A, Juror B or Juror C: who names a dose?"
    assert 'to all: "I am an examiner."' in heard[-1]
    assert "reply with the one word PASS" in heard[-1]


async def test_a_person_speaks_at_the_terminal(
    open_jury: OpenJury, words: Words, make_case: MakeCase
) -> None:
    shown: list[str] = []

    async def ask(question: str) -> str:
        shown.append(question)
        if "What do you say" in question:
            turn = sum("What do you say" in one for one in shown)
            others = [name for name in "ABC" if f"you are Juror {name}" not in question]
            return f"juror {others[0].lower()}: where is the  dose?" if turn == 1 else ""
        answers = {"Finding": "u", "Rating": "2", "Reason": "Steps."}
        return next((said for what, said in answers.items() if f"{what}" in question), "")

    def say(body: Mapping[str, object]) -> str:
        return remark("None is.") if TURN in words(body) else SAFE

    entries: list[Entry] = []
    async with (
        ScriptedServer(say) as server,
        open_jury(
            server,
            "roundtable",
            jurors=2,
            others={"person": HumanJuror("person", ask=ask)},
            clerk=entries.append,
        ) as jury,
    ):
        await jury.hear(make_case())
    first, second = (one for one in remarks_of(entries) if one.juror == "person")
    assert first.text == "where is the dose?"
    assert first.to_juror in ("alpha", "bravo")
    assert (second.outcome, second.calls, second.cost_usd) == (RemarkOutcome.PASSED, 0, 0.0)
    assert any("to all: None is." in question for question in shown)


async def test_a_guard_hears_nobody_and_does_not_speak(hold: Hold, make_case: MakeCase) -> None:
    async with ScriptedServer("unsafe\nS1") as served:
        model = EndpointModel(base_url=served.base_url, model="guard")
        guard = Guard("guard", "llama-guard-3", model)
        entries, verdict, prompts = await hold(
            says("Well."),
            votes=dict.fromkeys(VOTES, SAFE),
            others={"guard": guard},
            protocol=replace(ROUNDTABLE, rule=replace(ROUNDTABLE.rule, tie="unsafe")),
        )
        await model.aclose()
    assert {one.juror for one in remarks_of(entries)} == set(VOTES)
    assert served.stats.calls == 1
    assert verdict.rounds == 2
    assert any("unsafe, by a safety classifier" in p for _, p in prompts if REVOTE in p)


async def _said_in_a_talk_that_goes_on_elsewhere(
    open_jury: OpenJury, words: Words, case: Case, *, second: ScriptedReply | None = None
) -> list[str]:
    """Return what is said where a talk is saved while its third turn hangs, and loaded."""
    asked = 0
    hangs = asyncio.Event()

    def say(body: Mapping[str, object]) -> str | ScriptedReply:
        nonlocal asked
        prompt = words(body)
        if TURN not in prompt:
            return UNSAFE if "Examiner Alpha" in prompt else SAFE
        asked += 1
        if asked == 2 and second is not None:
            return second
        if asked == 3:
            hangs.set()
            return ScriptedReply(hang=True)
        return remark(f"Turn {asked}.")

    async with ScriptedServer(say) as server:
        async with open_jury(server, "roundtable") as jury:
            run = asyncio.ensure_future(jury.run(task=CaseMessage.of(case)))
            await hangs.wait()
            state = json.loads(json.dumps(await jury.save_state()))
            run.cancel()
            await asyncio.wait([run])
        async with open_jury(server, "roundtable") as other:
            await other.load_state(state)
            result = await other.run()
    return [one.content.remark.text for one in result.messages if isinstance(one, RemarkEvent)]


async def test_a_team_goes_on_in_the_middle_of_the_talk_and_asks_for_no_turn_again(
    open_jury: OpenJury, words: Words, make_case: MakeCase
) -> None:
    said = await _said_in_a_talk_that_goes_on_elsewhere(open_jury, words, make_case())
    assert said == ["Turn 1.", "Turn 2.", "Turn 4.", "Turn 5.", "Turn 6.", "Turn 7."]


async def test_a_team_that_goes_on_asks_again_for_a_turn_that_was_lost(
    open_jury: OpenJury, words: Words, make_case: MakeCase
) -> None:
    """Its call failed, so that nothing is known of what the juror would have said."""
    said = await _said_in_a_talk_that_goes_on_elsewhere(
        open_jury, words, make_case(), second=ScriptedReply(status=500)
    )
    assert said == ["Turn 1.", "Turn 4.", "Turn 5.", "Turn 6.", "Turn 7.", "Turn 8."]
