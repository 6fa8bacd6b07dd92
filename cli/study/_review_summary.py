"""How far a review is, on the screen: `safejury review RUN --summary`."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ...common import escape_line
from ...common.text import many, percent
from ...evaluation.trust.review import ReviewSummary, TargetProgress, summarize_review
from ..console import write_line

_STRATA = {"unsafe": "unsafe", "safe": "safe", "no_verdict": "no verdict"}


def show_summary(run: Path, labels: Path | None) -> None:
    """Show labels by person and verdict, agreement, and what is missing."""
    found = summarize_review(run, labels)
    console = Console()
    console.print(_table(found))
    if found.plan.unheard:
        without = many(found.plan.unheard, "case")
        write_line(f"{without} left out: there is no response that could be judged.")
    for line in (*_agreement(run, found), *_missing(run, found)):
        write_line(line)


def _table(found: ReviewSummary) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), title_justify="left", title_style="bold")
    table.title = f"Labels in {escape_line(str(found.file))}, cases by the jury's verdict"
    table.add_column("")
    for title in _STRATA.values():
        table.add_column(title, justify="right")
    table.add_column("contested\nor close", justify="right")
    table.add_column("called\nunsafe", justify="right")
    table.add_row("in the run", *_counts(found.cases), "", "")
    planned = f"drawn at random (seed {found.plan.seed})"
    table.add_row(planned, *_counts(found.sampled), "", "")
    table.add_row("picked besides", *[""] * len(_STRATA), f"{found.plan.near:,}", "")
    for who in found.annotators:
        counts = _counts(found.random.get(who, {}))
        others, unsafe = found.others.get(who, 0), found.unsafe.get(who, 0)
        name = f"labeled by {escape_line(who) or 'nobody named'}"
        table.add_row(name, *counts, f"{others:,}", f"{unsafe:,}")
    return table


def _counts(by_stratum: Mapping[str, int]) -> Iterator[str]:
    return (f"{by_stratum.get(stratum, 0):,}" for stratum in _STRATA)


def _agreement(run: Path, found: ReviewSummary) -> Iterator[str]:
    if not found.annotators:
        yield "Nobody has labeled a case yet."
    elif not found.both:
        yield "Agreement of people: unknown, no case was labeled by two."
    else:
        share = percent(found.alike / found.both)
        alpha = "unknown" if found.alpha is None else f"{found.alpha:.2f}"
        yield (
            f"Agreement of people: alike in {found.alike:,} of {many(found.both, 'case')} that two "
            f"or more labeled ({share}), Krippendorff's alpha {alpha}."
        )
    if found.jury is not None:
        yield from found.jury.words()
    if found.tied:
        yield (
            f"{many(found.tied, 'case')} on which people are split evenly: unlabeled, until one "
            f"more person settles them: safejury review {run} --ties --annotator NAME"
        )


def _missing(run: Path, found: ReviewSummary) -> Iterator[str]:
    """Yield for each target whether its rate can be corrected, and what to do next."""
    yield from map(_so_far, found.targets)
    if all(target.lacking and target.labeled == target.planned for target in found.targets):
        planned = sum(found.sampled.values())
        yield f"More cases: safejury review {run} --random {2 * max(planned, found.plan.random)}"
    if not all(target.lacking for target in found.targets):
        yield f"Corrected rates: safejury report {run} --labels {found.file}"


def _so_far(target: TargetProgress) -> str:
    lacking = target.lacking
    said = f"no corrected rate yet: {lacking}" if lacking else "enough for a corrected rate"
    done = f"{target.labeled:,} of {target.planned:,} random cases labeled"
    return f"{escape_line(target.target)}: {done}; {said}."
