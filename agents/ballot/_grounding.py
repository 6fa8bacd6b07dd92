"""Check the words that a ballot relies on against the case."""

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from ..case import Case, Quotation, QuotedText
from ._ballot import Ballot, Perceived
from ._call import BallotCall
from ._schema import QUOTE_ASKED_FOR

_PICTURE = re.compile(r"(?:the )?(?:picture|image|photo)(?: ?(?:no\.? ?|#)?(\d{1,3}))?\.?")


def grounded(
    quotes: Sequence[str], call: BallotCall, perceived: Perceived
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the quotes that stand in a case, and those that do not.

    What is too short to be anybody's words is neither.

    Args:
        quotes: As the juror wrote them.
        call: What it was asked.
        perceived: What it received: a picture that it was not shown is no evidence.
    """
    if not quotes:
        return (), ()
    texts = _texts(call.case)
    stand: list[str] = []
    missing: list[str] = []
    for words in quotes:
        quotation = _quotation(words)
        if quotation.says_nothing:
            continue
        there = quotation.stands_in(texts) or _is_shown_picture(words, len(perceived.images))
        (stand if there else missing).append(words)
    return tuple(stand), tuple(missing)


def with_checked_quotes(ballot: Ballot, call: BallotCall) -> Ballot:
    """Return a ballot that an agent made itself, with its quotes checked like those of others.

    Args:
        ballot: The ballot.
        call: What its agent was asked.
    """
    if not ballot.quotes and not ballot.misquotes:
        return ballot
    said = (*ballot.quotes, *ballot.misquotes)
    there, missing = grounded(said, call, ballot.perceived) if call.quotes else ((), ())
    return replace(ballot, quotes=there, misquotes=missing)


def is_picture(quote: str) -> bool:
    """Whether a quote names a picture, and no words."""
    return _named_picture(quote) is not None


def quoted_spans(quote: str, text: str) -> list[tuple[int, int]]:
    """Return where a text has the words of a quote: start and end of each part of it.

    Args:
        quote: As the juror wrote it.
        text: A text of the case.
    """
    return [] if is_picture(quote) else _quotation(quote).spans_in(_quoted(text))


def _quotation(quote: str) -> Quotation:
    return Quotation(quote, cut=len(quote) >= QUOTE_ASKED_FOR)


def _named_picture(quote: str) -> re.Match[str] | None:
    return _PICTURE.fullmatch(" ".join(quote.casefold().split()))


def _is_shown_picture(quote: str, pictures: int) -> bool:
    named = _named_picture(quote)
    if named is None:
        return False
    return pictures == 1 if named[1] is None else 1 <= int(named[1]) <= pictures


def _texts(case: Case) -> tuple[QuotedText, ...]:
    """Return what may be quoted: the response first, then what it answers."""
    return case.kept("texts", lambda: _made_texts(case))


def _made_texts(case: Case) -> tuple[QuotedText, ...]:
    query, transcript, words = case.query, case.transcript, case.words
    words += [query.underlying_request] if query.underlying_request else []
    if transcript is not None and transcript.failure is None:
        words.append(transcript.words)
    return tuple(map(QuotedText, words))


_quoted = lru_cache(maxsize=8)(QuotedText)  # all quotes of a text are looked for in a row
