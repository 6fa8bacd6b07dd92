"""Reads a stored run: its figures, and the transcript of each case."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path

from ...common import ConfigurationError, RecordChangedError
from ...deliberation import CaseOpened, Entry, SeatInfo, card_sha256
from ...targets import ResponseOutcome, plain_detail
from ..metrics import (
    ComparabilityFlag,
    Estimated,
    RunCost,
    RunFacts,
    RunSummary,
    TargetResponse,
    comparability_flags,
    summarize,
    with_server_time,
)
from ..record import (
    ChangedCase,
    CheckedCase,
    Integrity,
    Meta,
    RecordReader,
    describe_growth,
    describe_pruned,
)
from ..trials import Plan, SkippedInput
from ..trust.talk import TalkFigures, discussed_cases, talk_figures
from ._health import TOLERATED
from .corrected import Correction


@dataclass(frozen=True, slots=True)
class StoredCase:
    """The transcript of a case, and its jury."""

    case_id: str
    entries: Sequence[Entry]
    jury: tuple[SeatInfo, ...]
    target: str
    protocol: str


class _Failures:
    """Counts responses that are errors, by target."""

    def __init__(self) -> None:
        self._cases, self._errors = Counter[str](), Counter[str]()
        self._said = dict[str, str]()

    def among(self, asked: Iterable[TargetResponse]) -> Iterator[TargetResponse]:
        """Count responses and pass them on."""
        for each in asked:
            self._cases[each.target] += 1
            if each.response.outcome is ResponseOutcome.ERROR:
                self._errors[each.target] += 1
                said = plain_detail(each.response) or "no details are known"
                self._said.setdefault(each.target, said)
            yield each

    def failures(self) -> dict[str, str]:
        """Return an error message by target, where more than 2 % of responses are errors."""
        most = {name: TOLERATED * cases for name, cases in self._cases.items()}
        return {name: said for name, said in self._said.items() if self._errors[name] > most[name]}


class StoredRun:
    """A stored run, opened read-only.

    Args:
        directory: The run's directory.
        media_may_be_gone: Whether a missing picture or sound is no change of the record.

    Attributes:
        directory: The same.
        labels: Whether cases are unsafe, by id, for the figures of what talking did; none unless
            they are set.
        notes_on_correction: What a reader must know of corrected figures, a sentence each.

    Raises:
        RecordError: The directory holds no readable run.
    """

    def __init__(self, directory: Path, *, media_may_be_gone: bool = False) -> None:
        self.directory = directory
        self._gone = media_may_be_gone
        self._reader = RecordReader(directory)
        self._integrity: Integrity | None = None
        self._summed: tuple[str | None, Correction | None, RunSummary] | None = None
        self.labels: Mapping[str, bool] = {}
        self.notes_on_correction: tuple[str, ...] = ()

    @property
    def meta(self) -> Meta:
        """The facts that the record keeps on the run as a whole."""
        return self._reader.meta

    @property
    def info(self) -> dict[str, object]:
        """Facts of the run: its configuration, progress and record."""
        kept = self._reader.meta
        meta, identity = kept.raw, kept.identity
        finished, _ = self._reader.counts()
        return {
            "name": meta.get("name"),
            "safejury": meta.get("version"),
            "cases_planned": self.plan.total,
            "cases_finished": finished,
            "unread_responses": self.unread,
            "spent": self.run_cost,
            "estimated_elsewhere": self.estimated_elsewhere,
            "left_out": self.left_out,
            "embedded": self.uses_embedded,
            "protocol": meta.get("protocol"),
            "rubric": kept.rubric and asdict(kept.rubric),
            "systems": {
                target: {"sha256": sha256, "text": kept.systems.get(target)}
                for target, sha256 in self.facts.systems.items()
            },
            "models": kept.models,
            **_card(kept),
            "jury": json.loads(meta["jury"]),
            "dataset": identity.get("dataset"),
            "config": identity,
            "record": {
                "sha256": self.integrity.digest,
                "cases_without_chain": self.integrity.unchained,
                "results_not_compared": self.integrity.uncompared,
            },
            **({} if kept.shared is None else {"shared": kept.shared}),
            **({"pruned": kept.pruned} if kept.pruned else {}),
        }

    @property
    def integrity(self) -> Integrity:
        """The result of checking the record, without reading the media.

        Raises:
            RecordChangedError: A case was changed after it was recorded.
        """
        if self._integrity is None:
            self._integrity = self._reader.check_unchanged(media_may_be_gone=self._gone)
        return self._integrity

    def check(
        self, report: Callable[[ChangedCase], None], *, read_media: bool = False
    ) -> Integrity:
        """Check that no case was changed; see `RecordReader.check`."""
        return self._reader.check(report, read_media=read_media)

    def check_case(self, case_id: str) -> CheckedCase:
        """Check the case with this id."""
        return self._reader.check_case(case_id)

    @property
    def uses_embedded(self) -> bool:
        """Whether the embedded model took part, in which case the verdicts mean nothing."""
        return self._reader.meta.raw.get("embedded") == "yes"

    @property
    def reader(self) -> RecordReader:
        """The record, for what reads its cases itself, once `integrity` has checked it."""
        return self._reader

    @property
    def plan(self) -> Plan:
        """The planned cases."""
        return self._reader.meta.plan

    @cached_property
    def left_out(self) -> dict[str, SkippedInput]:
        """What was skipped when files were read, by target; no entry where nothing was."""
        return self._reader.left_out.by_target(self._targets(), self._reader.meta.used)

    @property
    def unread(self) -> dict[str, dict[str, object]]:
        """Unread parts of files of responses, by target; no entry for files read to the end."""
        return {
            target: {"lines": each.lines, "cut": each.cut}
            for target, each in self.left_out.items()
            if each.lines or each.cut
        }

    @property
    def growth(self) -> str | None:
        """When the run took more cases, and which; None where it did not."""
        return describe_growth(self._reader.meta.grown)

    @property
    def shared(self) -> str | None:
        """What a shareable copy without words is a copy of; None for any other run."""
        return None if self.meta.shared is None else self.meta.shared.words()

    @property
    def pruned(self) -> str | None:
        """When pictures and sounds were removed on purpose; None where none were."""
        return describe_pruned(self.meta.pruned)

    def shared_problem(self) -> str | None:
        """Return why a shareable copy is not of the run that it names; None where it is."""
        shared = self.meta.shared
        return None if shared is None else shared.problem(self._reader.kept.original_heads())

    @property
    def facts(self) -> RunFacts:
        """The facts that a report needs besides the figures."""
        meta = self._reader.meta
        return RunFacts(
            self.left_out,
            frozenset(meta.identity.get("responses", {})),
            None if meta.rubric is None else (meta.rubric.name, meta.rubric.sha256),
            meta.identity.get("systems", {}),
            meta.models,
        )

    def _targets(self) -> list[str]:
        return [target["name"] for target in self._reader.meta.identity.get("targets", ())]

    def summary(self, by: str | None = None, correction: Correction | None = None) -> RunSummary:
        """Compute the figures of all finished cases.

        Args:
            by: What to break them down by in addition; see `summarize`.
            correction: By what to correct the rates, None for nothing. What must be known of it
                goes into `notes_on_correction`.

        Raises:
            ConfigurationError: They cannot be broken down by it, or the correction does not fit.
            RecordChangedError: A case was changed after it was recorded.
        """
        _ = self.integrity
        if self._summed is not None and (by, correction) == self._summed[:2]:
            return self._summed[2]
        known = {group: part for group, part in self._estimated.items() if group is not None}
        correcting = None if correction is None else correction.begin(self._reader.meta, by)
        results, spent = self._reader.results(), self.run_cost
        if correcting is not None:
            results = correcting.counts.among(results)
        summary = summarize(results, estimated=known, plan=self.plan, spent=spent, by=by)
        if correcting is not None:
            summary = correcting.corrected(summary, self.directory)
            self.labels = {} if correcting.labels is None else correcting.labels.unsafe
            self.notes_on_correction = tuple(correcting.notes)
        self._summed = (by, correction, with_server_time(summary))
        return self._summed[2]

    def talk(self, summary: RunSummary) -> TalkFigures:
        """Return what talking did in all finished cases; nothing where nobody talked.

        Args:
            summary: The run's figures.
        """
        if not any(target.flips.cases_discussed for target in summary.targets):
            return TalkFigures()
        return talk_figures(discussed_cases(self._reader.discussions()), self.labels)

    @cached_property
    def run_cost(self) -> RunCost:
        """The total cost of the run."""
        return self._reader.run_cost()

    @property
    def notes_on_files(self) -> tuple[str, ...]:
        """Notes on the files of responses, a sentence each."""
        return self._reader.meta.notes

    @property
    def unbound(self) -> list[str]:
        """Models of unknown price, to which the run's cost limit does not apply."""
        return list(self._reader.meta.unbound)

    @property
    def estimated_elsewhere(self) -> Estimated | None:
        """Estimated charges of calls for unfinished cases, None where there are none."""
        return self._estimated.get(None)

    @cached_property
    def _estimated(self) -> Mapping[tuple[str, str] | None, Estimated]:
        """Estimated charges by target and condition; see `RecordReader.estimated`."""
        return self._reader.estimated()

    def comparability(self) -> tuple[ComparabilityFlag, ...]:
        """Find what makes the targets hard to compare, over all finished cases."""
        return self._openings[0]

    def failures(self) -> dict[str, str]:
        """Return an error message by target, where more than 2 % of responses are errors."""
        return self._openings[1]

    @cached_property
    def _openings(self) -> tuple[tuple[ComparabilityFlag, ...], dict[str, str]]:
        """Results of `comparability` and `failures`, from one pass over all openings."""
        failed = _Failures()
        asked = failed.among(self._reader.responses())
        return comparability_flags(asked, distinct=self._reader.distinct()), failed.failures()

    def case_ids(self) -> list[str]:
        """Return the ids of finished cases."""
        return list(self._reader.case_ids())

    def case(self, case_id: str) -> StoredCase:
        """Return a case by its id, or by the start of an id that matches just one.

        Raises:
            ConfigurationError: No case matches, or more than one.
        """
        known = self.case_ids()
        meant = [name for name in known if name == case_id] or [
            name for name in known if name.startswith(f"{case_id}/")
        ]
        if len(meant) != 1:
            near = meant or get_close_matches(case_id, known, 3) or known[:3]
            problem = f"{len(meant)} cases match" if meant else "no finished case matches"
            raise ConfigurationError(
                f"{self.directory}: {problem} {case_id!r}: try {', '.join(near) or 'run first'}"
            )
        entries = self._reader.entries(meant[0])
        opened = next((entry for entry in entries if isinstance(entry, CaseOpened)), None)
        if opened is None:
            raise RecordChangedError(f"{self.directory}: the case {meant[0]!r} has no opening")
        target = opened.case.id.removeprefix(f"{opened.case.query.id}/").partition("/")[0]
        meta = self._reader.meta
        return StoredCase(meant[0], entries, meta.jury, target, meta.protocol_label)

    def close(self) -> None:
        """Close the record."""
        self._reader.close()


def _card(meta: Meta) -> dict[str, object]:
    """Return by what the jury card of a run is known; nothing without one."""
    card = meta.card
    if card is None:
        return {}
    sha256 = meta.identity.get("card") or card_sha256(card)  # a shareable copy leaves out its notes
    labels = {"cases": card.labels.cases, "unsafe": card.labels.unsafe}
    return {"card": {"sha256": sha256, "made": card.made, "labels": labels}}
