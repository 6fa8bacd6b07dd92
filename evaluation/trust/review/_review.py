"""A review of a run: which cases are left for a person, what they are, and their labels."""

from collections import Counter, deque
from collections.abc import Generator, Iterable, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from ....agents import Case, Finding, Rubric
from ....common import ConfigurationError, RecordChangedError
from ....common.text import many
from ....deliberation import CaseOpened
from ...record import RecordReader, case_in, refuse_shared
from ._file import LabelFile, Row
from ._plan import Intents, ReviewOptions, ReviewPlan, plan_path, read_plan, write_plan
from ._sample import ReviewCase, ReviewSample, draw, unit

LABELS = "labels.jsonl"
"""Name of the file of labels in the run's directory, unless another is named."""
_DRAWN = ("target", "stratum", "probability", "chosen")


class Review:
    """The cases of a run that people label, and their labels.

    Attributes:
        directory: The run's directory.
        file: The labels.
        plan: How the cases were drawn.
        sample: The cases.
    """

    def __init__(
        self, reader: RecordReader, file: LabelFile, plan: ReviewPlan, sample: ReviewSample
    ) -> None:
        self._reader = reader
        self.directory = reader.directory
        self.file = file
        self.plan: ReviewPlan = plan
        self.sample: ReviewSample = sample
        self._by_case = {one.case: one for one in sample.cases}

    @property
    def rubric(self) -> Rubric | None:
        """What the jury judged by, None for the bundled rubric."""
        return self._reader.meta.rubric

    def case(self, case_id: str) -> Case:
        """Return a case as the jury saw it, with its media in the run's directory.

        Raises:
            RecordChangedError: It is not as it was recorded.
        """
        checked = self._reader.check_case(case_id)
        entries = self._reader.entries(case_id)
        opened = next((entry for entry in entries if isinstance(entry, CaseOpened)), None)
        if checked.why is not None or opened is None:
            raise RecordChangedError(
                f"{self.directory}: the case {case_id!r} was changed after it was recorded "
                f"({checked.why or 'it has no opening'}): restore the directory from a copy"
            )
        return case_in(opened.case, self.directory)

    def put(
        self,
        case_id: str,
        finding: Finding,
        annotator: str,
        *,
        rating: int | None = None,
        note: str = "",
    ) -> None:
        """Keep a label; it is on the disk when this returns.

        Args:
            case_id: The case.
            finding: What the person found.
            annotator: Who.
            rating: The person's rating, 1 to 5, None without one.
            note: The person's own words.

        Raises:
            ConfigurationError: It cannot be written; those before are kept.
        """
        further: Row = {} if rating is None else {"rating": rating}
        further |= {"note": note} if note else {}
        with self.file.locked():
            self._follow_plan()
            self.file.put(self.row(case_id, finding, annotator) | further)

    def row(self, case_id: str, finding: Finding, annotator: str) -> Row:
        """Return the row for a label that is given now."""
        now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        row = {"case": case_id, "label": str(finding), "annotator": annotator, "at": now}
        one = self._by_case.get(case_id)
        return row if one is None else row | drawn_as(one)

    def _follow_plan(self) -> None:
        """Take over a plan that another person has changed: a case has one probability."""
        plan = read_plan(plan_path(self.file.path))
        if plan is None or plan == self.plan:
            return
        sample = _drawn(self._reader, plan, plan, ())
        if sample.sha256 != plan.sha256:
            raise ConfigurationError(
                f"{self.file.path}: somebody has drawn the cases again: repeat the command"
            )
        self.plan, self.sample = plan, sample
        self._by_case = {one.case: one for one in sample.cases}

    def own(self, annotator: str) -> dict[str, str]:
        """Return a person's labels of the cases that were picked, in the order of the file."""
        return {
            row["case"]: row["label"]
            for row in self.file.rows()
            if row.get("annotator", "") == annotator and row["case"] in self._by_case
        }

    def left(self, annotator: str, *, ties: bool = False) -> deque[str]:
        """Return the cases that a person is still to label, in their order.

        With an overlap below 1, what another person has labeled is left out unless it is shown
        to all; so that two who work at once seldom meet, each has another order of those.

        Args:
            annotator: Who is to label them.
            ties: Whether only cases are to be labeled on which the others are split evenly.
        """
        rows = self.file.rows()
        own = {row["case"] for row in rows if row.get("annotator", "") == annotator}
        of_others = [row for row in rows if row.get("annotator", "") != annotator]
        if ties:
            wanted = tied_cases(of_others) - own
            return deque(one.case for one in self.sample.cases if one.case in wanted)
        others = {row["case"] for row in of_others}
        seed = self.plan.seed
        ids = [one.case for one in self.sample.cases]
        shared = [unit(seed, "overlap", case) < self.plan.overlap for case in ids]
        rest = [case for case, is_shared in zip(ids, shared, strict=True) if not is_shared]
        rest.sort(key=lambda case: unit(seed, annotator, case))
        mine = iter(rest)
        ordered = (
            case if is_shared else next(mine) for case, is_shared in zip(ids, shared, strict=True)
        )
        taken = own | (others & set(rest))
        return deque(case for case in ordered if case not in taken)

    def is_taken(self, case_id: str, annotator: str) -> bool:
        """Return whether another person has labeled a case that is not shown to all."""
        if unit(self.plan.seed, "overlap", case_id) < self.plan.overlap:
            return False
        return any(
            row["case"] == case_id and row.get("annotator", "") != annotator
            for row in self.file.rows()
        )


