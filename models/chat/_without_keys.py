"""Hides keys that a server sends back in a reply, before anybody reads it."""

from collections.abc import Iterator
from dataclasses import replace

from msgspec import UNSET

from ._chat import Completion
from ._redaction import redactor
from ._work import AgentWork


def without_keys(completion: Completion) -> Completion:
    """Return a completion with known keys hidden, as a record keeps it.

    Whoever makes a completion calls this: its words become prompts for models of other providers,
    as a response does for jurors, and the reason of a ballot for other jurors.
    """
    knows = redactor.knows
    if not (
        knows(completion.text)
        or knows(completion.provider_model or "")
        or (_says_more(completion) and any(map(knows, _more(completion))))
    ):
        return completion
    hidden = redactor.redact_fields(completion)
    # Tokens are pieces of the text, and a key in pieces is not recognized.
    return hidden if hidden.logprobs is UNSET else replace(hidden, logprobs=UNSET)


def _says_more(completion: Completion) -> bool:
    return (
        completion.refusal is not None
        or completion.notes != ()
        or completion.called is not UNSET
        or completion.work is not UNSET
    )


def _more(completion: Completion) -> Iterator[str]:
    """Yield what a completion says beside its text."""
    yield from (completion.refusal or "", *completion.notes)
    for call in completion.tool_calls:
        yield from (call.name, call.arguments, call.id)
    if isinstance(completion.work, AgentWork):
        yield completion.work.problem
        for tool in completion.work.tools:
            yield from (tool.name, tool.arguments, tool.result or "")
