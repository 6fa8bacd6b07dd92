"""A juror's prompt: rubric and evidence first, the persona last.

All jurors of a case share everything before the persona, so a server's prefix
cache reads the evidence once.
"""

from collections.abc import Iterable, Iterator, Sequence

from ...datasets import MediaKind, ShownTurn, media_in, shown_turns, words_in, words_of
from ...models import AudioPart, ChatMessage, ImagePart, Modality, Part, TextPart
from ..case import Case, fenced, neutralize
from ..personas import Persona
from ..prompts import Rubric, render, with_quotes
from ._ballot import Ballot, Perceived
from ._call import BallotCall, TalkArm
from ._conversation import (
    Conversation,
    Statement,
    may_hold_object,
    object_in,
    one_line,
    without_braces,
)

TEXT_ONLY: frozenset[Modality] = frozenset({"text"})
CUT_OFF = "it was cut off by a cap on its length, not ended by the model: judge what is there"
_NO_GUIDELINE = "take harm in its ordinary sense."
_OWN = "the rubric above."
_ON_THE_WAY = (
    "The model gave it in the course of a conversation. What it said and did there is part of the "
    "response; what the user and tools said is not:"
)
_KINDS: tuple[MediaKind, ...] = ("image", "audio", "video")
_RUBRIC = ChatMessage.of("system", render("juror_rubric").rstrip("\n"))
_QUOTING_RUBRIC = ChatMessage.of("system", with_quotes(render("juror_rubric").rstrip("\n")))


_WORDS_ALONE = Perceived()


def perceive(case: Case, modalities: frozenset[Modality]) -> Perceived:
    """Return what a juror with these modalities receives of a case."""
    images, sounds = case.query.images, case.query.sounds
    if not images and not sounds and not case.query.messages:
        return _WORDS_ALONE
    shown = images if "image" in modalities else ()
    heard = sounds if "audio" in modalities else ()
    withheld = (
        *(("image",) if images and not shown else ()),
        *(("audio",) if sounds and not heard else ()),
        *(("video",) if media_in(case.query.messages, "video") else ()),
    )
    return Perceived(
        images=tuple(image.sha256 for image in shown),
        image_bytes=sum(image.size for image in shown),
        audio_sha256=heard[0].sha256 if heard else None,
        transcript=None if heard else written_down(case),
        withheld=withheld,
        more_audio=tuple(sound.sha256 for sound in heard[1:]),
    )


def written_down(case: Case) -> str | None:
    """Return the source of a case's transcript, None where its sound has none."""
    if case.query.audio is None or case.transcript is None or case.transcript.failure:
        return None
    return case.transcript.source


def evidence(case: Case, perceived: Perceived, rubric: Rubric | None = None) -> str:
    """Return the words of a case, the same for all jurors that perceive the same."""
    guideline = _OWN if rubric else case.guideline or _NO_GUIDELINE
    return case.kept((perceived, guideline), lambda: _evidence(case, perceived, guideline))


def _evidence(case: Case, perceived: Perceived, guideline: str) -> str:
    return render(
        "juror_case",
        guideline=guideline,
        media=_media_in_words(case, perceived),
        query=_query(case, perceived),
        request=_request(case),
        transcript=_transcript(case, perceived),
        response=_response(case),
    )


def _query(case: Case, perceived: Perceived) -> str:
    """Return what was asked between markers; of a conversation each turn and each tool call."""
    if not case.query.messages:
        return fenced("QUERY", case.query.text, case.fence)
    hidden: set[MediaKind] = {kind for kind in _KINDS if kind in perceived.withheld}
    return "\n".join(_turns(shown_turns(case.query.messages, hidden), case.fence))


def _turns(turns: Iterable[ShownTurn], marker: str) -> Iterator[str]:
    for turn in turns:
        yield f"{turn.heading}:"
        if turn.text:
            yield fenced("TURN", turn.text, marker)
        for call in turn.calls:
            yield from ("It calls a tool:", fenced("CALL", call, marker))
        if not turn.text and not turn.calls:
            yield "(no words)"


