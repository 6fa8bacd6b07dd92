"""The rules that turn votes into a finding: pure functions of counts, never of order.

A rule is one function from `Votes` to a `Decision`, registered under its name:

    @aggregation("unanimous", counts_only=True)
    def unanimous(votes: Votes, rule: Rule) -> Decision: ...
"""

import hashlib
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeGuard, cast

from ...agents import Ballot, Finding
from ...common import ConfigurationError
from ...common.text import quoted, storable
from ...targets import function_identity
from ._votes import Decision, Votes
from .card import (
    Cost,
    JuryCard,
    best_juror_of,
    calibrated_model,
    card_sha256,
    decide_by_best_juror,
    decide_by_model,
    threshold_of,
)

FOREPERSON = "foreperson"
"""The rule by which the foreperson's model decides, once it has read the ballots."""
CALIBRATED, BEST_JUROR = "calibrated", "best_juror"
OF_A_CARD = (CALIBRATED, BEST_JUROR)
"""The rules that decide by a jury card."""
Tie = Literal["unsafe", "safe", "no_verdict"]


@dataclass(frozen=True, slots=True)
class Rule:
    """Which aggregation rule, and its settings.

    Attributes:
        name: A name in `RULES`.
        k: For `k_of_n`: unsafe votes that make the verdict unsafe, 1 to the
            number of seats.
        tie: For `majority` with an even number of seats: what equally many unsafe
            and safe votes with no vote missing mean. May be None where the number
            of seats is odd. For `foreperson` the same of the majority beside its decision,
            and None stands for no verdict.
        card: What is known of the jury, for `calibrated` and `best_juror`.
        threshold: For `calibrated`: unsafe is found above this probability, in [0, 1]. The
            card's, unless this or `cost` is given.
        cost: For `calibrated`: what errors cost, from which the threshold follows.
    """

    name: str = "majority"
    k: int | None = None
    tie: Tie | None = None
    # Not shown, so that whoever hashes a rule as text knows one without them as before.
    card: JuryCard | None = field(default=None, repr=False, hash=False)
    threshold: float | None = field(default=None, repr=False)
    cost: Cost | None = field(default=None, repr=False)

    def check(self, seats: int) -> None:
        """Check that the rule can decide for this many seats.

        Raises:
            ConfigurationError: The name is unknown, or a setting is missing or out of range.
        """
        if seats < 1:
            raise ConfigurationError("The jury has no seats: name at least one juror.")
        if self.name not in RULES:
            bundled = sorted(name for name, rule in RULES.items() if rule.source_sha256 is None)
            raise ConfigurationError(
                f"Unknown aggregation rule {self.name!r}: use one of {', '.join(bundled)}, "
                "or module:function for one of your own; Jury.of takes the function itself."
            )
        if self.name == "majority" and self.tie is None and seats % 2 == 0:
            raise ConfigurationError(
                f"A majority of {seats} seats can be tied: set jury.protocol.tie to unsafe, "
                "safe or no_verdict, or seat an odd number of jurors."
            )
        if self.name == "k_of_n" and (self.k is None or not 1 <= self.k <= seats):
            raise ConfigurationError(
                f"The rule k_of_n has k = {self.k!r}: set k between 1 and {seats}, "
                "the number of seats."
            )
        self._check_card()

    def _check_card(self) -> None:
        if self.name != CALIBRATED and (self.threshold is not None or self.cost is not None):
            raise ConfigurationError(
                f"threshold and cost go with rule: {CALIBRATED}, and here the rule is {self.name}: "
                "take them out of jury.protocol, or set the rule"
            )
        if not self.is_by_card:
            return
        if self.card is None:
            raise ConfigurationError(
                f"rule: {self.name} decides by what a jury card says of the jurors: name one as "
                "jury.card, which safejury calibrate writes"
            )
        if self.name == BEST_JUROR:
            best_juror_of(self.card)
            return
        if self.threshold is not None and self.cost is not None:
            raise ConfigurationError(
                "jury.protocol has a threshold and a cost, from which another threshold follows: "
                "take one of them out"
            )
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise ConfigurationError(
                f"jury.protocol.threshold is {self.threshold}: set a probability from 0 to 1"
            )
        if self.cost is not None:
            threshold_of(self.cost)
        calibrated_model(self.card)

    @property
    def deciding_threshold(self) -> float:
        """The probability above which `calibrated` finds unsafe: its own, or the card's.

        Raises:
            ConfigurationError: There is no card, or it has no model.
        """
        if self.threshold is not None:
            return self.threshold
        if self.cost is not None:
            return threshold_of(self.cost)
        if self.card is None:
            raise ConfigurationError("a rule without a jury card has no threshold: give it one")
        return calibrated_model(self.card).threshold

    @property
    def is_by_card(self) -> bool:
        """Whether it decides by a jury card."""
        return self.name in OF_A_CARD

    @property
    def card_settings(self) -> tuple[object, ...]:
        """What a jury card decides, as text and numbers; nothing without one."""
        if self.card is None:
            return ()
        return (card_sha256(self.card), self.threshold, self.cost)

    def __str__(self) -> str:
        if self.name == "k_of_n":
            return f"{self.name} (k = {self.k})"
        if self.card is not None and self.name == CALIBRATED:
            return f"{self.name} (unsafe above {self.deciding_threshold:.2g})"
        if self.card is not None and self.name == BEST_JUROR:
            return f"{self.name} ({best_juror_of(self.card)})"
        return self.name


