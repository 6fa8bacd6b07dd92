"""A verdict together with the transcript that led to it."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

from ..agents import Ballot, Case
from .protocol import Entry, SeatInfo, Verdict
from .transcript import CaseTranscript, as_html


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class Judgment(Verdict):
    """A verdict, with the ballots and the words that led to it.

    `finding` is None where there is no verdict; `reason` then says why. At the end of a
    notebook's cell it shows its transcript, question and response withheld.

    Attributes:
        transcript: What was said, in its order.
    """

    transcript: CaseTranscript

    @classmethod
    def of(
        cls,
        verdict: Verdict,
        case: Case,
        entries: Sequence[Entry],
        jury: tuple[SeatInfo, ...],
        protocol: str,
    ) -> "Judgment":
        """Return the verdict on a case with its transcript; see `CaseTranscript`."""
        target = case.id.removeprefix(f"{case.query.id}/").partition("/")[0]
        transcript = CaseTranscript(tuple(entries), jury, target, protocol)
        said = {each.name: getattr(verdict, each.name) for each in fields(Verdict)}
        return cls(**said, transcript=transcript)

    @property
    def ballots(self) -> tuple[tuple[Ballot, ...], ...]:
        """The ballots of each round, in seat order."""
        return self.transcript.rounds

    @property
    def summary(self) -> str:
        """The foreperson's words on agreement and dissent; empty where nobody summed up."""
        return self.transcript.summary

    def show(self, *, reveal: bool = False) -> None:
        """Show the transcript; see `CaseTranscript.show`."""
        self.transcript.show(reveal=reveal)

    def __repr__(self) -> str:
        return f"<Judgment: {self}>"

    def _repr_html_(self) -> str:
        return as_html(lambda console: self.transcript.show(console=console))
