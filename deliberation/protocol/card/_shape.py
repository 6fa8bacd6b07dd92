"""The shape of a jury card: what is known of a jury from labeled cases.

Counts and shares are of cases, probabilities and shares are in [0, 1], intervals cover 95 %.
"""

from collections.abc import Container, Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec

from ._models import Cost, Models

if TYPE_CHECKING:
    from ....agents import Ballot
    from .._votes import Decision

FORMAT = 1
"""The format of the cards that this version writes and reads."""


class Figure(msgspec.Struct, frozen=True, omit_defaults=True):
    """A measured figure.

    Attributes:
        value: None where there is nothing to measure it on.
        interval: Its 95 % interval, None with the value.
        range: Lowest and highest of the repeats, where it is a mean of repeats.
    """

    value: float | None
    interval: tuple[float, float] | None
    range: tuple[float, float] | None = None


class Found(msgspec.Struct, frozen=True):
    """Cases of one label by what was found of them; a fraction where repeats were averaged."""

    unsafe: float
    safe: float
    none: float


class Confusion(msgspec.Struct, frozen=True):
    """Labeled cases by their label, and by what was found of them."""

    unsafe: Found
    safe: Found


class Scores(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How well one juror, or one rule, agrees with the labels.

    A case without a vote, or without a finding, stays in every denominator and is never right.

    Attributes:
        sensitivity: Share of the cases labeled unsafe that are found unsafe.
        specificity: Share of the cases labeled safe that are found safe.
        f1: F1 of unsafe.
        kappa: Cohen's kappa with the labels, over cases with a finding.
        abstained: Share of the cases without a vote, or without a finding.
        confusion: The counts behind them.
        design_effect: Variance of sensitivity and specificity, resampled by group, over that of
            as many independent cases; at least 1.
    """

    sensitivity: Figure
    specificity: Figure
    f1: Figure
    kappa: Figure
    abstained: Figure
    confusion: Confusion | None = None
    design_effect: tuple[float, float] = (1.0, 1.0)


class DecidedBy(msgspec.Struct, frozen=True, omit_defaults=True):
    """The protocol whose findings were scored.

    Attributes:
        rule: The rule.
        stop: When it stops to ask.
        talk: When jurors talk.
        tie: What a tie is found to be, where there can be one: `unsafe` or `safe`; empty for
            no verdict.
        rounds: Re-votes at most, where jurors talk; 0 where they do not.
        turns: How often each may speak before a re-vote at a roundtable; 0 without one.
        others: Beginning of a hash of what else decides: a rule of the user's own, a foreperson
            by whom the rule decides, the wording of re-votes; empty without.
        bound: For `stop: sequential`, the bound on the chance that the rest would change the
            finding; 0 elsewhere.
    """

    rule: str
    stop: str = "all"
    talk: str = "never"
    tie: str = ""
    rounds: int = 0
    turns: int = 0
    others: str = ""
    bound: float = 0.0


class RuleScores(Scores, frozen=True, kw_only=True, omit_defaults=True):
    """How well a rule agrees with the labels.

    Attributes:
        protocol: The protocol that decided.
        cross_validated: Whether what it was fitted on and what it was scored on are different
            cases of the same file.
        minus_best_juror: Paired differences to `best_juror`, by figure.
        minus_majority: Paired differences to `majority`, by figure.
    """

    protocol: DecidedBy
    cross_validated: bool = False
    minus_best_juror: dict[str, Figure] = {}
    minus_majority: dict[str, Figure] = {}


class Dependence(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far the jurors err together.

    Attributes:
        effective_jurors: As many independent jurors carry the same information
            (k / (1 + (k - 1) rho), Kish).
        alpha: Krippendorff's alpha of the findings.
        error_correlation: rho: mean correlation of the errors of two jurors.
        ac1: Gwet's AC1 of the findings.
        pairs: Correlation of the errors of each two jurors, None where one made none.
    """

    effective_jurors: Figure
    alpha: Figure
    error_correlation: Figure | None = None
    ac1: Figure | None = None
    pairs: dict[str, dict[str, float | None]] = {}


class SequentialScores(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What `stop: sequential` saves, and what it changes.

    Attributes:
        bound: The bound on the chance that the rest would change the finding.
        rule: The rule that it stops for.
        calls: Ballots asked for, as a share of asking all.
        changed: Share of the findings that differ from those of asking all.
        f1: F1 of unsafe.
        minus_all: Paired differences to asking all, by figure.
    """

    bound: float
    rule: str
    calls: Figure
    changed: Figure
    f1: Figure
    minus_all: dict[str, Figure] = {}


class LabelsUsed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The labels behind a card.

    Attributes:
        cases: Labeled cases.
        unsafe: Those labeled unsafe.
        groups: Groups of cases that are resampled together: queries, unless told otherwise.
        annotators: How many people labeled.
        targets: Labeled cases by target.
        scenarios: Labeled cases by scenario.
        agreement: How far annotators agree, by figure, where two labeled the same cases.
        of: Hash of the queries and responses that the cases are of, where they are a run's.
    """

    cases: int
    unsafe: int
    groups: int
    annotators: int = 0
    targets: dict[str, int] = {}
    scenarios: dict[str, int] = {}
    agreement: dict[str, Figure] = {}
    of: str = ""


class CardSeat(msgspec.Struct, frozen=True, omit_defaults=True):
    """A seat of the jury that was measured, as readers know it.

    Attributes:
        name: The juror's.
        model: The model behind it.
        persona: What it looks for; the kind of a guard.
        parts: By what it is (`model`, `persona`, `sampling`, ...), the beginning of a hash of
            what shapes its ballot; empty where that is not known.
    """

    name: str
    model: str = ""
    persona: str = ""
    parts: dict[str, str] = {}


class CardJury(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which jury was measured.

    Attributes:
        sha256: Hash of what shapes a ballot of round 0: models, sampling, personas, prompts and
            rubric; of the names of the jurors, where votes were read from a file.
        source: `run` or `ballots`: what the votes were read from.
        seats: The seats, in their order.
        parts: The same as of a seat, of what all seats share (`prompts`, `rubric`, ...).
    """

    sha256: str
    source: str
    seats: tuple[CardSeat, ...]
    parts: dict[str, str] = {}

    def only(self, names: Container[str]) -> "CardJury":
        """Return some of its seats; without the hash of the whole, they are compared one by one."""
        seats = tuple(seat for seat in self.seats if seat.name in names)
        return msgspec.structs.replace(self, sha256="", seats=seats)


class ReliabilityBin(msgspec.Struct, frozen=True):
    """Cases of similar probability, and how many of them are labeled unsafe.

    Attributes:
        low: Lowest probability.
        high: Highest probability.
        cases: Labeled cases.
        mean: Mean probability.
        unsafe: Share labeled unsafe.
    """

    low: float
    high: float
    cases: int
    mean: float
    unsafe: Figure


class Reliability(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far the probabilities of `calibrated` can be taken at their word.

    Attributes:
        brier: Brier score, 0 the best.
        bins: The reliability table.
    """

    brier: Figure
    bins: tuple[ReliabilityBin, ...] = ()


class CurvePoint(msgspec.Struct, frozen=True):
    """F1 of `calibrated`, fitted on so many labels."""

    labels: int
    f1: Figure


class CardSample(msgspec.Struct, frozen=True):
    """Labeled cases that are kept beside the card, to be heard again.

    Attributes:
        file: Their file, relative to the card's folder.
        sha256: Hash of the file.
        cases: How many they are.
    """

    file: str
    sha256: str
    cases: int


class JuryCard(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of a jury from labels: its identity, how well it judges, how it errs.

    Attributes:
        format: 1.
        jury: Which jury.
        labels: The labels behind it.
        jurors: How well each juror does, by name.
        rules: How well rules do: `majority`, `best_juror`, `dawid_skene`, `calibrated` on the
            ballots of round 0, `sequential` where it was tried, and `as_decided`: what the run
            itself decided, where that is known.
        dependence: How far they err together.
        sequential: What `stop: sequential` saves; None where it was not tried.
        reliability: Of the probabilities of `calibrated`.
        without: What F1 of `calibrated` loses without each juror, by name.
        learning_curve: What more labels bring.
        models: What rules need.
        made: When, as an ISO 8601 date; empty where a card was only scored.
        notes: What a reader must know, such as labels that were left out, a sentence each.
        sample: The cases that its jury can hear again; None for a card of votes of a file.
    """

    format: int
    jury: CardJury
    labels: LabelsUsed
    jurors: dict[str, Scores]
    rules: dict[str, RuleScores]
    dependence: Dependence
    sequential: SequentialScores | None = None
    reliability: Reliability | None = None
    without: dict[str, Figure] = {}
    learning_curve: tuple[CurvePoint, ...] = ()
    models: Models = Models()
    made: str = ""
    notes: tuple[str, ...] = ()
    sample: CardSample | None = None

    def __repr__(self) -> str:
        jurors, labels = len(self.jurors), self.labels
        return f"<JuryCard: {jurors} jurors, {labels.cases} labeled cases, {labels.unsafe} unsafe>"

    def apply(
        self,
        said: "Mapping[str, str | None] | Iterable[Ballot]",
        *,
        threshold: float | None = None,
        cost: Cost | None = None,
    ) -> "Decision":
        """Return what the rule `calibrated` makes of a case.

        Example:
            >>> card.apply({"lawyer": "unsafe", "clinician": "safe", "sceptic": None})

        Args:
            said: Ballots of round 0, at most one of each juror. Or by juror `unsafe`, `safe`,
                or None for a ballot that is no vote. What a juror would have said that has
                none, or whose ballot was lost, is not known.
            threshold: Unsafe is found above this probability, in [0, 1]; the card's unless
                given.
            cost: What errors cost, from which another threshold follows.

        Returns:
            The finding and the probability that the response is unsafe. Without a probability
            where something is not known; without a finding where that could change it, or
            nobody voted.

        Raises:
            ConfigurationError: The card has no model, or knows no such juror.
        """
        from ._apply import apply_card

        return apply_card(self, said, threshold=threshold, cost=cost)
