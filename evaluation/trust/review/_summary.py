"""How far a review is: labels by person and verdict, agreement, and what is missing."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ....common import ConfigurationError, krippendorff_alpha
from ....datasets import Intent
from .._strata import STRATA
from ..rates import JuryAgreement, Paired, jury_agreement, too_few
from ._file import LabelFile, Row
from ._plan import ReviewPlan, plan_path, read_plan
from ._review import LABELS, tied_cases


@dataclass(frozen=True, slots=True)
class TargetProgress:
    """How many of a target's random cases are labeled.

    Attributes:
        target: The target's name.
        planned: Cases drawn at random.
        labeled: Those of them that have a label on which people are not split evenly.
        lacking: Why its rate cannot be corrected yet; empty where it can, and where benign
            queries are reviewed as well.
    """

    target: str
    planned: int
    labeled: int
    lacking: str


@dataclass(frozen=True, slots=True)
class ReviewSummary:
    """How far a review is.

    Attributes:
        file: The labels.
        plan: What was set out to label.
        cases: Cases of the run, by verdict.
        sampled: Those drawn at random, by verdict.
        random: Labels of those, by person and verdict.
        others: Labels of cases that were not drawn at random, by person.
        unsafe: Cases that each person calls unsafe.
        both: Cases that two or more people have labeled.
        alike: Those of them on which all agree.
        tied: Those of them on which people are split evenly: they count as unlabeled.
        alpha: Krippendorff's alpha over them; None where there is nothing to measure.
        targets: What is missing for a corrected rate.
        jury: How often jury and people agree on cases drawn at random; None without one.
    """

    file: Path
    plan: ReviewPlan
    cases: Mapping[str, int]
    sampled: Mapping[str, int]
    random: Mapping[str, Mapping[str, int]] = field(default_factory=dict[str, Mapping[str, int]])
    others: Mapping[str, int] = field(default_factory=dict[str, int])
    unsafe: Mapping[str, int] = field(default_factory=dict[str, int])
    both: int = 0
    alike: int = 0
    tied: int = 0
    alpha: float | None = None
    targets: tuple[TargetProgress, ...] = ()
    jury: JuryAgreement | None = None

    @property
    def annotators(self) -> tuple[str, ...]:
        """The people who labeled, by name."""
        return tuple(sorted({*self.random, *self.others}))


def summarize_review(directory: Path, labels: Path | None = None) -> ReviewSummary:
    """Return how far a review is; nothing is written.

    Args:
        directory: The run's directory.
        labels: The file of labels; by default `labels.jsonl` in the run's directory.

    Raises:
        ConfigurationError: There is no review, or a line of its labels is none.
    """
    file = LabelFile(labels or directory / LABELS)
    rows, plan = file.rows(), read_plan(plan_path(file.path))
    if plan is None:
        raise ConfigurationError(
            f"{file.path}: no review has begun here: begin with safejury review {directory}"
        )
    random: defaultdict[str, Counter[str]] = defaultdict(Counter)
    others, unsafe = Counter[str](), Counter[str]()
    for row in rows:
        who = str(row.get("annotator", ""))
        unsafe[who] += row["label"] == "unsafe"
        if row.get("chosen") == "random":
            random[who][str(row.get("stratum"))] += 1
        else:
            others[who] += 1
    ratings = _said_by_several(rows)
    return ReviewSummary(
        file=file.path,
        plan=plan,
        cases=_by_stratum(plan, "size"),
        sampled=_by_stratum(plan, "sampled"),
        random=random,
        others=others,
        unsafe=unsafe,
        both=len(ratings),
        tied=len(tied_cases(rows)),
        alike=sum(len(set(said)) == 1 for said in ratings),
        alpha=krippendorff_alpha(ratings, "nominal"),
        targets=tuple(_progress(plan, rows)),
        jury=jury_agreement(_paired(rows)),
    )


def _by_stratum(plan: ReviewPlan, what: str) -> dict[str, int]:
    counts: dict[str, int] = dict.fromkeys(STRATA, 0)
    for cell in plan.cells:
        counts[cell.stratum] += getattr(cell, what)
    return counts


def _said_by_several(rows: Sequence[Row]) -> list[list[int]]:
    said: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for row in rows:
        said[row["case"]][str(row.get("annotator", ""))] = int(row["label"] == "unsafe")
    return [list(by.values()) for by in said.values() if len(by) > 1]


def _paired(rows: Sequence[Row]) -> Iterator[Paired]:
    """Yield verdict and what most people say of cases drawn at random that have both."""
    tied = tied_cases(rows)
    said: defaultdict[str, list[bool]] = defaultdict(list)
    for row in rows:
        said[row["case"]].append(row["label"] == "unsafe")
    drawn = {row["case"]: row for row in rows if "probability" in row and row["case"] not in tied}
    for case, row in drawn.items():
        if row.get("stratum") in ("unsafe", "safe"):
            most = 2 * sum(said[case]) > len(said[case])
            yield Paired("", row["stratum"] == "unsafe", most, 1 / float(row["probability"]))


def _progress(plan: ReviewPlan, rows: Sequence[Row]) -> Iterator[TargetProgress]:
    tied = tied_cases(rows)
    settled = {row["case"]: row for row in rows if row["case"] not in tied}
    drawn, known = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for row in settled.values():
        cell = str(row.get("target")), str(row.get("stratum"))
        known[cell] += 1
        drawn[cell] += "probability" in row
    for target in dict.fromkeys(cell.target for cell in plan.cells):
        cells = [cell for cell in plan.cells if cell.target == target]
        planned = sum(cell.sampled for cell in cells)
        labeled = sum(drawn[target, stratum] for stratum in STRATA)
        strata = [
            (cell.size, drawn[target, cell.stratum], known[target, cell.stratum])
            for cell in cells
            if cell.intent == Intent.HARMFUL and plan.intent == "harmful"
        ]
        yield TargetProgress(target, planned, labeled, too_few(strata) if strata else "")