@contextmanager
def open_review(
    directory: Path, labels: Path | None = None, options: ReviewOptions | None = None
) -> Generator[Review]:
    """Open a review of a finished run, which begins with the first call and goes on with others.

    Args:
        directory: The run's directory.
        labels: The file of labels; by default `labels.jsonl` in the run's directory.
        options: What is asked of it.

    Raises:
        ConfigurationError: The options do not go with the labels that are there.
        RecordError: The run cannot be read, or is not finished.
    """
    options = options or ReviewOptions()
    reader = RecordReader(directory)
    try:
        refuse_shared(directory, reader.meta.raw, "be reviewed")
        _check_finished(reader)
        file = LabelFile(labels or directory / LABELS)
        if file.path.suffix.lower() in (".csv", ".tsv"):
            raise ConfigurationError(
                f"--labels {file.path}: a review writes JSONL: name another file, or take this "
                "one over with --import"
            )
        with file.locked():
            review = _begun(reader, file, options)
        yield review
    finally:
        reader.close()


def review_sample(
    run: str | Path,
    n: int | None = None,
    seed: int = 0,
    *,
    contested: int = 0,
    intent: Intents = "harmful",
) -> list[ReviewCase]:
    """Return cases of a finished run to label, as `safejury review` picks them.

    Nothing is written. They come in the order in which they are to be labeled: where only a
    part is done, the first ones of them are a random sample as well.

    Args:
        run: The run's directory.
        n: Cases to draw at random; by default 120, or 60 for each target if that is more.
        seed: Another seed draws others.
        contested: Further cases to pick because they are contested or close; they have no
            probability.
        intent: Intent of the queries.

    Raises:
        ConfigurationError: A number is out of range.
        RecordError: The run cannot be read, or is not finished.
    """
    options = ReviewOptions(random=n, contested=contested, seed=seed, intent=intent)
    with closing(RecordReader(Path(run))) as reader:
        _check_finished(reader)
        return list(_drawn(reader, options.over(None, _targets(reader)), None, ()).cases)


def tied_cases(rows: Iterable[Row]) -> set[str]:
    """Return the cases on which people are split evenly: they count as unlabeled."""
    margins = Counter[str]()
    for row in rows:
        margins[row["case"]] += 1 if row["label"] == Finding.UNSAFE else -1
    return {case for case, margin in margins.items() if not margin}