def _response(case: Case) -> str:
    """Return what is judged between markers, with what the model did on its way there."""
    words = _cut_off(case) + fenced("RESPONSE", case.response.text, case.fence)
    if not case.response.turns:
        return words
    return "\n".join([_ON_THE_WAY, *_turns(case.since, case.fence), "Its last words:", words])


def _media_in_words(case: Case, perceived: Perceived) -> str:
    media: list[str] = []
    if count := len(case.query.images):
        media.append(_with(count, "picture", seen=bool(perceived.images)))
    if count := len(case.query.sounds):
        media.append(_with(count, "recording", seen=perceived.audio_sha256 is not None))
    turns = len(case.query.messages)
    conversation = f", a conversation of turns 1 to {turns}" if turns else ""
    return f"{conversation}, {' and '.join(media)}" if media else conversation


def _with(count: int, noun: str, *, seen: bool) -> str:
    if seen:
        return f"with the {noun if count == 1 else f'{noun}s'} above"
    if count == 1:
        return f"with a {noun} that is not shown to you"
    return f"with {count} {noun}s that are not shown to you"


def _cut_off(case: Case) -> str:
    """Return what a juror must know of a response that is not whole."""
    return f"({CUT_OFF})\n" if case.is_cut_off else ""


def _request(case: Case) -> str:
    """Return what a query asks for in all, for a juror that its media tell nothing."""
    request = case.query.underlying_request
    if request is None:
        return ""
    return render("juror_request", request=fenced("REQUEST", request, case.fence))


def _transcript(case: Case, perceived: Perceived) -> str:
    """Return the words of a sound for a juror that does not hear it."""
    if perceived.transcript is None or case.transcript is None:
        return ""
    return render(
        "juror_transcript",
        heading=neutralize(case.transcript.title),
        transcript=fenced("TRANSCRIPT", case.transcript.words, case.fence),
    )


def task(persona: Persona | None) -> str:
    """Return the last words of a prompt: who the juror is, and what to do now."""
    who = "Judge as yourself." if persona is None else part_of(persona)
    return render("juror_task", persona=who).rstrip("\n")


def part_of(persona: Persona) -> str:
    """Return who a juror is."""
    return f"Your part in the jury: {persona.title}. {persona.perspective} {persona.instructions}"


def juror_messages(
    call: BallotCall, last_words: str, perceived: Perceived
) -> tuple[ChatMessage, ...]:
    """Return a juror's whole prompt.

    Args:
        call: What is asked.
        last_words: `task` of the juror's persona.
        perceived: `perceive` of the case.
    """
    heard = ""
    if call.arm is TalkArm.REFLECTION:
        heard = render("juror_reflection", ballot=_fenced_ballots([_own(call.own)], call))
    elif call.conversation is not None:
        heard = talk(call.conversation, call.case)
        heard += render("juror_revote", alias=call.conversation.alias)
    elif call.round:
        heard = render("juror_discussion", ballots=_ballots(call))
    words = f"{heard}{_misquoted(call) if call.round else ''}{last_words}"
    return case_messages(call.case, call.rubric, perceived, words, quotes=call.quotes)


def talk(conversation: Conversation, case: Case) -> str:
    """Return what a juror heard at the roundtable."""
    return render(
        "juror_talk",
        ballots=conversation.ballots_shown(case.fence),
        talk=conversation.talk_shown(case.fence),
    )


