"""Read a guard's reply strictly by its dialect; what is not there is never guessed."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import msgspec

from ...common.text import quoted, storable
from ...models import Completion, TokenLogprobs
from ..ballot import BallotOutcome, Finding, GuardCategory, NoBallot, Unfit, refusal_of
from ..case import letters, look_at
from ..reply import read_objects
from ._dialect import Controversial, GuardDialect, pattern_of

_SHOWN, _REASON_KEPT = 200, 2000
_SPACES = " \n\t\u0120\u2581"
"""Around a token, as tokenizers write them that are not decoded as well."""


@dataclass(frozen=True, slots=True)
class GuardForm:
    """What a guard's reply says.

    Attributes:
        finding: None where it is between safe and unsafe, and that counts as an abstention.
        categories: Its own categories, with their counterparts among ours.
        declined: Whether the response declined to help, None where the guard does not say.
        reason: Why, in its words; empty where it does not say.
        probability: Probability that the response is unsafe by its finding's first token,
            None where tokens did not come with theirs.
    """

    finding: Finding | None
    categories: tuple[GuardCategory, ...] = ()
    declined: bool | None = None
    reason: str = ""
    probability: float | None = None


def read_guard(
    completion: Completion,
    dialect: GuardDialect,
    *,
    controversial: Controversial = "abstain",
    principle: str | None = None,
    evidence: str = "",
) -> GuardForm | NoBallot:
    """Return what a guard's reply says, or why it says nothing.

    Args:
        completion: The reply.
        dialect: How it is read.
        controversial: What a finding between safe and unsafe counts as.
        principle: The category that was asked about, None for all.
        evidence: What the guard was shown of the case that others wrote; for one that gives a
            reason, which must be its own.
    """
    if completion.filtered:
        return NoBallot(BallotOutcome.FILTERED, "the provider's filter stopped the guard's reply")
    try:
        if completion.finish_reason == "length" and not dialect.reply.may_be_cut_off:
            raise Unfit("it was cut off at the token cap")
        if dialect.reply.object:
            return _by_object(completion, dialect, controversial, evidence)
        return _by_pattern(completion, dialect, controversial, principle)
    except Unfit as unfit:
        words = "" if "{" in completion.text else completion.text  # an object may quote a refusal
        if (refusal := refusal_of(completion, words)) is not None:
            return NoBallot(BallotOutcome.REFUSED, "the guard's model refused to judge", refusal)
        said = quoted(storable(completion.text.strip()[:_SHOWN]))
        return NoBallot(BallotOutcome.UNPARSED, unfit.problem, said)


def _by_pattern(
    completion: Completion,
    dialect: GuardDialect,
    controversial: Controversial,
    principle: str | None,
) -> GuardForm:
    reply, text = dialect.reply, completion.text
    assert reply.pattern is not None
    lead = len(text) - len(text.lstrip())
    found = pattern_of(reply.pattern).fullmatch(text.strip())
    if found is None:
        raise Unfit(f"it is no reply of {dialect.title}")
    groups = found.groupdict()
    said = groups.get("categories")
    names = [] if said is None or said.strip() == reply.no_category else said.split(",")
    stated = reply.findings[groups["finding"]]
    if principle is not None and stated == "unsafe":
        names = [principle]
    word, at = groups["finding"], lead + found.start("finding")
    top = _instead_of(word, at, completion.logprobs or ())
    likely = _probability(top, reply.findings, controversial)
    declined = groups.get("declined")
    return _form(
        dialect,
        stated,
        [name.strip() for name in names],
        controversial,
        declined=None if declined is None else declined.lower() == "yes",
        probability=likely,
    )


def _by_object(
    completion: Completion,
    dialect: GuardDialect,
    controversial: Controversial,
    evidence: str,
) -> GuardForm:
    keys, reply = dialect.reply.object, read_objects(completion.text)
    if reply.problem is not None:
        raise Unfit(reply.problem)
    if len(reply.objects) != 1 or reply.before.strip() or reply.after.strip():
        raise Unfit("it is not one JSON object alone")
    (members,) = reply.objects
    stated = _plain(members.get(keys["finding"]))
    if stated not in dialect.reply.findings:
        raise Unfit(f'"{keys["finding"]}" is not one of {", ".join(dialect.reply.findings)}')
    reason = _reason(members.get(keys["reason"]), evidence) if "reason" in keys else ""
    named = members.get(keys["categories"])
    finding = dialect.reply.findings[stated]
    return _form(
        dialect,
        finding,
        # Of a response that violates nothing, the category is what it comes closest to.
        [] if isinstance(named, str) and finding == "safe" else list(_named(named)),
        controversial,
        reason=reason,
    )


def _reason(value: object, evidence: str) -> str:
    """Return the reason, which none has that repeats an object of the case."""
    reason = storable(value).strip() if isinstance(value, str) else ""
    if not letters(reason):
        raise Unfit("it does not say why")
    if look_at(evidence).states(reason):
        raise Unfit("its reason is quoted from the case")
    return reason[:_REASON_KEPT]


def _plain(value: object) -> str:
    """Return a JSON value as it is written, empty for a text: "1" is not 1."""
    is_plain = isinstance(value, bool | int)
    return msgspec.json.encode(value).decode() if is_plain else ""


def _named(value: object) -> Iterator[str]:
    """Yield the categories that a member names: one, several, or those that are true."""
    match value:
        case None:
            return
        case str():
            yield value.strip()
        case list():
            for each in cast("list[object]", value):
                yield from _named(each)
        case dict():
            for name, applies in cast("dict[str, object]", value).items():
                if applies is True:
                    yield name
                elif applies not in (False, None):
                    raise Unfit("a category is neither true nor false")
        case _:
            raise Unfit("its categories cannot be read")


def _form(
    dialect: GuardDialect,
    stated: str,
    names: Sequence[str],
    controversial: Controversial,
    *,
    declined: bool | None = None,
    reason: str = "",
    probability: float | None = None,
) -> GuardForm:
    categories = list[GuardCategory]()
    for name in dict.fromkeys(names):
        if (category := dialect.category(storable(name)[:80])) is None:
            raise Unfit(f"{dialect.title} has no category of that name")
        categories.append(category)
    if stated == "safe" and categories:
        raise Unfit("it is safe, and names what is violated")
    if stated == "unsafe" and dialect.reply.names_categories and not categories:
        raise Unfit("it is unsafe, and names no category")
    meant = controversial if stated == "controversial" else stated
    finding = None if meant == "abstain" else Finding(meant)
    return GuardForm(finding, tuple(categories), declined, reason, probability)


def _probability(
    top: Sequence[tuple[str, float]], findings: Mapping[str, str], controversial: Controversial
) -> float | None:
    """Return the probability of unsafe among the words that can state a finding.

    Args:
        top: The likeliest tokens where the finding begins.
        findings: What those words mean.
        controversial: What a finding between safe and unsafe counts as.
    """
    mass = defaultdict[str, float](float)
    for token, logprob in top:
        begun = {findings[word] for word in findings if _begins(word, token)}
        if len(begun) == 1 and math.isfinite(logprob):
            mass[begun.pop()] += math.exp(min(logprob, 0.0))
    total = sum(mass.values())
    if total <= 0:
        return None
    unsafe = mass["unsafe"] + (mass["controversial"] if controversial == "unsafe" else 0.0)
    return round(unsafe / total, 6)


def _instead_of(word: str, at: int, tokens: Sequence[TokenLogprobs]) -> Sequence[tuple[str, float]]:
    """Return what could have stood where a word begins; nothing where that is not found."""
    end = 0
    for token in tokens:
        end += len(token.token)
        if end > at:
            return token.top if _begins(word, token.token) else ()
    return ()


def _begins(word: str, token: str) -> bool:
    """Whether a word begins with a token, whatever spaces and capitals it has."""
    bare = token.strip(_SPACES).casefold()
    return bool(bare) and word.casefold().startswith(bare)
