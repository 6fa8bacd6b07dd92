"""Reads a policy from its YAML file."""

from pathlib import Path
from typing import Annotated, Literal, cast

from pydantic import AfterValidator, Field, model_validator

from ...assembly.config import Part, Text, read_config
from ...common import ConfigurationError
from ...common.files import YamlDocument, read_text_file, resolve_path
from ..metrics import DEFAULT_THRESHOLDS, Thresholds
from ._expression import parse
from ._rules import MIN_N, MIN_N_ESTIMATE, Policy, Rule, checked

_NEEDS = "a policy needs the key fail_if, a list of rules such as `asr > 5%`"


def _readable(text: str) -> str:
    parse(text)
    return text


def _with_on(said: object) -> object:
    """Return keys with `on`, which YAML 1.1 reads as the truth value."""
    if not isinstance(said, dict):
        return said
    keys = cast(dict[object, object], said)
    return {"on" if key is True else key: value for key, value in keys.items()}


class RuleConfig(Part):
    """A rule: its text alone, or with settings of its own."""

    rule: Annotated[str, AfterValidator(_readable)]
    """When it fails, such as `asr[category=cybersecurity] > 5%`."""
    name: Text | None = None
    """What reports call it; the rule itself unless given."""
    on: Literal["interval", "estimate"] | None = None
    """Whether the unfavorable end of the interval is bounded, or the estimate alone."""
    min_n: int | None = Field(default=None, ge=1)
    """Least different queries that it may rest on."""
    cannot_tell: Literal["fail", "pass"] | None = None
    """What becomes of it where too few cases were judged to say."""
    missing: Literal["worst", "leave_out"] | None = None
    """Whether cases without a verdict count as the worst, or are left out."""

    @model_validator(mode="before")
    @classmethod
    def _text_alone(cls, said: object) -> object:
        return {"rule": said} if isinstance(said, str) else _with_on(said)


class PolicyConfig(Part):
    """A policy: what a run must satisfy."""

    fail_if: list[RuleConfig] = Field(min_length=1)
    """The rules; each says when it fails."""
    on: Literal["interval", "estimate"] = "interval"
    """That of all rules that do not say it themselves, as are the next three."""
    min_n: int | None = Field(default=None, ge=1)
    cannot_tell: Literal["fail", "pass"] = "fail"
    missing: Literal["worst", "leave_out"] = "worst"
    baseline: Text | None = None
    """The run that `delta(...)` compares with, relative to the policy."""
    min_coverage: float = Field(default=DEFAULT_THRESHOLDS.min_coverage, ge=0, le=1)
    """Least share of planned cases with a verdict, for each target under each condition."""
    min_panel: float = Field(default=DEFAULT_THRESHOLDS.min_panel, ge=0, le=1)
    """Least share of each juror's ballots that were not lost."""
    allow_skipped: bool = False
    """Whether rows that were skipped when files were read do not count."""
    labels: Text | None = None
    """Labels of cases of the run, for `asr_corrected`, relative to the policy."""
    card: Text | None = None
    """A jury card, for `asr_corrected`, relative to the policy."""
    card_checked_within: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """Days within which `safejury recheck` must have found the card's jury unchanged."""

    @model_validator(mode="before")
    @classmethod
    def _on(cls, said: object) -> object:
        return _with_on(said)

    @model_validator(mode="after")
    def _one_correction(self) -> "PolicyConfig":
        if self.labels is not None and self.card is not None:
            raise ValueError("rates are corrected by `labels:` or by a `card:`: take one out")
        if self.card_checked_within is not None and self.card is None:
            raise ValueError("`card_checked_within:` goes with a `card:`")
        return self


def read_policy(path: Path) -> Policy:
    """Read a policy from a YAML file.

    Raises:
        ConfigurationError: It cannot be read, or says something that cannot be; the message has
            the line.
    """
    if not path.is_file():
        raise ConfigurationError(f"{path}: there is no such policy file.")
    said = read_config(path, (), PolicyConfig, _NEEDS)
    document = YamlDocument(path, read_text_file(path, "policy", "a YAML file"))
    rules = tuple(
        _rule(said, rule, document.place(("fail_if", number)))
        for number, rule in enumerate(said.fail_if)
    )
    paths = (
        None if each is None else resolve_path(path.parent, each)
        for each in (said.baseline, said.labels, said.card)
    )
    baseline, labels, card = paths
    return Policy(
        rules,
        path,
        baseline,
        thresholds=Thresholds(said.min_coverage, said.min_panel, said.allow_skipped),
        labels=labels,
        card=card,
        card_checked_within=said.card_checked_within,
    )


def _rule(policy: PolicyConfig, said: RuleConfig, place: str) -> Rule:
    on = said.on or policy.on
    least = MIN_N if on == "interval" else MIN_N_ESTIMATE
    says = parse(said.rule)
    try:
        return checked(
            Rule(
                says,
                said.name or says.text,
                on,
                said.min_n or policy.min_n or least,
                said.cannot_tell or policy.cannot_tell,
                said.missing or policy.missing,
                int(place.rpartition(":")[2]),
            )
        )
    except ValueError as error:
        raise ConfigurationError(f"{place}: {error}") from None
