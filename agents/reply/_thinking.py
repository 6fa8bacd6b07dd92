"""The marks that models set around their thinking, for the fence, jurors and summaries."""

import re
from collections.abc import Callable
from dataclasses import dataclass

_NAME = (
    r"(?:[a-z]{1,20}:)?(?:think(?:ing)?|(?:inner_|internal_)?thoughts?|reasoning|reflection"
    r"|scratchpad|analysis|(?:inner_|internal_)?monologue)"
)
# Kind: how such thinking begins, and how it ends.
_MARKS = {
    "tag": (rf"<{_NAME}(?:\s[^<>]{{0,80}})?>", rf"</{_NAME}\s{{0,9}}>"),
    "bracket": (r"\[THINK\]", r"\[/THINK\]"),
    "triangle": ("\u25c1think\u25b7", "\u25c1/think\u25b7"),
    "thought": (r"<\|begin_of_thought\|>", r"<\|end_of_thought\|>"),
    "command": (r"<\|START_THINKING\|>", r"<\|END_THINKING\|>"),
    "unused": ("<unused94>", "<unused95>"),
    "channel": (
        r"<\|channel\|>(?:analysis|commentary)",
        r"<\|channel\|>final\s?(?:<\|constrain\|>\s?json\s?)?<\|message\|>",
    ),
    "turn": (r"<\|channel>thought", r"<channel\|>"),
    # Some servers leave the words of a channel's tokens and take the tokens.
    "words": (r"\Aanalysis(?=(?s:.)*assistantfinal)", "assistantfinal"),
}
_ENDS = {kind: re.compile(end, re.IGNORECASE) for kind, (_, end) in _MARKS.items()}
# What no mark starts with is passed over at once.
_START = r"(?=[<\[\u25c1a])(?=<[a-z/|]|\[/?THINK|\u25c1|analysis|assistantfinal)"
_EITHER = (f"(?P<{kind}>{begin})|(?P<{kind}_end>{end})" for kind, (begin, end) in _MARKS.items())
MARK = re.compile(f"{_START}(?:{'|'.join(_EITHER)})", re.IGNORECASE)
"""A beginning or an end."""

MARK_END = re.compile(f"{_START}(?:{'|'.join(end for _, end in _MARKS.values())})", re.IGNORECASE)

# What chat templates set around a turn. Names of roles only beside their tokens.
TOKENS = re.compile(
    r"<\|(?:im_end|end|eot_id|eom_id|eot|return|endoftext|end_of_text|end_of_turn|assistant"
    r"|begin_of_text|start_response|end_response|end_of_turn_token)\|>"
    r"|<\|im_start\|>\s?assistant|<\|start\|>\s?assistant|<start_of_turn>\s?model"
    r"|<\|turn>\s?model|<turn\|>|<end_of_turn>|</?s>|<[be]os>"
    r"|<\|start_header_id\|>\s?assistant\s?<\|end_header_id\|>|\[\|(?:assistant|endofturn)\|\]"
    "|<[|\uff5c](?:Assistant|(?:begin|end)\u2581of\u2581sentence)[|\uff5c]>",
    re.IGNORECASE,
)
UNCLEAR = "where its thinking ends cannot be told"


_MARKED, _WORDS = "<[\u25c1", re.compile("assistantfinal", re.IGNORECASE)
"""What every mark has: one of the characters, or the words."""


def marks_replaced(text: str, replace: Callable[[re.Match[str]], str]) -> str:
    """Return a text with each `MARK` in it replaced; most texts are passed over at once."""
    words = "assistantfinal" in text.lower() if text.isascii() else _WORDS.search(text)
    if words or any(char in text for char in _MARKED):
        return MARK.sub(replace, text)
    return text


@dataclass(frozen=True, slots=True)
class Thought:
    """Where thinking stands in a text.

    Attributes:
        begun: Whether a mark begins it; else it goes from the text's start.
        end: Where what follows it starts.
    """

    begun: bool
    end: int


def thought_at(text: str, mark: re.Match[str], since: int | None) -> Thought | None:
    """Return the thinking that a mark delimits, None where it delimits none.

    It goes from a mark to the next end of the same kind. Models whose prompt begins their
    thinking only end it, on a line of its own; an end within a line is a quotation.

    Args:
        text: A model's reply.
        mark: A match of `MARK` in it.
        since: Where thinking that was found before ended, None for none.
    """
    kind = mark.lastgroup or ""
    if kind in _ENDS:
        end = _ENDS[kind].search(text, mark.end())
        return None if end is None else Thought(begun=True, end=end.end())
    if since is not None:
        doubled = not text[since : mark.start()].strip()
        return Thought(begun=True, end=mark.end()) if doubled else None
    line = text[text.rfind("\n", 0, mark.start()) + 1 : mark.start()]
    return None if TOKENS.sub("", line).strip() else Thought(begun=False, end=mark.end())


def without_thinking(text: str) -> str | None:
    """Return a text without its thinking, None where it cannot be told from the rest."""
    said: list[str] = []
    since = None
    while (mark := MARK.search(text, since or 0)) is not None:
        thought = thought_at(text, mark, since)
        if thought is None:
            return None
        if thought.begun:
            said.append(text[since or 0 : mark.start()])
        since = thought.end
    return "".join((*said, text[since or 0 :]))
