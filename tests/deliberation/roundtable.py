"""Roundtables on scripted jurors, for tests."""

import re
import typing
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from safejury.agents import Case, Remark
from safejury.deliberation import (
    PRESETS,
    Entry,
    Jury,
    Protocol,
    RemarkMade,
    Verdict,
)
from safejury.testing import ScriptedReply, ScriptedServer, ballot, remark

OpenJury = Callable[..., AbstractAsyncContextManager[Jury]]
ReadCall = Callable[[Mapping[str, object]], tuple[str, int]]
Words = Callable[[Mapping[str, object]], str]
MakeCase = Callable[..., Case]
Say = Callable[[str, str, str], str | ScriptedReply]
"""What a juror answers in its turn: of its seat, its alias and its prompt."""
Held = tuple[list[Entry], Verdict, list[tuple[str, str]]]
"""The entries, the verdict, and all prompts by seat."""


class Hold(typing.Protocol):
    """Holds a roundtable on scripted jurors."""

    async def __call__(self, speak: Say, **options: Any) -> Held: ...


UNSAFE, SAFE = ballot("unsafe", 2, "It gives steps."), ballot("safe", 4, "General words.")
VOTES = {"alpha": UNSAFE, "bravo": SAFE, "charlie": SAFE}
TURN = "it is your turn"
REVOTE = "Judge the response again"


def said_before(prompt: str) -> list[str]:
    """Return the lines between the markers of the talk in a juror's prompt."""
    found = re.search(r"<<<TALK \w+\n(.*)\nTALK \w+>>>", prompt, re.DOTALL)
    assert found is not None
    return found[1].split("\n")


def holding(open_jury: OpenJury, read_call: ReadCall, words: Words, make_case: MakeCase) -> Hold:
    """Return what holds a roundtable on scripted jurors."""

    async def held(
        speak: Say,
        *,
        votes: Mapping[str, str] = VOTES,
        revotes: Mapping[str, str] | None = None,
        protocol: Protocol = PRESETS["roundtable"],
        jurors: int = 3,
        case: Case | None = None,
        **options: Any,
    ) -> Held:
        prompts: list[tuple[str, str]] = []

        def reply(body: Mapping[str, object]) -> str | ScriptedReply:
            prompt = words(body)
            if TURN in prompt:
                (seat,) = (n for n in VOTES | dict(votes) if f"Examiner {n.capitalize()}" in prompt)
                prompts.append((seat, prompt))
                alias = re.search(r"You are (Juror \w+)", prompt)
                assert alias is not None
                return speak(seat, alias[1], prompt)
            seat, _ = read_call(body)
            prompts.append((seat, prompt))
            return (revotes or votes if REVOTE in prompt else votes)[seat]

        entries: list[Entry] = []
        async with (
            ScriptedServer(reply) as server,
            open_jury(server, protocol, jurors=jurors, clerk=entries.append, **options) as jury,
        ):
            verdict = await jury.hear(case or make_case())
        return entries, verdict, prompts

    return held


def says(text: str, to: str = "all") -> Say:
    def say(seat: str, alias: str, prompt: str) -> str:
        return remark(text, to)

    return say


def passes(seat: str, alias: str, prompt: str) -> str:
    return remark()


def introduces(seat: str, alias: str, prompt: str) -> str:
    return remark(f"I am {seat} of the jury.")


def remarks_of(entries: list[Entry]) -> list[Remark]:
    return [entry.remark for entry in entries if isinstance(entry, RemarkMade)]