RuleFunction = Callable[[Votes, Rule], Decision]


@dataclass(frozen=True, slots=True)
class RegisteredRule:
    """A rule's function and what curtailed voting may assume of it.

    Attributes:
        decide: From the votes of a round to a decision.
        counts_only: Whether the decision depends on the three counts alone, so
            that voting may stop early; otherwise every seat is asked.
        source_sha256: Hash of the file that it is in, None for a rule that comes with
            the package.
        is_fixed: For a rule that reads ballots: whether its decision is the same whatever seats
            without a ballot, and those whose ballot was lost, would say. None where nobody knows.
    """

    decide: RuleFunction
    counts_only: bool
    source_sha256: str | None = None
    is_fixed: Callable[[Votes, Rule], bool] | None = None


RULES: dict[str, RegisteredRule] = {}
"""Every aggregation rule by its name in a config; `aggregation` adds to it."""


def aggregation(
    name: str,
    *,
    counts_only: bool = False,
    is_fixed: Callable[[Votes, Rule], bool] | None = None,
) -> Callable[[RuleFunction], RuleFunction]:
    """Register a function as the aggregation rule `name`.

    Args:
        name: What a config calls the rule.
        counts_only: Set it only if the function reads nothing but the counts of
            unsafe votes, safe votes and seats.
        is_fixed: For a rule that reads ballots; see `RegisteredRule`.
    """

    def register(function: RuleFunction) -> RuleFunction:
        RULES[name] = RegisteredRule(function, counts_only, is_fixed=is_fixed)
        return function

    return register


def register_rule(function: RuleFunction, name: str | None = None) -> str:
    """Register a function of the user's own as an aggregation rule, and return its name.

    Args:
        function: The rule; one that `aggregation` registered keeps what was said of it.
        name: What a config calls it; its module and its own name unless given, with a part of
            its hash where another may have the same.
    """
    known = [(key, rule) for key, rule in RULES.items() if rule.decide is function]
    ours = [key for key, rule in known if rule.source_sha256 is None]
    if name is None and ours:
        return ours[0]
    identity = function_identity(function)
    known_by = _hash_of_module(function, identity)
    if name is None:
        name = _own_name(function, identity)
        if _is_made(function, identity["function"]):  # the file does not say what it was made with
            known_by = hashlib.sha256(f"{known_by} {identity['sha256']}".encode()).hexdigest()
    counts_only = any(rule.counts_only for _, rule in known)
    is_fixed = next((rule.is_fixed for _, rule in known), None)
    RULES[name] = RegisteredRule(function, counts_only, known_by, is_fixed)
    return name


def _is_made(function: RuleFunction, place: str) -> bool:
    """Whether more than one function may have a place: it was made within another, or of one."""
    return "<" in place or isinstance(function, partial)


def _own_name(function: RuleFunction, identity: Mapping[str, str]) -> str:
    """Return a name that no other rule has, and that is the same when the program runs again."""
    place = identity["function"]
    if place.startswith("__main__:") or _is_made(function, place):  # a cell may define it anew
        return f"{place}#{identity['sha256'][:8]}"
    return place


def _hash_of_module(function: RuleFunction, identity: Mapping[str, str]) -> str:
    """Return a hash of the file that a rule is in; of the rule alone in a script or notebook."""
    module = identity["function"].partition(":")[0]
    source = getattr(sys.modules.get(module), "__file__", None)
    if module == "__main__" or source is None:
        return identity["sha256"]
    try:
        return hashlib.sha256(Path(source).read_bytes()).hexdigest()
    except OSError:
        return identity["sha256"]


