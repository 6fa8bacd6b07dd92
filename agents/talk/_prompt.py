"""Builds a juror's prompt for its turn at the roundtable, and its remark from the reply."""

from ...common.text import short
from ...models import ChatMessage, Usage
from ..ballot import CallMeter, Perceived, case_messages, lost_by, part_of, talk
from ..personas import Persona
from ..prompts import render
from ._form import ALL, NoRemark, RemarkForm
from ._remark import Remark, RemarkCall, RemarkOutcome


def remark_messages(
    call: RemarkCall, persona: Persona | None, perceived: Perceived, *, in_words: bool = False
) -> tuple[ChatMessage, ...]:
    """Return a juror's whole prompt for its turn.

    Args:
        call: What is asked.
        persona: What the juror looks for, None for nothing in particular.
        perceived: `perceive` of the case.
        in_words: Whether it answers in words, and not by an object.
    """
    heard = call.conversation
    reply = _in_words(call) if in_words else render("juror_turn_reply", names=_names(call))
    asked = render(
        "juror_turn",
        alias=heard.alias,
        persona="Speak as yourself." if persona is None else part_of(persona),
        reply=reply.rstrip("\n"),
    )
    last_words = f"{talk(heard, call.case)}{asked}".rstrip("\n")
    return case_messages(call.case, call.rubric, perceived, last_words, quotes=call.quotes)


def remark_again(call: RemarkCall, read: RemarkForm | NoRemark, *, in_words: bool = False) -> str:
    """Return the words that ask a juror once more for its turn; empty where that helps nothing."""
    if not (isinstance(read, NoRemark) and read.may_retry):
        return ""
    if in_words:
        return f"That was not a turn: {read.problem}. {_in_words(call)}".rstrip("\n")
    fields = {"problem": read.problem, "names": _names(call)}
    return render("juror_turn_retry", **fields).rstrip("\n")


def _in_words(call: RemarkCall) -> str:
    """Return how a turn is written by an agent that answers in words."""
    others = call.conversation.others
    return render("juror_turn_words", other=others[0] if others else "")


def _names(call: RemarkCall) -> str:
    return ", ".join(f'"{name}"' for name in (ALL, *call.conversation.others))


def remark_of(
    juror: str,
    call: RemarkCall,
    read: RemarkForm | NoRemark,
    *,
    perceived: Perceived,
    meter: CallMeter,
) -> Remark:
    """Return what came of the turn of a juror that answered.

    Args:
        juror: The seat's name.
        call: What it was asked.
        read: What its last reply said.
        perceived: What it received of the case.
        meter: What its calls took.
    """
    if isinstance(read, NoRemark):
        outcome, to, text, detail = read.outcome, None, "", short(read.detail)
    else:
        outcome = RemarkOutcome.SPOKE if read.text else RemarkOutcome.PASSED
        to, text, detail = read.to, read.text, None
    return Remark(
        juror,
        call.conversation.alias,
        call.round,
        call.turn,
        outcome,
        to=to,
        text=text,
        detail=detail,
        perceived=perceived,
        **meter.fields(),
    )


def passed(juror: str, call: RemarkCall) -> Remark:
    """Return the turn of a juror that has nothing to say and was asked nothing."""
    meter = CallMeter(Usage(0, 0, 0))
    return remark_of(juror, call, RemarkForm(), perceived=Perceived(), meter=meter)


def failed_remark(
    juror: str, call: RemarkCall, error: Exception, *, perceived: Perceived, meter: CallMeter
) -> Remark:
    """Return what came of the turn of a juror whose call failed, and count that call."""
    outcome, detail = lost_by(error, meter)
    return Remark(
        juror,
        call.conversation.alias,
        call.round,
        call.turn,
        RemarkOutcome(outcome),
        detail=detail,
        perceived=perceived,
        **meter.fields(),
    )
