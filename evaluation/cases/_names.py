"""Checks that what a filter names is there, or that the run planned it."""

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches

from ...common import ConfigurationError
from ...common.text import natural_order, quoted
from ...targets import ResponseOutcome
from ..record import RecordReader
from ._filter import VERDICTS, CaseFilter, is_of

OUTCOMES = (*VERDICTS, *(str(outcome) for outcome in ResponseOutcome))
_NAMED = 5
"""Known names that an error lists, where none is near."""
_MOST = 5000
"""Names among which near ones are sought."""


def check_filter(filter: CaseFilter, reader: RecordReader, jurors: Sequence[str] = ()) -> None:
    """Refuse a filter that names what the run does not have, such as a misspelled target.

    Args:
        filter: The filter.
        reader: Reads the run's record.
        jurors: Seats that are named beside it.

    Raises:
        ConfigurationError: A name is unknown; the message has near ones.
    """
    _check("outcome", filter.outcome, OUTCOMES)
    _check("juror", jurors, [seat.seat for seat in reader.meta.jury])
    for what in ("target", "condition", "query_id"):
        wanted = filter.query if what == "query_id" else getattr(filter, what)
        _check(what.removesuffix("_id"), wanted, _known(reader, what) if wanted else ())
    if filter.scenario:
        known = _known(reader, "scenario")
        for wanted in filter.scenario:
            if not any(is_of(scenario, wanted) for scenario in known):
                _refuse("scenario", wanted, [*known, *_parts(known)])
    for name, value in filter.labels.items():
        _check("label", [name], reader.values("label"))
        _check(f"value of the label {name}", [value], reader.values("label_value", name))


def _known(reader: RecordReader, what: str) -> list[str]:
    """Return what finished cases have, and what the plan has."""
    planned = {getattr(part, what, None) for part in reader.meta.plan.parts}
    if what == "target":
        planned |= {target.get("name") for target in reader.meta.identity.get("targets", ())}
    names = {*reader.values(what), *(name for name in planned if name is not None)}
    return sorted(names, key=natural_order)


def _parts(scenarios: Iterable[str]) -> Iterator[str]:
    """Yield the categories of scenarios, and their own names."""
    for scenario in scenarios:
        yield from scenario.split(".", 1)


def _check(what: str, wanted: Iterable[str], known: Sequence[str]) -> None:
    for name in wanted:
        if name not in known:
            _refuse(what, name, known)


def _refuse(what: str, name: str, known: Sequence[str]) -> None:
    near = get_close_matches(name.casefold(), dict.fromkeys(known[:_MOST]), _NAMED)
    shown = ", ".join(quoted(each) for each in (near or known)[:_NAMED])
    more = ", …" if len(known) > _NAMED else ""
    said = f"did you mean {shown}?" if near else f"the run has {shown or 'none'}{more}"
    raise ConfigurationError(f"the run has no {what} {quoted(name)}: {said}")
