"""Reads the votes of round 0 from a run's record."""

from array import array
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import msgspec

from ....agents import BallotOutcome, Finding
from ....common import ConfigurationError, RecordChangedError
from ....common.text import many
from ...record import (
    Deliberated,
    RecordReader,
    cases_of,
    cases_sha256,
    decided_by,
    jury_identity,
    protocol_of,
)
from .._decided import Decided
from .._votes import NO_VOTE, SAFE, UNSAFE
from ._source import Source
from ._table_building import Said, TableBuilder, remaining

_SEEN = (
    "as_decided is what the run found by a card that was made of labels of these same cases: it is "
    "scored on what it was fitted to, and too high."
)
_FOUND = {None: NO_VOTE, "unsafe": UNSAFE, "safe": SAFE}


class _Ballot(msgspec.Struct):
    juror: str
    outcome: BallotOutcome
    finding: Finding | None = None
    rating: int | None = None
    cost_usd: float | None = None


class _Round(msgspec.Struct):
    """What a table keeps of a `BallotsRevealed`."""

    ballots: tuple[_Ballot, ...]
    not_asked: tuple[str, ...] = ()


def read_run_votes(
    directory: Path, *, without: Sequence[str] = (), unfinished: bool = False
) -> Source:
    """Read the votes of a run, and what it decided.

    Args:
        directory: The run's directory.
        without: Jurors to leave out.
        unfinished: Whether an unfinished run will do.

    Raises:
        ConfigurationError: The run is not finished, did not ask all jurors or has no votes.
        RecordChangedError: A case is not as it was recorded.
        RecordError: There is no run that can be read.
    """
    with closing(RecordReader(directory)) as reader:
        meta = reader.meta
        done, planned = reader.counts()[0], meta.plan.total
        if done < planned and not unfinished:
            raise ConfigurationError(
                f"{directory}: {done:,} of {many(planned, 'case')} are finished: finish the run "
                "first, or add --unfinished"
            )
        builder = TableBuilder(remaining([info.seat for info in meta.jury], without))
        reading = _Reading(builder)
        for case, first in _first_rounds(reader.deliberated(), directory):
            reading.add(case, first)
    protocol = protocol_of(meta.identity)
    by = decided_by(meta.identity, len(meta.jury))
    if reading.not_asked:
        raise ConfigurationError(
            f"{directory}: {many(reading.not_asked, 'ballot')} of round 0 never asked for (stop: "
            f"{by.stop}), so that its jurors cannot be compared: calibrate a run with "
            "jury.protocol.stop: all"
        )
    if not reading.findings:
        raise ConfigurationError(f"{directory}: the jury heard no case, so there are no votes")
    import numpy as np

    jury, of = jury_identity(meta.identity, meta.jury), cases_sha256(meta.identity)
    seen = meta.card is not None and meta.card.labels.of in cases_of(meta) and not without
    return Source(
        str(directory),
        builder.done(),
        jury.only(builder.jurors) if without else jury,
        # A jury without one of its jurors decided nothing.
        None if without else Decided(np.array(reading.findings, np.int8), by),
        protocol.rule.tie,
        frozenset(reading.unheard),
        (_SEEN,) if seen else (),
        of,
    )


class _Reading:
    """Gathers the votes and findings of cases."""

    def __init__(self, builder: TableBuilder) -> None:
        self._builder = builder
        self.findings = array("b")
        self.unheard = list[str]()
        self.not_asked = 0

    def add(self, case: Deliberated, first: _Round | None) -> None:
        if first is None:
            self.unheard.append(case.case_id)
            return
        self.not_asked += sum(name in self._builder.jurors for name in first.not_asked)
        self.findings.append(_FOUND[case.finding])
        self._builder.add(
            case.case_id,
            {
                each.juror: Said.of(each.outcome, each.finding, each.rating, each.cost_usd)
                for each in first.ballots
            },
            group=case.query_id,
            target=case.target,
            scenario=case.scenario,
        )


def _first_rounds(
    cases: Iterator[Deliberated], directory: Path
) -> Iterator[tuple[Deliberated, _Round | None]]:
    """Yield cases with their round 0, None where the jury did not hear them."""
    decode = msgspec.json.Decoder(_Round).decode
    for case in cases:
        try:
            yield case, decode(case.rounds[0]) if case.rounds else None
        except (msgspec.MsgspecError, RecursionError, ValueError) as error:
            raise RecordChangedError(
                f"{directory}: the ballots of the case {case.case_id!r} cannot be read ({error})"
            ) from None
