"""Adapts requests to what a server accepts, learned from its rejections."""

import re
from dataclasses import dataclass, replace

from ..chat import ChatRequest
from ._error_reply import ErrorReply

SCHEMA_NOTE = "the server does not take json_schema; the schema was asked for in words"
CAP_NOTE = "the server does not take max_tokens; the cap was sent as max_completion_tokens"
SYSTEM_NOTE = "the server takes no system messages; they were put before the first user message"
WHOLE_NOTE = "the server does not stream as asked; the reply came in one piece"

_LOGPROBS = ("logprobs", "top_logprobs")
DROPPABLE = ("seed", "temperature", "top_p", *_LOGPROBS)
"""Parameters that can be left out; not the token limit, which the budget relies on."""

_TEACHING = {400, 422, 500, 501}
_REJECTION_CODES = {"unsupported_parameter", "unsupported_value", "unknown_parameter"}
_SPLIT = re.compile(r"[\n;]|\.\s+|\.$")
# Older validations write the place on a line of its own: `body -> seed`.
_PLACE = re.compile(r"\bbody -> (\w+)\n\s+")
# What follows lists the parameters that a server does take.
_OFFER = re.compile(
    r"\b(expected( one of)?|(supported|allowed|valid|permitted) \w+( are)?:|must be one of)\b.*",
    re.IGNORECASE,
)
_NOT_TAKEN = re.compile(
    r"unsupported|unrecogni[sz]ed|unexpected|deprecated|no longer|extra (inputs|fields)"
    r"|extra_forbidden|additional propert|cannot find field"
    r"|(not|n't) (be |been |currently |yet )*"
    r"(support|allow|permit|accept|recogni[sz]|available|enabled|take|a valid param)"
    r"|unknown (name|field|param|argument|key|property|option|request)"
    r"|invalid (param|argument|field)"
    r"|only .{1,60}(supported|allowed|permitted|accepted)"
    r"|cannot (both )?be (set|specified|used|changed)|must be 1 when",
    re.IGNORECASE,
)
# The value is at fault, and whoever set it can fix it.
_RANGE = re.compile(
    r"too (large|long|small|many)|at (most|least)|exceed|between|(less|greater) than|range"
    r"|positive|maximum|minimum|context (length|window)|[<>≤≥]",
    re.IGNORECASE,
)
_TOO_LONG = re.compile(
    r"context (length|window|size)|too (long|many) |reduce the length", re.IGNORECASE
)
_TOGETHER = re.compile(r"\bboth\b|only one|together|simultaneous", re.IGNORECASE)
_USE_COMPLETION_CAP = re.compile(r"\buse\W+max_completion_tokens", re.IGNORECASE)
_NO_SCHEMA = re.compile(
    r"response_format|response format|json_schema|schema|structured|grammar|guided", re.IGNORECASE
)
_STREAM = re.compile(r"\bstream(ing|_options)?\b", re.IGNORECASE)
_NO_SYSTEM = re.compile(
    r"system.{0,40}(\bnot|n't) (be )?(support|allow|permit|enabled|accept)"
    r"|system\W+(role|message|prompt)\W.{0,20}unsupported|unsupported.{0,20}\bsystem\b"
    r"|(\bnot|n't) support\w*.{0,20}\bsystem\b"
    r"|(unexpected|invalid|unknown) role\W+system|unknown variant\W+system"
    r"|roles? must alternate|developer instruction is not enabled|input should be 'user'",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Dialect:
    """Adapts requests to what a server accepts, learned from its rejections.

    Attributes:
        schema_in_words: Ask for JSON in the prompt, not by `response_format`.
        completion_cap: Call the cap `max_completion_tokens`, not `max_tokens`.
        no_system: Put system messages before the first user message.
        dropped: Parameters to leave out.
        whole: Ask for the reply in one piece, not as a stream.
    """

    schema_in_words: bool = False
    completion_cap: bool = False
    no_system: bool = False
    dropped: frozenset[str] = frozenset()
    whole: bool = False

    def learn(self, request: ChatRequest, complaint: ErrorReply, status: int) -> "Dialect | None":
        """Return the dialect for the next try after a rejection, None if nothing will help.

        Each lesson names something of `request`; what is wrong with a value, a prompt
        or a picture teaches nothing. The cap is never dropped: a budget counts on it.

        Args:
            request: What was asked in this dialect.
            complaint: What the server said.
            status: HTTP status that it said it with.
        """
        if status not in _TEACHING or complaint.filtered:
            return None
        text = _PLACE.sub(r"body.\1: ", complaint.text)
        clauses = [_OFFER.sub("", clause) for clause in _SPLIT.split(text)]
        better = replace(self, dropped=self.dropped | self._rejected(request, clauses, complaint))
        if self._renames_cap(request, clauses, complaint):
            better = replace(better, completion_cap=True)
        if not self.no_system and _has_system(request) and _NO_SYSTEM.search(complaint.text):
            better = replace(better, no_system=True)
        if not self.whole and request.on_text and _STREAM.search(complaint.text):
            better = replace(better, whole=True)
        if better == self and status != 500 and self._rejects_schema(request, clauses, complaint):
            better = replace(better, schema_in_words=True)
        return None if better == self else better

    def merged(self, other: "Dialect") -> "Dialect":
        """Combine two dialects."""
        return Dialect(
            self.schema_in_words or other.schema_in_words,
            self.completion_cap or other.completion_cap,
            self.no_system or other.no_system,
            self.dropped | other.dropped,
            self.whole or other.whole,
        )

    def left_out(self, request: ChatRequest) -> tuple[str, ...]:
        """Return the parameters of `request` that are not sent."""
        if not self.dropped:
            return ()
        return tuple(name for name in _asked(request) if name in self.dropped)

    def notes(self, request: ChatRequest) -> tuple[str, ...]:
        """Describe how the sent request differs from `request`, one sentence each."""
        if self == _AS_ASKED:
            return ()
        said = [
            (SCHEMA_NOTE, self.schema_in_words and request.json_schema is not None),
            (CAP_NOTE, self.completion_cap and request.max_tokens is not None),
            (SYSTEM_NOTE, self.no_system and _has_system(request)),
            (WHOLE_NOTE, self.whole and request.on_text is not None),
        ]
        dropped = self.left_out(request)
        return (
            *(note for note, holds in said if holds),
            *(f"the provider does not take {name}; it was left out" for name in dropped),
        )

    def _rejected(
        self, request: ChatRequest, clauses: list[str], complaint: ErrorReply
    ) -> frozenset[str]:
        sent = [name for name in DROPPABLE if name in _asked(request) and name not in self.dropped]
        rejected = {
            name for name in sent if name == complaint.param and complaint.code in _REJECTION_CODES
        }
        for clause in clauses:
            named = [name for name in sent if re.search(rf"\b{name}\b", clause)]
            if not named or _RANGE.search(clause) or not _NOT_TAKEN.search(clause):
                continue
            # One of the two is enough: the temperature stays.
            rejected.update(["top_p"] if len(named) > 1 and _TOGETHER.search(clause) else named)
        if not rejected.isdisjoint(_LOGPROBS):  # each means nothing without the other
            rejected.update(_LOGPROBS)
        return frozenset(rejected)

    def _renames_cap(self, request: ChatRequest, clauses: list[str], complaint: ErrorReply) -> bool:
        if request.max_tokens is None or self.completion_cap:
            return False
        if complaint.param == "max_tokens" and complaint.code in _REJECTION_CODES - {
            "unsupported_value"
        }:
            return True
        return any(
            _USE_COMPLETION_CAP.search(clause)
            or (re.search(r"\bmax_tokens\b", clause) and _NOT_TAKEN.search(clause))
            for clause in clauses
            if not _RANGE.search(clause)
        )

    def _rejects_schema(
        self, request: ChatRequest, clauses: list[str], complaint: ErrorReply
    ) -> bool:
        if request.json_schema is None or self.schema_in_words:
            return False
        if complaint.param.startswith("response_format"):
            return True
        named = any(_NO_SCHEMA.search(clause) for clause in clauses)
        return named and not _TOO_LONG.search(complaint.text)


_AS_ASKED = Dialect()


def _asked(request: ChatRequest) -> tuple[str, ...]:
    values = {
        "max_tokens": request.max_tokens,
        "temperature": request.sampling.temperature,
        "top_p": request.sampling.top_p,
        "seed": request.seed,
        **dict.fromkeys(_LOGPROBS, request.top_logprobs),
    }
    return tuple(name for name, value in values.items() if value is not None)


def _has_system(request: ChatRequest) -> bool:
    return any(message.role == "system" for message in request.messages)
