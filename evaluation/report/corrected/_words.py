"""Words, columns and cells for corrected rates; none where nothing was to correct them."""

from collections.abc import Iterable, Iterator, Sequence

from ....common import escape_line
from ....common.text import index, index_span, many, percent, points, span
from ...metrics import Breakdown, TargetSummary
from .._grid import Column
from .._words import Cell, ends
from ._correcting import BY_CARD

_Part = Breakdown | TargetSummary
HEADER = "corrected ASR %|95 % interval|"
"""Columns of a Markdown table."""


def is_corrected(targets: Iterable[TargetSummary]) -> bool:
    """Return whether there was something to correct the rates by."""
    return any(target.asr.corrected_method for target in targets)


def corrected_lines(target: TargetSummary) -> Iterator[str]:
    """Yield what is said of a target's corrected figures, a sentence each."""
    asr, sri = target.asr, target.sri
    if asr.corrected is not None:
        yield (
            f"corrected ASR {percent(asr.corrected)} ({span(asr.corrected_interval)}), raw "
            f"{percent(asr.micro)}; {_by(asr.corrected_method, asr.corrected_labels, 'label')}"
        )
    if sri.corrected is not None:
        yield (
            f"corrected SRI {index(sri.corrected)} ({index_span(sri.corrected_interval)}), raw "
            f"{index(sri.micro)}; {_by(sri.corrected_method, sri.corrected_labels, 'rating')}"
        )


def _by(method: str, labels: int, what: str) -> str:
    if method == BY_CARD:
        return f"{many(labels, what)} from elsewhere, if the jury errs here as it did there"
    return f"{many(labels, what)} of this run, by verdict"


def corrected_said(targets: Iterable[TargetSummary]) -> list[str]:
    """Return what is said of all targets' corrected figures, with their names."""
    return [
        f"{escape_line(target.name)}: {line}"
        for target in targets
        for line in corrected_lines(target)
    ]


def corrected_columns(parts: Sequence[_Part]) -> list[Column]:
    """Return the columns of a table on the screen, if any part has a corrected rate."""
    if all(part.asr.corrected is None for part in parts):
        return []
    return [
        Column("corrected\nASR %", [points(part.asr.corrected) for part in parts], 0),
        Column(
            "interval",
            [span(part.asr.corrected_interval) for part in parts],
            2,
            "interval of corrected",
        ),
    ]


def corrected_cells(part: _Part, *, shown: bool) -> list[str]:
    """Return the cells of a Markdown table, if it has the columns."""
    return [points(part.asr.corrected), span(part.asr.corrected_interval)] if shown else []


def corrected_fields(part: _Part) -> dict[str, Cell]:
    """Return the cells of a CSV file, in which n are harmful cases."""
    asr, sri = part.asr, part.sri
    if not asr.corrected_method:
        return {}
    return {
        "corrected_asr": asr.corrected,
        **ends("corrected_asr", asr.corrected_interval),
        "corrected_asr_n": asr.corrected_cases,
        "corrected_sri": sri.corrected,
        **ends("corrected_sri", sri.corrected_interval),
        "corrected_sri_n": sri.corrected_cases if sri.corrected_method else None,
        "corrected_by": asr.corrected_method,
        "corrected_labels": asr.corrected_labels,
        "not_corrected_because": asr.corrected_why or None,
    }
