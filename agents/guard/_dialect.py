"""The dialects of guard models: how each is asked, and what its replies mean, as tables."""

import hashlib
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from ...common import ConfigurationError
from ...common.files import read_yaml
from ...common.text import did_you_mean, quoted
from ...datasets import crosswalk
from ...models import Modality
from ..ballot import GuardCategory

Controversial = Literal["unsafe", "safe", "abstain"]
"""What a guard's finding between safe and unsafe counts as."""
_FOLDER = Path(__file__).parent


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Part of a table; a misspelled key is an error."""


class Reply(_Table, frozen=True):
    """How a reply is read.

    Attributes:
        findings: What the words (or JSON values) that state a finding mean.
        pattern: Regular expression that a whole reply matches, with the groups `finding`, and,
            where the guard says them, `categories` and `declined` (yes or no).
        object: For a reply that is one JSON object: its keys of `finding`, `categories` and
            `reason`.
        names_categories: Whether an unsafe finding must come with categories.
        no_category: The word that stands for none.
        may_name_others: Whether categories that the table lacks are taken, unmapped.
        may_be_cut_off: Whether what follows the finding may be cut off at the token cap.
    """

    findings: Mapping[str, Literal["unsafe", "safe", "controversial"]]
    pattern: str | None = None
    object: Mapping[str, str] = {}
    names_categories: bool = False
    no_category: str | None = None
    may_name_others: bool = False
    may_be_cut_off: bool = False


class Category(_Table, frozen=True):
    """A category of a guard's own.

    Attributes:
        title: What it is called, where its name is a code.
        hazards: The nearest hazards of MLCommons, by their codes in the crosswalk.
        llama_guard: The categories of Llama Guard 3 that it is, by their codes there.
        ours: Our own categories, where it is named after them.
    """

    title: str = ""
    hazards: tuple[str, ...] = ()
    llama_guard: tuple[str, ...] = ()
    ours: tuple[str, ...] = ()


class Principle(_Table, frozen=True):
    """A principle that a call of its own asks about.

    Attributes:
        template: Arguments of the chat template for it.
    """

    template: Mapping[str, object]


class GuardDialect(_Table, frozen=True):
    """How one kind of guard is asked, and what its replies mean.

    Attributes:
        title: What a person would call it.
        server: Which servers and settings it needs.
        sends: What its model gets: `turns` of a chat, one `prompt`, a `policy` with the
            evidence, or the `response` alone.
        reply: How its replies are read.
        max_tokens: Cap on the tokens of a reply.
        sees: The modalities that it takes.
        api: The API that serves it.
        prompt: The prompt, with `$query` and `$response`.
        policy: The system message, with `$policy`.
        rule: What stands for `$policy` where the jury has no rubric of its own, with
            `$guideline`.
        closing: A last turn of the user after the exchange.
        template: Arguments of the chat template.
        principles: Those that a call each asks about, by the category that a violation is of;
            without any, one call asks for all.
        logprobs: Whether the probability of its finding is read from its tokens.
        labels: What its chat template or prompt writes before a colon at the start of a line.
        marks: What it writes around the exchange.
        categories: Its categories by the names that replies have for them.
    """

    title: str
    server: str
    sends: Literal["turns", "prompt", "policy", "response"]
    reply: Reply
    max_tokens: int
    sees: tuple[Modality, ...] = ("text",)
    api: Literal["chat", "moderations"] = "chat"
    prompt: str = ""
    policy: str = ""
    rule: str = ""
    closing: str = ""
    template: Mapping[str, object] = {}
    principles: Mapping[str, Principle] = {}
    logprobs: bool = False
    labels: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    categories: Mapping[str, Category] = {}

    @property
    def calls(self) -> int:
        """Calls of the model for one ballot."""
        return len(self.principles) or 1

    @property
    def has_controversial(self) -> bool:
        """Whether it has a finding between safe and unsafe."""
        return "controversial" in self.reply.findings.values()

    def category(self, name: str) -> GuardCategory | None:
        """Return a category with its counterparts among ours; None if there is none."""
        known = self.categories.get(name)
        if known is None:
            return GuardCategory(name) if self.reply.may_name_others else None
        called = f"{name} {known.title}" if known.title else name
        return GuardCategory(called, known.ours or _ours(known))


def _ours(category: Category) -> tuple[str, ...]:
    """Return our categories that a guard's is nearest to, by way of the crosswalk."""
    scenarios = (
        name
        for name, counterparts in crosswalk().scenarios.items()
        if not set(category.hazards).isdisjoint(counterparts.mlcommons)
        or not set(category.llama_guard).isdisjoint(counterparts.llama_guard)
    )
    return tuple(dict.fromkeys(name.partition(".")[0] for name in scenarios))


def load_guard(name: str) -> GuardDialect:
    """Return the dialect of a guard.

    Args:
        name: Such as `llama-guard-3`; see `bundled_guards`.

    Raises:
        ConfigurationError: There is none of that name.
    """
    if name not in bundled_guards():
        known = bundled_guards()
        hint = did_you_mean(name, known) or f"; known are {', '.join(known)}"
        raise ConfigurationError(f"unknown guard {quoted(name)}{hint}")
    return _load(name)


@cache
def _load(name: str) -> GuardDialect:
    return read_yaml(_path(name), GuardDialect)


@cache
def bundled_guards() -> tuple[str, ...]:
    """Return the names of all guards that there is a dialect for."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.yaml")))


@cache
def guard_identity(name: str) -> str:
    """Return the SHA-256 hex digest of what decides a guard's ballots.

    That is its table, without the words on its name and server, and what its categories map to.
    """
    dialect = load_guard(name)
    table = msgspec.structs.asdict(dialect)
    del table["title"], table["server"]
    ours = [_ours(category) for category in dialect.categories.values()]
    return hashlib.sha256(msgspec.json.encode((table, ours))).hexdigest()


@cache
def pattern_of(dialect_pattern: str) -> re.Pattern[str]:
    """Return the compiled pattern of a reply."""
    return re.compile(dialect_pattern, re.DOTALL)


def _path(name: str) -> Path:
    return _FOLDER / f"{name}.yaml"
