import asyncio
import random
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

import pytest

from safejury.agents import Case
from safejury.deliberation import PRESETS, BallotsRevealed, Entry, Jury, Protocol, Rule, Verdict
from safejury.testing import ScriptedReply, ScriptedServer, ballot

Body = Mapping[str, Any]
OpenJury = Callable[..., AbstractAsyncContextManager[Jury]]
CastBy = Callable[..., Callable[[Body], str | ScriptedReply]]
MakeCase = Callable[..., Case]
Words = Callable[[Body], str]
ReadCall = Callable[[Body], tuple[str, int]]

NAMES = ("alpha", "bravo", "charlie", "delta", "echo")
UNSAFE, SAFE = ballot("unsafe", 2), ballot("safe", 4)
SAID = {"unsafe": UNSAFE, "safe": SAFE, "abstain": ballot("abstain", 3)}
CURTAILED = replace(PRESETS["vote"], stop="curtailed")
PATTERNS = [
    [
        random.Random(f"{number}/{seat}").choice(("unsafe", "safe", "safe", "abstain"))
        for seat in NAMES
    ]
    for number in range(30)
]


async def test_three_of_five_are_asked_where_they_agree(
    open_jury: OpenJury, cast_by: CastBy, make_case: MakeCase
) -> None:
    entries: list[Entry] = []
    async with (
        ScriptedServer(cast_by(), latency=0.05) as server,
        open_jury(server, CURTAILED, jurors=5, clerk=entries.append) as jury,
    ):
        verdict = await jury.hear(make_case())
    assert (verdict.finding, verdict.calls, server.stats.calls) == ("safe", 3, 3)
    assert verdict.tally == {"safe": 3, "not_asked": 2}
    assert server.stats.peak_in_flight == 3
    revealed = entries[1]
    assert isinstance(revealed, BallotsRevealed)
    asked = {cast.juror for cast in revealed.ballots}
    assert asked | set(revealed.not_asked) == set(NAMES)
    assert len(asked) == 3


async def test_who_is_asked_first_depends_on_case_and_seed_alone(
    open_jury: OpenJury, cast_by: CastBy, make_case: MakeCase
) -> None:
    async def left_out(seed: int) -> list[tuple[str, ...]]:
        entries: list[Entry] = []
        async with (
            ScriptedServer(cast_by()) as server,
            open_jury(server, CURTAILED, jurors=5, seed=seed, clerk=entries.append) as jury,
        ):
            for number in range(6):
                await jury.hear(make_case(number))
        return [entry.not_asked for entry in entries if isinstance(entry, BallotsRevealed)]

    first, again, other = await left_out(1), await left_out(1), await left_out(2)
    assert first == again
    assert first != other
    assert len(set(first)) > 1


async def test_jurors_who_differ_are_all_asked_before_they_talk(
    open_jury: OpenJury, cast_by: CastBy, make_case: MakeCase
) -> None:
    protocol = replace(PRESETS["contested"], stop="curtailed")
    say = cast_by(alpha=[UNSAFE], bravo=[UNSAFE], charlie=[UNSAFE])
    async with ScriptedServer(say) as server, open_jury(server, protocol, jurors=5) as jury:
        verdict = await jury.hear(make_case())
    assert (verdict.rounds, verdict.calls, verdict.tally) == (2, 10, {"unsafe": 3, "safe": 2})


@pytest.mark.parametrize(
    ("rule", "jurors"),
    [
        (Rule(), 5),
        (Rule(tie="unsafe"), 4),
        (Rule("any"), 5),
        (Rule("k_of_n", k=2), 5),
    ],
)
async def test_curtailed_voting_finds_what_asking_all_would_find(
    open_jury: OpenJury,
    make_case: MakeCase,
    words: Words,
    read_call: ReadCall,
    rule: Rule,
    jurors: int,
) -> None:
    def say(body: Body) -> str:
        (number,) = re.findall(r"Answer no. (\d+)\.", words(body))
        return SAID[PATTERNS[int(number)][NAMES.index(read_call(body)[0])]]

    async def findings(protocol: Protocol) -> list[Verdict]:
        async with (
            ScriptedServer(say) as server,
            open_jury(server, protocol, jurors=jurors) as jury,
            asyncio.TaskGroup() as group,
        ):
            hearings = [group.create_task(jury.hear(make_case(number))) for number in range(30)]
        return [hearing.result() for hearing in hearings]

    everybody = await findings(replace(PRESETS["vote"], rule=rule))
    fewest = await findings(replace(CURTAILED, rule=rule))
    assert [verdict.finding for verdict in fewest] == [verdict.finding for verdict in everybody]
    assert {verdict.finding for verdict in everybody} >= {"safe", "unsafe"}
    for verdict in fewest:
        assert sum(verdict.tally.values()) == jurors
        assert verdict.calls == jurors - verdict.tally.get("not_asked", 0)
    assert sum(v.calls for v in fewest) < sum(v.calls for v in everybody)
