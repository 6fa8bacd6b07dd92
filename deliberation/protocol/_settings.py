"""How a jury deliberates: the protocol's settings and its named presets."""

from dataclasses import dataclass, field
from typing import Literal

from ...common import ConfigurationError
from ._aggregation import FOREPERSON, Rule

Talk = Literal["never", "contested", "always", "roundtable"]
Stop = Literal["all", "curtailed", "sequential"]
Summary = Literal["never", "discussed", "always"]

MOST_TURNS = 10
"""How often a juror may speak before a vote: each turn is a call, and is read in all later ones."""
MOST_BOUND = 0.1
"""The highest chance that asking the rest would change a finding, for which it may be left out."""
_FEWEST_AT_TABLE = 2


@dataclass(frozen=True, slots=True)
class Protocol:
    """How a jury deliberates.

    Attributes:
        name: The preset it started from.
        talk: When the jurors read each other and vote again. `roundtable` is as `contested`,
            and they speak with each other before they vote.
        rounds: Re-votes at most, where they talk; at least 1. More than one is held
            only while the latest round is contested.
        rule: How ballots become a finding.
        stop: `all` asks every juror; `curtailed` stops asking in round 0 once the
            outcome is fixed and nothing calls for a discussion; `sequential` stops once the
            rest would hardly change the finding, by what a jury card says of their votes.
        summary: When the foreperson's model sums up.
        jurors: Number of jurors the preset demands, None for any.
        turns: For `roundtable`: how often each juror may speak before a re-vote, 1 to 10.
        bound: For `sequential`: stop when the chance that the rest would change the finding is
            at most this, 0 to 0.1; at 0 only where they cannot.
        talk_between: For `sequential` with the rule `calibrated`: jurors talk only where the
            probability of unsafe is from the first to the second of these.
    """

    name: str = "contested"
    talk: Talk = "contested"
    rounds: int = 1
    rule: Rule = Rule()
    stop: Stop = "all"
    summary: Summary = "discussed"
    jurors: int | None = None
    turns: int = 2
    # Not shown, so that whoever hashes a protocol as text knows one without them as before.
    bound: float = field(default=0.002, repr=False)
    talk_between: tuple[float, float] = field(default=(0.1, 0.9), repr=False)

    @property
    def foreperson_decides(self) -> bool:
        """Whether the rule leaves the decision to the foreperson's model."""
        return self.rule.name == FOREPERSON

    @property
    def by_bound(self) -> tuple[object, ...]:
        """What decides when to stop early and when to talk then; nothing where all are asked."""
        return (self.bound, self.talk_between) if self.stop == "sequential" else ()

    def check(self, seats: int, *, guards: int = 0) -> None:
        """Check that the settings fit each other and the jury.

        Args:
            seats: Number of seats, at least 1.
            guards: How many of them are guards, which do not speak.

        Raises:
            ConfigurationError: They do not; the message says what to change.
        """
        if self.jurors is not None and seats != self.jurors:
            raise ConfigurationError(
                f"The protocol {self.name!r} takes {self.jurors} jurors, but {seats} are named: "
                "change jury.jurors, or set jury.protocol.jurors."
            )
        self.rule.check(seats)
        if self.rounds < 1:
            raise ConfigurationError(
                "jury.protocol.rounds must be at least 1; set talk: never to have no discussion."
            )
        if not 1 <= self.turns <= MOST_TURNS:
            raise ConfigurationError(
                f"jury.protocol.turns is {self.turns}: set it from 1 to {MOST_TURNS}, which is how "
                "often each juror may speak at the roundtable."
            )
        if self.talk == "roundtable" and seats - guards < _FEWEST_AT_TABLE:
            raise ConfigurationError(
                "talk: roundtable needs at least 2 jurors that can speak with each other: name "
                "another juror, or set talk to never."
            )
        if self.stop != "all" and self.foreperson_decides:
            raise ConfigurationError(
                f"stop: {self.stop} cannot go with rule: foreperson, which reads all ballots: set "
                "stop to all, or another rule."
            )
        if self.stop != "all" and self.talk == "always":
            raise ConfigurationError(
                f"stop: {self.stop} cannot go with talk: always, which asks every juror twice: "
                "set talk to never, contested or roundtable, or stop to all."
            )
        self._check_sequential()

    def _check_sequential(self) -> None:
        if not 0 <= self.bound <= MOST_BOUND:
            raise ConfigurationError(
                f"jury.protocol.bound is {self.bound}: set the chance that a finding may change, "
                f"from 0 to {MOST_BOUND}."
            )
        low, high = self.talk_between
        if not 0 <= low <= high <= 1:
            raise ConfigurationError(
                f"jury.protocol.talk_between is {low} to {high}: set two probabilities from 0 to "
                "1, the lower one first."
            )

    def check_decider(self, *, has_model: bool) -> None:
        """Check that somebody is there to decide, where the rule leaves it to the foreperson.

        Args:
            has_model: Whether the foreperson has a model.

        Raises:
            ConfigurationError: Nobody is.
        """
        if self.foreperson_decides and not has_model:
            raise ConfigurationError(
                "rule: foreperson lets the foreperson's model decide, and there is none: name a "
                "model as jury.foreperson, or use another rule."
            )


PRESETS: dict[str, Protocol] = {
    "vote": Protocol("vote", talk="never", summary="never"),
    "contested": Protocol("contested"),
    "roundtable": Protocol("roundtable", talk="roundtable"),
    # SafeBench (arXiv 2410.18927): 5 jurors, one re-vote always, a summary at the end.
    "safebench": Protocol("safebench", talk="always", summary="always", jurors=5),
}
"""The named protocols of a config's `jury.protocol`."""
