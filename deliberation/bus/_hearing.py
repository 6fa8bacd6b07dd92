"""Keeps the answers of jurors in open cases, and saves and loads them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ...agents import Ballot, Case, Remark
from ...common import ConfigurationError
from ...datasets import Query


@dataclass(slots=True, eq=False)
class Hearing:
    """A case that is open.

    Attributes:
        case: The case.
        ballots: What its jurors have answered so far, sealed or not, by round and seat.
        remarks: What came of their turns at the roundtable, by round and turn.
    """

    case: Case
    ballots: dict[tuple[int, str], Ballot] = field(default_factory=dict[tuple[int, str], Ballot])
    remarks: dict[tuple[int, int], Remark] = field(default_factory=dict[tuple[int, int], Remark])


class _OpenCase(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)

    case: Case
    ballots: tuple[Ballot, ...]
    remarks: tuple[Remark, ...] = ()


class _JuryState(BaseModel):
    """What `Jury.save_state` returns, as plain data."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    type: Literal["JuryState"] = "JuryState"
    version: Literal["1.0.0"] = "1.0.0"
    jury: str
    cases: tuple[_OpenCase, ...]
    question: Query | None


def as_state(jury: str, hearings: Sequence[Hearing], question: Query | None) -> dict[str, Any]:
    """Return open cases as plain data that `from_state` reads.

    A ballot that was lost to a failed call or the budget is left out: it is asked for again.

    Args:
        jury: Identifies the jury.
        hearings: The open cases.
        question: The last question of a conversation.
    """
    cases = tuple(
        _OpenCase(
            case=hearing.case,
            ballots=tuple(b for b in hearing.ballots.values() if not b.outcome.is_lost),
            remarks=tuple(r for r in hearing.remarks.values() if not r.outcome.is_lost),
        )
        for hearing in hearings
    )
    return _JuryState(jury=jury, cases=cases, question=question).model_dump(mode="json")


def from_state(jury: str, state: Mapping[str, Any]) -> tuple[list[Hearing], Query | None]:
    """Return the open cases and the last question of a state.

    Raises:
        ConfigurationError: It is the state of something else, or of another jury.
    """
    try:
        read = _JuryState.model_validate(state)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "it"
        raise ConfigurationError(
            f"this is not the state of a jury ({where}: {first['msg']}): give what save_state of "
            "a Jury returned"
        ) from None
    if read.jury != jury:
        raise ConfigurationError(
            "the state is of a jury with other seats, models or another protocol: its ballots "
            "cannot count here"
        )
    hearings = [
        Hearing(
            one.case,
            {(ballot.round, ballot.juror): ballot for ballot in one.ballots},
            {(remark.round, remark.turn): remark for remark in one.remarks},
        )
        for one in read.cases
    ]
    return hearings, read.question