@aggregation("majority", counts_only=True)
def majority(votes: Votes, rule: Rule) -> Decision:
    """Decide by more than half of all seats, so missing votes stay in the denominator.

    Equally many unsafe and safe votes are a tie, decided by `rule.tie`, only if
    no vote is missing; with a vote missing there is no verdict.
    """
    if 2 * votes.unsafe > votes.seats:
        return Decision(Finding.UNSAFE)
    if 2 * votes.safe > votes.seats:
        return Decision(Finding.SAFE)
    if votes.missing or rule.tie is None:
        return Decision(None, f"no majority of {votes.seats} seats: {votes}")
    if rule.tie == "no_verdict":
        return Decision(None, f"a tie ({votes}), which is no verdict by the tie policy")
    return Decision(Finding(rule.tie), f"a tie ({votes}), {rule.tie} by the tie policy")


@aggregation("any", counts_only=True)
def any_unsafe(votes: Votes, rule: Rule) -> Decision:
    """Decide unsafe by a single unsafe vote, safe only if every seat voted safe."""
    return _at_least(1, votes)


@aggregation("k_of_n", counts_only=True)
def k_of_n(votes: Votes, rule: Rule) -> Decision:
    """Decide unsafe by `rule.k` unsafe votes, safe if they can no longer come together.

    A missing vote may have been unsafe: safe needs more than `seats - k` safe votes.
    """
    assert rule.k is not None, "Rule.check comes first"
    return _at_least(rule.k, votes)


@aggregation(FOREPERSON)
def foreperson(votes: Votes, rule: Rule) -> Decision:
    """Decide by majority: what the foreperson's own decision is kept beside, and measured by."""
    tie = rule.tie or "no_verdict"
    return majority(votes, Rule("majority", tie=tie))


def _has_finding(votes: Votes, rule: Rule) -> bool:
    # It never finds what seats that said nothing yet could change.
    return calibrated(votes, rule).finding is not None


def _has_heard_best(votes: Votes, rule: Rule) -> bool:
    assert rule.card is not None, "Rule.check comes first"
    best = best_juror_of(rule.card)
    return any(one.juror == best and not one.outcome.is_lost for one in votes.ballots)


@aggregation(CALIBRATED, is_fixed=_has_finding)
def calibrated(votes: Votes, rule: Rule) -> Decision:
    """Decide by the probability that the card's model adds up over the ballots."""
    assert rule.card is not None, "Rule.check comes first"
    model = calibrated_model(rule.card)
    return decide_by_model(model, votes.ballots, rule.deciding_threshold)


@aggregation(BEST_JUROR, is_fixed=_has_heard_best)
def best_juror(votes: Votes, rule: Rule) -> Decision:
    """Decide by the vote of the juror that agrees best with the card's labels."""
    assert rule.card is not None, "Rule.check comes first"
    return decide_by_best_juror(best_juror_of(rule.card), votes.ballots)


def _at_least(k: int, votes: Votes) -> Decision:
    if votes.unsafe >= k:
        return Decision(Finding.UNSAFE)
    if votes.safe > votes.seats - k:
        return Decision(Finding.SAFE)
    return Decision(None, f"the missing votes could make {k} unsafe of {votes.seats}: {votes}")


def decide(ballots: Sequence[Ballot], rule: Rule, *, seats: int) -> Decision:
    """Apply a rule to the ballots of one round.

    Args:
        ballots: At most one of each seat; seats without one count as missing.
        rule: The rule and its settings.
        seats: Number of seats on the jury, asked or not.

    Raises:
        ConfigurationError: The rule does not fit the number of seats, or its function
            fails or returns no decision.
        ValueError: There are more ballots than seats.
    """
    rule.check(seats)
    return decide_votes(Votes.of(ballots, seats), rule)


def decide_votes(votes: Votes, rule: Rule) -> Decision:
    """Apply a rule, already checked, to votes.

    Raises:
        ConfigurationError: Its function fails or returns no decision.
    """
    try:
        decision = cast("object", RULES[rule.name].decide(votes, rule))
    except (Exception, SystemExit) as error:  # of a function that anybody may have written
        raise ConfigurationError(
            f"the rule {rule.name!r} failed for {votes} ({type(error).__name__}: {error}): "
            "fix its function"
        ) from error
    if not _is_decision(decision):
        raise ConfigurationError(
            f"the rule {rule.name!r} returned {quoted(decision)} for {votes}, and not a Decision "
            "whose finding is Finding.UNSAFE, Finding.SAFE or None, whose reason is text, and "
            "whose probability is from 0 to 1 or None: fix its function"
        )
    return Decision(decision.finding, storable(decision.reason), decision.probability)


def _is_decision(made: object) -> TypeGuard[Decision]:
    """Whether a function that anybody may have written returned what it should."""
    if not isinstance(made, Decision):
        return False
    said = cast("Any", made)
    chance = said.probability
    is_chance = chance is None or (isinstance(chance, int | float) and 0 <= chance <= 1)
    is_finding = said.finding is None or isinstance(said.finding, Finding)
    return is_finding and isinstance(said.reason, str) and is_chance
