"""Corrects the rates of a stored run by labels: of its own cases, or by a jury card."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import msgspec

from ....common import ConfigurationError
from ....common.text import many, whole_percent
from ....deliberation import JuryCard, card_sha256, read_card
from ....deliberation.protocol.card import DecidedBy, RuleScores
from ...record import Meta, cases_of, decided_by, why_another_jury
from ...trust import LabelSet, Words, labels_of, read_labels
from ...trust.rates import LEAST_SUM, Errors, RunCounts
from ._correcting import Correcting, labels_of_run

_AS_DECIDED = "as_decided"
_FITTED = ("calibrated", "best_juror")
"""Rules that decide by a card: its figures are of what it decides itself."""


@dataclass(frozen=True, slots=True)
class Correction:
    """By what rates are corrected: labels of cases of the run, or a card from elsewhere.

    Attributes:
        labels: The labels; None for a card.
        card: The card; None for labels.
        source: Where the card was read from, for messages.
        force: Whether a card will do that is of another jury, or of another protocol.
    """

    labels: LabelSet | None = None
    card: JuryCard | None = None
    source: str = "the jury card"
    force: bool = False

    @classmethod
    def read(
        cls,
        labels: str | PathLike[str] | Mapping[str, object] | None = None,
        card: str | PathLike[str] | JuryCard | None = None,
        *,
        unsafe_words: Sequence[str] = (),
        safe_words: Sequence[str] = (),
        force: bool = False,
    ) -> "Correction | None":
        """Read labels or a card; None where neither is given.

        Args:
            labels: Labels of cases of the run: a file, or words by case.
            card: A jury card, or its file.
            unsafe_words: Words for unsafe in the labels, beside `unsafe`.
            safe_words: Words for safe, beside `safe`.
            force: Whether the card may be of another jury or protocol.

        Raises:
            ConfigurationError: Both are given, or a file cannot be read.
        """
        if labels is not None and card is not None:
            raise ConfigurationError(
                "labels of the run and a card from elsewhere are never mixed: give --labels, which "
                "is the better, or --card"
            )
        if labels is not None:
            words = Words(unsafe_words, safe_words)
            if isinstance(labels, Mapping):
                return cls(labels=labels_of(labels, words=words))
            return cls(labels=read_labels(Path(labels), words=words))
        if card is None or isinstance(card, JuryCard):
            return None if card is None else cls(card=card, force=force)
        return cls(card=read_card(Path(card)), source=str(card), force=force)

    def begin(self, run: Meta, by: str | None) -> Correcting:
        """Check that it fits a run, and begin to count the run's cases.

        Raises:
            ConfigurationError: The card is of another jury, has no figures of the protocol that
                decided, or cannot correct a rate.
        """
        if self.labels is not None:
            return Correcting(RunCounts(labels_of_run(self.labels), by), self.labels)
        if self.card is None:
            raise ValueError("no labels and no card")
        notes = list[str]()
        self._check_jury(self.card, run, notes)
        scores = self._scores(self.card, run, notes)
        errors = _errors(scores, self.source)
        used = round(errors.unsafe + errors.safe)
        made_of = f"Corrected by {self.source}, made of {many(used, 'label')}"
        if self.card.labels.of in cases_of(run):
            said = "of cases of this run: give these labels with --labels, which is the better way."
        else:
            said = (
                "of other responses: the corrected figures hold if the jury errs here as it did "
                "there."
            )
        notes.insert(0, f"{made_of} {said}")
        return Correcting(RunCounts({}, by), None, errors, notes)

    def _check_jury(self, card: JuryCard, run: Meta, notes: list[str]) -> None:
        what = why_another_jury(card, run.identity, run.jury)
        if what is None:
            return
        what = f"{self.source}: {what}"
        if not self.force:
            raise ConfigurationError(
                f"{what}: make a card of this jury with safejury calibrate, or add "
                "--force-card and take the corrected figures as a guess"
            )
        notes.append(f"{what}; --force-card uses it all the same.")

    def _scores(self, card: JuryCard, run: Meta, notes: list[str]) -> RuleScores:
        """Return the figures of the protocol that decided."""
        by = decided_by(run.identity, len(run.jury))
        own = run.identity.get("card") in (None, card_sha256(card))
        usable = by.rule.partition(" ")[0] not in _FITTED or (own and not _is_tuned(run.identity))
        rows = {name: each for name, each in card.rules.items() if each.confusion is not None}
        order = sorted(rows, key=lambda name: (name != _AS_DECIDED, name))
        for name in order:
            if usable and _alike(rows[name].protocol, by):
                return rows[name]
        known = "; ".join(f"{name} by {_said(rows[name].protocol)}" for name in order)
        what = (
            f"{self.source} has no figures of the protocol that decided the run ({_said(by)}), "
            f"only {known or 'such without counts'}"
        )
        near = [name for name in order if rows[name].protocol.rule == by.rule] or order
        if not self.force or not near:
            raise ConfigurationError(
                f"{what}: calibrate a run with this protocol, label cases of this run and give "
                "--labels, or add --force-card and take the corrected figures as a guess"
            )
        notes.append(f"{what}; --force-card uses those of {near[0]}.")
        return rows[near[0]]


def _is_tuned(identity: Mapping[str, Any]) -> bool:
    """Return whether the run set a threshold or costs of its own."""
    said: dict[str, object] | str | None = identity.get("jury", {}).get("protocol")
    return isinstance(said, dict) and any(
        said.get(key) is not None for key in ("threshold", "cost")
    )


def _alike(one: DecidedBy, other: DecidedBy) -> bool:
    return _compared(one) == _compared(other)


def _compared(by: DecidedBy) -> DecidedBy:
    # Curtailed voting finds what asking all would have found, unless more votes had been talked
    # over.
    is_all = by.stop == "curtailed" and by.talk == "never"
    return msgspec.structs.replace(by, stop="all") if is_all else by


def _said(by: DecidedBy) -> str:
    said: dict[str, object] = {
        "rule": by.rule,
        "stop": by.stop,
        "talk": by.talk,
        "tie": by.tie,
        "rounds": by.rounds,
        "turns": by.turns,
        "code and prompts": by.others,
        "bound": by.bound,
    }
    return ", ".join(f"{key}: {value}" for key, value in said.items() if value)


def _errors(scores: RuleScores, source: str) -> Errors:
    """Return the errors that a card counts; a case without a finding was not found unsafe.

    Raises:
        ConfigurationError: They are too many to correct anything.
    """
    found = scores.confusion
    assert found is not None  # rows without were left out
    unsafe, safe = found.unsafe, found.safe
    errors = Errors(
        unsafe.unsafe + unsafe.safe + unsafe.none,
        unsafe.unsafe,
        safe.unsafe + safe.safe + safe.none,
        safe.unsafe,
        scores.design_effect,
    )
    if not errors.can_correct:
        raise ConfigurationError(
            f"{source}: the jury finds {whole_percent(errors.sensitivity)} of unsafe cases unsafe "
            f"and {whole_percent(errors.false_alarms)} of safe ones: too little apart to correct a "
            f"rate (sensitivity + specificity must exceed {LEAST_SUM}): use a better jury, or "
            "label cases of this run and give --labels"
        )
    return errors