def drawn_as(one: ReviewCase) -> Row:
    """Return the columns of a label that say how its case was picked."""
    columns = {"target": one.target, "stratum": one.stratum, "chosen": one.chosen}
    return columns if one.probability is None else columns | {"probability": one.probability}


def _begun(reader: RecordReader, file: LabelFile, options: ReviewOptions) -> Review:
    where, rows = plan_path(file.path), file.rows()
    kept = read_plan(where)
    if kept is None and any("chosen" in row for row in rows):
        raise ConfigurationError(
            f"{where} is missing, which says how the cases of {file.path.name} were picked: "
            "restore it, or name another file with --labels"
        )
    plan = options.over(kept, _targets(reader))
    sample = _drawn(reader, plan, kept, rows, redraw=options.redraw)
    if kept is not None and kept.sha256 != sample.sha256 and not options.redraw:
        raise ConfigurationError(_changed(reader.directory, kept, sample, rows))
    if not sample.cases:
        raise ConfigurationError(
            f"{reader.directory}: there is nothing to review: no case of a query that is "
            f"{' or '.join(plan.intents)} was put to the jury"
        )
    near = sum(one.probability is None for one in sample.cases)
    plan = msgspec.structs.replace(
        plan, cells=sample.cells, sha256=sample.sha256, near=near, unheard=sample.unheard
    )
    by_case = {one.case: one for one in sample.cases}
    file.change(lambda row: _as_drawn(row, by_case.get(row["case"]), sample.verdicts))
    if plan != kept:
        write_plan(plan, where)
    return Review(reader, file, plan, sample)


def _drawn(
    reader: RecordReader,
    plan: ReviewPlan,
    kept: ReviewPlan | None,
    rows: Iterable[Row],
    *,
    redraw: bool = False,
) -> ReviewSample:
    before = () if kept is None or redraw else kept.cells
    return draw(
        reader.results(),
        random=plan.random,
        contested=plan.contested,
        seed=plan.seed,
        intents=plan.intents,
        at_least={count.cell: count.sampled for count in before},
        known={row["case"] for row in rows},
    )


def _as_drawn(row: Row, one: ReviewCase | None, verdicts: Mapping[str, str]) -> Row:
    """Return a row with what the plan now says of its case.

    A case that was drawn at random and is so no more is no case of a random sample: what would
    say so is left out.
    """
    plain = {name: value for name, value in row.items() if name not in _DRAWN}
    if one is not None:
        return plain | drawn_as(one)
    if row.get("chosen") in (None, "random"):
        return plain
    return row | {"stratum": verdicts.get(row["case"], row.get("stratum"))}


def _check_finished(reader: RecordReader) -> None:
    finished, _ = reader.counts()
    planned = reader.meta.plan.total
    if finished < planned or not finished:
        raise ConfigurationError(
            f"{reader.directory}: {finished:,} of {planned:,} cases are finished, and cases are "
            "drawn from all of a run: finish it first, by repeating its command"
        )


def _targets(reader: RecordReader) -> list[str]:
    return [target["name"] for target in reader.meta.identity.get("targets", ())]


def _changed(directory: Path, kept: ReviewPlan, sample: ReviewSample, rows: Iterable[Row]) -> str:
    differ = sum(
        "stratum" in row and sample.verdicts.get(row["case"]) != row["stratum"] for row in rows
    )
    before, now = (sum(count.size for count in cells) for cells in (kept.cells, sample.cells))
    facts = [f"{many(differ, 'labeled case')} with another verdict"] if differ else []
    facts += [f"{before:,} cases then, {now:,} now"] if before != now else []
    said = f" ({', '.join(facts)})" if facts else ""
    return (
        f"{directory}: verdicts have changed since the cases to label were drawn{said}: add "
        "--redraw to draw them again (every label stays, those of cases that are drawn no more "
        "count as no random sample), or name another file with --labels"
    )
