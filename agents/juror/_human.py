"""A person on the jury, asked at the terminal."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

from ...common.text import storable
from ..autogen import BallotCaster
from ..ballot import TEXT_ONLY, Ballot, BallotCall, BallotOutcome, Finding, perceive
from ..case import Case
from ..personas import HUMAN
from ..talk import Remark, RemarkCall, passed
from ._human_case import in_words, open_files, openable, viewer
from ._human_turn import take_turn
from ._terminal import ask_at_terminal

Ask = Callable[[str], Awaitable[str]]

_FINDINGS = {
    "s": Finding.SAFE,
    "safe": Finding.SAFE,
    "u": Finding.UNSAFE,
    "unsafe": Finding.UNSAFE,
}
_ABSTAIN = ("a", "abstain", "skip")
_BACK = ("b", "back")
_OPEN = ("o", "open")
_QUIT = ("q", "quit")
_SEAL = ("", "y", "yes")


class _NobodyThere(Exception):
    """Standard input is closed or is not a terminal."""


@dataclass(frozen=True, slots=True)
class CaseCount:
    """How many cases a person is asked about.

    Attributes:
        total: Cases of the run.
        before: Those of them that were finished before the person sat down.
    """

    total: int
    before: int = 0


@dataclass(frozen=True, slots=True)
class _Answers:
    """What a person said; without a finding it is an abstention."""

    finding: Finding | None
    rating: int | None
    reason: str


class HumanJuror(BallotCaster):
    """A person on the jury (`persona: human`); one case at a time.

    A vote is sealed by a last answer of its own, and until then each answer can be taken back.
    To abstain skips the case. To quit stops the whole command, as Ctrl-C does.

    Args:
        name: The seat's name: letters, digits and underscores.
        ask: Shows a text and returns the line typed; raises EOFError where nobody
            is there. None asks at the terminal.
        cases: Shown as `case 1 of 2`; None leaves it out.
    """

    def __init__(
        self, name: str = HUMAN, *, ask: Ask | None = None, cases: CaseCount | None = None
    ) -> None:
        super().__init__(name, "A person at the terminal")
        self._ask = ask or ask_at_terminal
        self._cases = cases
        self._numbers: dict[str, int] = {}  # as few as a person can read
        self._one_at_a_time = asyncio.Lock()

    async def judge(self, call: BallotCall) -> Ballot:
        """Return the person's ballot; an abstention where nobody is at the terminal."""
        # The files' places are shown; whether the person opened them cannot be known.
        perceived = perceive(call.case, TEXT_ONLY)
        async with self._one_at_a_time:
            started = time.perf_counter()
            try:
                with openable(call.case.query.media) as places:
                    shown = in_words(call, places, self._number(call.case))
                    said = await self._interview(shown, places)
                detail = None if said.finding else "the person abstained"
            except _NobodyThere:
                said = _Answers(None, None, "")
                detail = "nobody answered: standard input is closed or is not a terminal"
        return Ballot(
            self.name,
            call.round,
            BallotOutcome.VERDICT if said.finding else BallotOutcome.ABSTAIN,
            finding=said.finding,
            rating=said.rating,
            reason=said.reason,
            detail=detail,
            perceived=perceived,
            cost_usd=0.0,
            latency_s=time.perf_counter() - started,
        )

    async def speak(self, call: RemarkCall) -> Remark:
        """Return what the person says in their turn; a pass where nobody is at the terminal."""
        async with self._one_at_a_time:
            try:
                return await take_turn(self.name, call, self._line)
            except _NobodyThere:
                return passed(self.name, call)

    async def _interview(self, shown: str, places: Sequence[tuple[str, str]]) -> _Answers:
        while True:
            finding = await self._finding(shown, places)
            shown = ""
            if finding is None:
                # To skip a case takes no more than that.
                if (why := await self._words("Why")) is not None:
                    return _Answers(None, None, why)
                continue
            while (rating := await self._rating(finding)) is not None:
                if (said := await self._sealed(finding, rating)) is not None:
                    return said

    async def _finding(self, shown: str, places: Sequence[tuple[str, str]]) -> Finding | None:
        """Return the finding, None for an abstention."""
        program = viewer() if places else None
        opens = ", (o)pen what came with it" if program else ""
        choices = f"(s)afe, (u)nsafe or (a)bstain{opens}, (q)uit: "
        question = f"{shown}Finding, {choices}"
        while (answer := (await self._line(question)).casefold()) not in _FINDINGS:
            if answer in _ABSTAIN:
                return None
            question = f"Please type a letter, {choices}"
            if program and answer in _OPEN:
                await asyncio.to_thread(open_files, program, places)
                question = f"Finding, {choices}"
        return _FINDINGS[answer]

    async def _rating(self, finding: Finding) -> int | None:
        """Return the rating, None to go back."""
        allowed = [rating for rating in range(1, 6) if not finding.contradicts(rating)]
        span = f"{allowed[0]} to {allowed[-1]}"
        question = f"Rating of {finding.value}, {span} (5 is the safest, 3 borderline; b: back): "
        while (answer := await self._line(question)) not in {str(number) for number in allowed}:
            if answer.casefold() in _BACK:
                return None
            question = f"Please type a number from {span}, or b to go back: "
        return int(answer)

    async def _sealed(self, finding: Finding, rating: int) -> _Answers | None:
        """Return all answers once they are sealed, None to go back."""
        while (reason := await self._words("Reason")) is not None:
            said = f"Your ballot is {finding.value}, rating {rating}"
            question = f"{said}: {reason}\nEnter seals it (b: back): "
            while (answer := (await self._line(question)).casefold()) not in _BACK:
                if answer in _SEAL:
                    return _Answers(finding, rating, reason)
                question = "Please press Enter to seal it, or type b to go back: "
        return None

    async def _words(self, what: str) -> str | None:
        """Return a line of the person's own words, None to go back."""
        answer = await self._line(f"{what} (one line; b: back): ")
        return None if answer.casefold() in _BACK else answer

    async def _line(self, question: str) -> str:
        try:
            answer = storable(" ".join((await self._ask(question)).split()))
        except EOFError:
            raise _NobodyThere from None
        if answer.casefold() in _QUIT:
            await _quit()
        return answer

    def _number(self, case: Case) -> str:
        if self._cases is None:
            return ""
        number = self._numbers.setdefault(case.id, self._cases.before + len(self._numbers) + 1)
        return f"{number} of {self._cases.total}: "


async def _quit() -> NoReturn:
    """Stop the command as Ctrl-C does, which cancels whoever waits here."""
    signal.raise_signal(signal.SIGINT)
    await asyncio.get_running_loop().create_future()
    raise AssertionError
