"""A person's turn at the roundtable."""

import time
from collections.abc import Awaitable, Callable

from ...common import escape_controls
from ...models import Usage
from ..ballot import TEXT_ONLY, CallMeter, Conversation, in_one_line, one_line, perceive
from ..talk import ALL, Remark, RemarkCall, RemarkForm, addressed, remark_of

_PASS = ("", "p", "pass")


async def take_turn(name: str, call: RemarkCall, ask: Callable[[str], Awaitable[str]]) -> Remark:
    """Return what a person says in their turn; nothing passes.

    Args:
        name: The seat's name.
        call: What is asked.
        ask: Shows a text and returns the line typed, spaces around it left out.
    """
    heard, started = call.conversation, time.perf_counter()
    question = (
        f"\n=== Case {escape_controls(call.case.id)}, your turn to speak\n\n"
        f"{table_in_words(heard)}\n\n"
        "What do you say, in one line? Enter alone passes; to speak to one juror, begin with the "
        f"name, as in {_example(heard)}: "
    )
    said = await ask(question)
    to, text = addressed(said, heard.others)
    form = RemarkForm() if text.casefold() in _PASS else RemarkForm(in_one_line(text), to)
    meter = CallMeter(Usage(0, 0, 0), latency_s=time.perf_counter() - started)
    return remark_of(name, call, form, perceived=perceive(call.case, TEXT_ONLY), meter=meter)


def table_in_words(heard: Conversation) -> str:
    """Return what a person heard at the roundtable."""
    lines = [f"--- The jury so far; you are {heard.alias}"]
    for alias, statement in heard.ballots:
        found = one_line(statement) if statement else "no finding"
        lines.append(f"{alias}: {found}")
    lines += [f"{one.alias} to {one.to or ALL}: {in_one_line(one.text)}" for one in heard.spoken]
    return escape_controls("\n".join(lines))


def _example(heard: Conversation) -> str:
    return f'"{heard.others[0]}: Why?"' if heard.others else '"Juror A: Why?"'