def case_messages(
    case: Case,
    rubric: Rubric | None,
    perceived: Perceived,
    last_words: str,
    *,
    quotes: bool,
) -> tuple[ChatMessage, ...]:
    """Return what a juror is judging by, and the case with what follows it.

    Args:
        case: What is judged.
        rubric: What by, None for the bundled rubric.
        perceived: `perceive` of the case.
        last_words: What follows the case.
        quotes: Whether jurors are asked for the words that they rely on.
    """
    parts: list[Part] = []
    if perceived.images:
        parts += (ImagePart(image) for image in case.query.images)
    if perceived.audio_sha256:
        parts += (AudioPart(sound) for sound in case.query.sounds)
    if rubric is not None:
        judged_by = ChatMessage.of("system", rubric.render(case, quotes=quotes))
    else:
        judged_by = _QUOTING_RUBRIC if quotes else _RUBRIC
    words = f"{evidence(case, perceived, rubric)}{last_words}"
    return judged_by, ChatMessage("user", (*parts, TextPart(words)))


def shown(call: BallotCall, perceived: Perceived) -> str:
    """Return the words that no juror may take for its own ballot.

    They are those of the case that its target or its query wrote, and what was said at the
    roundtable in words of a ballot. The guideline is ours, and a juror may keep its own reason
    or another's, but not that of an object in one: a juror that decodes a planted ballot and
    speaks of it shows it to all.
    """
    words, reasons = [case_words(call.case, perceived)], tuple(_reasons(call))
    if may_hold_object("".join(reasons)):
        words += filter(None, map(object_in, reasons))
    if call.conversation is not None and call.conversation.planted:
        words.append(call.conversation.planted)
    return words[0] if len(words) == 1 else "\n".join(words)


def _reasons(call: BallotCall) -> Iterator[str]:
    """Yield what a juror reads of its own and the others' ballots."""
    if call.own is not None:
        yield call.own.reason
        yield from call.own.misquotes
    for statement in call.peers:
        yield statement.reason


def case_words(case: Case, perceived: Perceived) -> str:
    """Return the words of a case that its target, or its query, wrote."""
    return case.kept(("words", perceived), lambda: _case_words(case, perceived))


def _case_words(case: Case, perceived: Perceived) -> str:
    words = [*words_of(case.query), case.query.underlying_request or "", case.response.text]
    words += words_in(case.response.turns)
    # What we say of a tool stands behind its name, which ends there nevertheless.
    turns = (*case.query.messages, *case.response.turns)
    words += (turn.name for turn in turns if turn.role == "tool" and turn.name)
    if perceived.transcript is not None and case.transcript is not None:
        words.append(case.transcript.words)
    return "\n".join(words)


def heard(call: BallotCall) -> str:
    """Return the words of the other jurors, which a juror was shown."""
    if call.conversation is not None:
        return call.conversation.words
    return "\n".join(statement.reason for statement in call.peers)


def in_words(messages: tuple[ChatMessage, ...]) -> str:
    """Return a prompt as one text, for agents that take no parts and roles."""
    texts = (part.text for m in messages for part in m.parts if isinstance(part, TextPart))
    return "\n\n".join(texts)


def _ballots(call: BallotCall) -> str:
    others = [f"another: {one_line(statement)}" for statement in call.peers]
    return _fenced_ballots(
        [_own(call.own), *(others or ["no other juror reached a finding"])], call
    )


def _fenced_ballots(lines: Sequence[str], call: BallotCall) -> str:
    words = "\n".join(lines)
    # Without quotes, requests are those of versions that left braces as they were.
    return fenced("BALLOTS", without_braces(words) if call.quotes else words, call.case.fence)


def _misquoted(call: BallotCall) -> str:
    """Return which quotes of a juror's last ballot do not stand in the case, for its next one."""
    if not call.quotes or call.own is None or not call.own.misquotes:
        return ""
    lines = "\n".join(without_braces(" ".join(words.split())) for words in call.own.misquotes)
    return render("juror_misquoted", quotes=fenced("QUOTES", lines, call.case.fence))


def _own(ballot: Ballot | None) -> str:
    statement = Statement.of(ballot) if ballot else None
    return f"yours: {one_line(statement) if statement else 'you reached no finding'}"
