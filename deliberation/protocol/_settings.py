"""How a jury deliberates: the protocol's settings and its named presets."""

from dataclasses import dataclass
from typing import Literal

from ...common import ConfigurationError
from ._aggregation import Rule

Talk = Literal["never", "contested", "always"]
Stop = Literal["all", "curtailed"]
Summary = Literal["never", "discussed", "always"]


@dataclass(frozen=True, slots=True)
class Protocol:
    """How a jury deliberates.

    Attributes:
        name: The preset it started from.
        talk: When the jurors read each other and vote again.
        rounds: Re-votes at most, where they talk; at least 1. More than one is held
            only while the latest round is contested.
        rule: How ballots become a finding.
        stop: `all` asks every juror; `curtailed` stops asking in round 0 once the
            outcome is fixed and nothing calls for a discussion.
        summary: When the foreperson's model sums up.
        jurors: Number of jurors the preset demands, None for any.
    """

    name: str = "contested"
    talk: Talk = "contested"
    rounds: int = 1
    rule: Rule = Rule()
    stop: Stop = "all"
    summary: Summary = "discussed"
    jurors: int | None = None

    def check(self, seats: int) -> None:
        """Check that the settings fit each other and the jury.

        Args:
            seats: Number of seats, at least 1.

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
        if self.stop == "curtailed" and self.talk == "always":
            raise ConfigurationError(
                "stop: curtailed cannot go with talk: always, which asks every juror twice: "
                "set talk to never or contested, or stop to all."
            )


PRESETS: dict[str, Protocol] = {
    "vote": Protocol("vote", talk="never", summary="never"),
    "contested": Protocol("contested"),
    # SafeBench (arXiv 2410.18927): 5 jurors, one re-vote always, a summary at the end.
    "safebench": Protocol("safebench", talk="always", summary="always", jurors=5),
}
"""The named protocols of a config's `jury.protocol`."""
