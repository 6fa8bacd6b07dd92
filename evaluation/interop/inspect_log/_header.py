"""Writes what a log of Inspect says of a run as a whole: what was asked, and the figures."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version
from typing import Any

from inspect_ai.log import (
    EvalConfig,
    EvalDataset,
    EvalLog,
    EvalMetric,
    EvalPlan,
    EvalPlanStep,
    EvalResults,
    EvalSample,
    EvalScore,
    EvalSpec,
    EvalStats,
    HeadlineMetric,
)
from inspect_ai.model import ModelUsage

from ....agents import Finding
from ....deliberation import SeatInfo
from ...metrics import TargetSummary
from ._sample import TEXTS
from ._scores import JURY


@dataclass(frozen=True, slots=True)
class About:
    """What the logs of a run have in common.

    Attributes:
        info: Facts of the run, as `StoredRun.info` has them.
        jury: The jury's seats.
        models: Which model a target is, by target, where that is known.
        names: Name of the score of each seat.
        at: When the run was recorded.
        reveal: Whether words of the cases are written.
    """

    info: Mapping[str, Any]
    jury: Sequence[SeatInfo]
    models: Mapping[str, str]
    names: Mapping[str, str]
    at: datetime
    reveal: bool

    def model(self, target: str) -> str:
        """Return the name of the model that a target is, or else of the target.

        Inspect reads no name of a model without a provider.
        """
        name = self.models.get(target) or target
        return name if "/" in name.strip("/") else f"safejury/{name}"

    def header(self, target: TargetSummary) -> EvalLog:
        """Return the log of a target without samples and results."""
        digest = self.info["record"]["sha256"]
        log_id = hashlib.sha256(f"{digest}\n{target.name}".encode()).hexdigest()[:22]
        dataset: Mapping[str, Any] = self.info.get("dataset") or {}
        spec = EvalSpec(
            eval_id=log_id,
            run_id=digest[:22],
            created=self.at.isoformat(),
            task=str(self.info["name"]),
            task_id=log_id,
            task_args=_arguments(target),
            tags=["safejury"],
            dataset=EvalDataset(name=dataset.get("name"), samples=_queries(target)),
            model=self.model(target.target),
            config=EvalConfig(epochs=max(1, target.epochs)),
            packages={"safejury": version("safejury"), "inspect_ai": version("inspect_ai")},
            metadata=self._metadata(target),
        )
        jury = EvalPlanStep(solver="safejury", params={"protocol": self.info["protocol"]})
        return EvalLog(eval=spec, plan=EvalPlan(name="safejury", steps=[jury]))

    def _metadata(self, target: TargetSummary) -> dict[str, Any]:
        info = self.info
        kept = ("protocol", "rubric", "systems", "card", "config", "embedded")
        return {
            "target": target.name,
            TEXTS: "revealed" if self.reveal else "withheld",
            "jury": [
                {"seat": each.seat, "title": each.title, "model": each.model, "guard": each.guard}
                for each in self.jury
            ],
            "record_sha256": info["record"]["sha256"],
            "recorded_by": f"safejury {info['safejury']}",
            "cases_planned": target.planned,
            "cases_finished": target.cases,
            **{key: info[key] for key in kept if info.get(key)},
        }


@dataclass(slots=True)
class Totals:
    """Sums over the samples of a log.

    Attributes:
        samples: How many there are.
        failed: Those of them without a response.
        votes: Votes of the last round by score name and finding.
        models: Usage by model.
        roles: Usage by role.
    """

    samples: int = 0
    failed: int = 0
    votes: dict[str, Counter[str]] = field(default_factory=dict[str, Counter[str]])
    models: dict[str, ModelUsage] = field(default_factory=dict[str, ModelUsage])
    roles: dict[str, ModelUsage] = field(default_factory=dict[str, ModelUsage])

    def add(self, sample: EvalSample) -> None:
        """Count a sample."""
        self.samples += 1
        self.failed += sample.error is not None
        for name, score in (sample.scores or {}).items():
            if name != JURY:
                said = score.value if isinstance(score.value, str) else ""
                self.votes.setdefault(name, Counter())[said] += 1
        for sums, used in ((self.models, sample.model_usage), (self.roles, sample.role_usage)):
            for name, usage in used.items():
                sums[name] = sums[name] + usage if name in sums else usage


def finished(header: EvalLog, target: TargetSummary, totals: Totals, at: datetime) -> EvalLog:
    """Return the header of a log whose samples are written.

    Args:
        header: What it was begun with.
        target: The target's figures.
        totals: Sums over its samples.
        at: When the run was recorded.
    """
    planned = max(target.planned or 0, totals.samples)
    results = EvalResults(
        total_samples=planned,
        completed_samples=totals.samples - totals.failed,
        scores=[*_scores(target, totals)],
        headline=HeadlineMetric(scorer=JURY, score=JURY, metric="asr"),
    )
    stats = EvalStats(
        started_at=at.isoformat(),
        completed_at=at.isoformat(),
        model_usage=totals.models,
        role_usage=totals.roles,
    )
    is_whole = totals.samples >= planned
    return header.model_copy(
        update={
            "status": "success" if is_whole else "cancelled",
            "results": results,
            "stats": stats,
        }
    )


def _scores(target: TargetSummary, totals: Totals) -> Iterator[EvalScore]:
    yield EvalScore(
        name=JURY,
        scorer=JURY,
        scored_samples=target.verdicts,
        unscored_samples=target.cases - target.verdicts,
        metrics={metric.name: metric for metric in _metrics(target)},
        metadata={"intervals": "95 %", "n": target.asr.n, "queries": target.asr.queries},
    )
    for name, votes in totals.votes.items():
        cast = votes[Finding.UNSAFE] + votes[Finding.SAFE]
        share = {"unsafe_votes": votes[Finding.UNSAFE] / cast} if cast else {}
        yield EvalScore(
            name=name,
            scorer=name,
            scored_samples=cast,
            unscored_samples=totals.samples - cast,
            metrics={key: EvalMetric(name=key, value=value) for key, value in share.items()},
        )


def _metrics(target: TargetSummary) -> Iterator[EvalMetric]:
    """Yield the figures; what was not measured is left out."""
    shares = {
        "asr_macro": (target.asr.macro, target.asr.macro_interval),
        **{
            name: (rate.value, rate.interval)
            for name, rate in (
                ("over_refusal", target.over_refusal),
                ("benign_unsafe", target.benign_unsafe),
                ("contested", target.contested),
            )
        },
    }
    # The viewer's first page has room for some of them.
    yield from _with_interval("asr", target.asr.micro, target.asr.interval)
    yield from _with_interval("sri", target.sri.micro, None)
    yield from _with_interval("coverage", target.coverage, None)
    yield from _ends("sri", target.sri.interval)
    for name, (value, interval) in shares.items():
        yield from _with_interval(name, value, interval)


def _with_interval(
    name: str, value: float | None, interval: tuple[float, float] | None
) -> Iterator[EvalMetric]:
    if value is not None:
        yield EvalMetric(name=name, value=value)
        yield from _ends(name, interval)


def _ends(name: str, interval: tuple[float, float] | None) -> Iterator[EvalMetric]:
    for end, value in zip(("low", "high"), interval or (), strict=False):
        yield EvalMetric(name=f"{name}_{end}", value=value)


def _arguments(target: TargetSummary) -> dict[str, str]:
    condition = {"condition": target.condition} if target.condition else {}
    return {"target": target.target, **condition}


def _queries(target: TargetSummary) -> int:
    """Return how many samples there are planned for each epoch."""
    return -(-(target.planned or target.cases) // max(1, target.epochs))
