"""What a review set out to label: kept beside the labels, so that every start draws the same."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from ....common import ConfigurationError
from ....common.files import atomic_write, read_text_and_bytes, write_error
from ....common.text import quoted
from ....datasets import Intent
from ._sample import CellCount

FORMAT = 1
LEAST_RANDOM, LEAST_A_TARGET = 120, 60
"""Cases drawn at random unless told otherwise: in all, and for each target."""
Intents = Literal["harmful", "benign", "all"]

_MOST_BYTES = 16 * 1024**2
_Count = Annotated[int, msgspec.Meta(ge=0)]


class ReviewPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How the cases of a run were drawn, and how many of them there were.

    Attributes:
        seed: Seed of the draw.
        random: Cases drawn at random.
        contested: Cases picked because they are contested or have a low margin.
        overlap: Share of the cases that every annotator is shown, in [0, 1].
        intent: Intent of the queries: `harmful`, `benign`, or `all`.
        cells: How many cases there are of each target, intent and verdict.
        sha256: Hash of which cases there are, with which verdict.
        near: Cases that were picked for being contested or close: fewer than asked for, where
            there are no more.
        format: 1.
    """

    seed: int
    random: _Count
    contested: _Count
    overlap: Annotated[float, msgspec.Meta(ge=0, le=1)]
    intent: Intents
    cells: tuple[CellCount, ...]
    sha256: str
    near: _Count = 0
    unheard: _Count = 0
    format: int = FORMAT

    @property
    def intents(self) -> tuple[str, ...]:
        """The intents of the queries."""
        return tuple(map(str, Intent)) if self.intent == "all" else (self.intent,)


@dataclass(frozen=True, slots=True)
class ReviewOptions:
    """What is asked of a review; None is what its plan says, or the default.

    Attributes:
        random: Cases to draw at random; by default 120, or 60 for each target if that is more.
        contested: Cases to pick because they are contested or have a low margin; by default a
            quarter of `random`.
        overlap: Share of the cases that every annotator is shown; by default 1.
        seed: Seed of the draw; by default 0.
        intent: Intent of the queries; by default `harmful`.
        redraw: Whether to draw again where the run has changed since.
    """

    random: int | None = None
    contested: int | None = None
    overlap: float | None = None
    seed: int | None = None
    intent: Intents | None = None
    redraw: bool = False

    def over(self, plan: ReviewPlan | None, targets: Sequence[str]) -> ReviewPlan:
        """Return the settings of a plan with these in place of them.

        Args:
            plan: The plan so far, None for a new one.
            targets: All targets of the run.

        Raises:
            ConfigurationError: They are out of range, or the plan cannot be changed to them.
        """
        _check(self)
        if plan is None:
            default = max(LEAST_RANDOM, LEAST_A_TARGET * len(targets))
            random = default if self.random is None else self.random
            return ReviewPlan(
                seed=self.seed or 0,
                random=random,
                contested=random // 4 if self.contested is None else self.contested,
                overlap=1.0 if self.overlap is None else self.overlap,
                intent=self.intent or "harmful",
                cells=(),
                sha256="",
            )
        for option, value, planned in (
            ("--seed", self.seed, plan.seed),
            ("--intent", self.intent, plan.intent),
        ):
            if value is not None and value != planned:
                raise ConfigurationError(
                    f"{option} {value}: these labels were begun with {option} {planned}: leave it "
                    "out, or name another file with --labels"
                )
        if self.random is not None and self.random < plan.random:
            raise ConfigurationError(
                f"--random {self.random}: {plan.random} cases are planned, and a plan only grows: "
                "leave it out, or name another file with --labels"
            )
        return msgspec.structs.replace(
            plan,
            random=plan.random if self.random is None else self.random,
            contested=plan.contested if self.contested is None else self.contested,
            overlap=plan.overlap if self.overlap is None else self.overlap,
        )


def plan_path(labels: Path) -> Path:
    """Return where the plan of a file of labels is: `labels.plan.json` for `labels.jsonl`."""
    return labels.with_name(f"{labels.stem}.plan.json")


def read_plan(path: Path) -> ReviewPlan | None:
    """Return a plan, None where there is none.

    Raises:
        ConfigurationError: It cannot be read.
    """
    if not path.exists():
        return None
    _, data = read_text_and_bytes(path, "review plan", "a plan", most_bytes=_MOST_BYTES)
    try:
        plan = msgspec.json.decode(data, type=ReviewPlan)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ConfigurationError(
            f"{path}: not the plan of a review ({error}): restore it, or name another file with "
            "--labels"
        ) from None
    if plan.format != FORMAT:
        raise ConfigurationError(
            f"{path}: has format {quoted(plan.format)}, and this version reads {FORMAT}: name "
            "another file with --labels"
        )
    return plan


def write_plan(plan: ReviewPlan, path: Path) -> None:
    """Write a plan, replacing an earlier one whole.

    Raises:
        RecordError: It cannot be written.
    """
    try:
        with atomic_write(path, private=True) as file:
            file.write(msgspec.json.format(msgspec.json.encode(plan), indent=2) + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise write_error(path, error) from None


def _check(options: ReviewOptions) -> None:
    for option, value in (("--random", options.random), ("--contested", options.contested)):
        if value is not None and value < 0:
            raise ConfigurationError(f"{option} {value}: give a number from 0")
    if options.overlap is not None and not 0 <= options.overlap <= 1:
        raise ConfigurationError(f"--overlap {options.overlap}: give a share from 0 to 1")
