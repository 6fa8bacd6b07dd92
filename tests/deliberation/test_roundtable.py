"""Jurors speak with each other: in turn, each from all that was said, then a sealed re-vote."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from roundtable import (
    REVOTE,
    SAFE,
    TURN,
    UNSAFE,
    VOTES,
    Hold,
    introduces,
    passes,
    remarks_of,
    said_before,
    says,
)

from safejury.agents import Case, Finding, RemarkOutcome
from safejury.common import ConfigurationError
from safejury.deliberation import (
    PRESETS,
    BallotsRevealed,
    CaseOpened,
    DiscussionOpened,
    Protocol,
    RemarkMade,
    VerdictAnnounced,
)

MakeCase = Callable[..., Case]


async def test_jurors_speak_in_turn_and_each_hears_all_that_was_said(hold: Hold) -> None:
    entries, verdict, prompts = await hold(introduces)
    remarks = remarks_of(entries)
    assert [type(entry) for entry in entries] == [
        *(CaseOpened, BallotsRevealed, DiscussionOpened),
        *[RemarkMade] * 6,
        *(BallotsRevealed, VerdictAnnounced),
    ]
    assert [one.turn for one in remarks] == [1, 2, 3, 4, 5, 6]
    assert {one.juror for one in remarks[:3]} == set(VOTES)
    assert [one.juror for one in remarks[3:]] == [one.juror for one in remarks[:3]]
    lines = [f'{one.alias} to all: "I am {one.juror} of the jury."' for one in remarks]
    turns = [prompt for _, prompt in prompts if TURN in prompt]
    assert [said_before(prompt) for prompt in turns] == [
        lines[:number] or ["(nobody has spoken yet)"] for number in range(6)
    ]
    again = [prompt for _, prompt in prompts if REVOTE in prompt and TURN not in prompt]
    assert [said_before(prompt) for prompt in again] == [lines] * 3
    assert (verdict.finding, verdict.rounds, verdict.calls) == (Finding.SAFE, 2, 12)
    assert verdict.talk == {"spoke": 6}


async def test_no_prompt_of_the_table_names_a_seat_or_a_persona_of_others(hold: Hold) -> None:
    """Aliases are all that jurors know of each other."""
    _, _, prompts = await hold(says("I have a doubt."))
    for seat, prompt in prompts:
        others = [name for name in VOTES if name != seat]
        assert not any(name in prompt.casefold() for name in others)


async def test_a_case_that_is_not_contested_has_no_roundtable(hold: Hold) -> None:
    entries, verdict, _ = await hold(says("Never."), votes=dict.fromkeys(VOTES, SAFE))
    assert remarks_of(entries) == []
    assert (verdict.calls, verdict.talk) == (3, {})


async def test_it_ends_when_all_pass_one_after_the_other_and_the_jurors_vote_again(
    hold: Hold,
) -> None:
    two = {"alpha": UNSAFE, "bravo": SAFE}
    protocol = replace(PRESETS["roundtable"], rule=replace(Protocol().rule, tie="safe"))
    entries, verdict, _ = await hold(
        passes,
        votes=two,
        revotes=dict.fromkeys(two, UNSAFE),
        jurors=2,
        protocol=protocol,
    )
    assert [one.outcome for one in remarks_of(entries)] == [RemarkOutcome.PASSED] * 2
    assert verdict.talk == {"passed": 2}
    assert (verdict.finding, verdict.initial_finding) == (Finding.UNSAFE, Finding.SAFE)


async def test_aliases_are_the_same_for_all_jurors_and_dealt_anew_in_each_case(
    hold: Hold, make_case: MakeCase
) -> None:
    dealt = set[tuple[tuple[str, str], ...]]()
    for number in range(12):
        entries, _, _ = await hold(says("Well."), case=make_case(number))
        names = {(one.juror, one.alias) for one in remarks_of(entries)}
        assert sorted(alias for _, alias in names) == ["Juror A", "Juror B", "Juror C"]
        dealt.add(tuple(sorted(names)))
    assert len(dealt) > 1


def test_a_roundtable_of_one_juror_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="at least 2 jurors"):
        PRESETS["roundtable"].check(1)
    with pytest.raises(ConfigurationError, match="at least 2 jurors"):
        PRESETS["roundtable"].check(3, guards=2)


@pytest.mark.parametrize("turns", [0, 11])
def test_turns_out_of_bounds_are_refused(turns: int) -> None:
    with pytest.raises(ConfigurationError, match=f"turns is {turns}: set it from 1 to 10"):
        replace(PRESETS["roundtable"], turns=turns).check(3)
