"""The command that compares runs, targets and conditions: `safejury compare`."""

import shlex
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypedDict

import typer

from ..console import Format, RunPath, checking_record, guarded, write_line

if TYPE_CHECKING:
    from ...evaluation.compare import ChangedQuery, Comparison


_WORDS = {
    "to_safe": "became safe",
    "to_unsafe": "became unsafe",
    "verdict_lost": "verdict lost",
    "verdict_gained": "verdict gained",
}
Other = Annotated[
    Path | None,
    typer.Argument(
        metavar="OTHER",
        help="The run to compare it with; without it, two targets or conditions of RUN.",
    ),
]
Targets = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="Compare only this target of both; repeatable."),
]
TargetA = Annotated[
    str | None, typer.Option("--target-a", metavar="NAME", help="Target of RUN: side A.")
]
TargetB = Annotated[
    str | None,
    typer.Option("--target-b", metavar="NAME", help="Target of OTHER, or of RUN: side B."),
]
Conditions = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME", help="Compare only under this condition, plain for none; repeatable."
    ),
]
ConditionA = Annotated[
    str | None,
    typer.Option("--condition-a", metavar="NAME", help="Condition of side A; plain for none."),
]
ConditionB = Annotated[
    str | None,
    typer.Option("--condition-b", metavar="NAME", help="Condition of side B; plain for none."),
]
Resilience = Annotated[
    bool,
    typer.Option(
        "--resilience",
        help="Compare the same queries plain and attacked: conditions, or OTHER's queries.",
    ),
]
AttackLabel = Annotated[
    str,
    typer.Option(
        "--attack-label", metavar="NAME", help="With --resilience: label that names an attack."
    ),
]
BaseLabel = Annotated[
    str | None,
    typer.Option(
        "--base-label",
        metavar="NAME",
        help="With --resilience: label that holds the id of the plain query.",
    ),
]
FormatOption = Annotated[Format, typer.Option(help="Output format.")]
ListCases = Annotated[
    bool, typer.Option("--cases", help="List the queries whose verdicts changed.")
]
Level = Annotated[
    float,
    typer.Option(min=0.5, max=0.999, metavar="FRACTION", help="Confidence of intervals."),
]
Seed = Annotated[int, typer.Option(metavar="N", help="Seed of tests that draw at random.")]
Force = Annotated[
    bool,
    typer.Option("--force", help="Compare in spite of different juries or questions."),
]


class _How(TypedDict):
    """How differences are measured; see `compare` of `evaluation.compare`."""

    force: bool
    level: float
    seed: int


@guarded
def compare(
    run: RunPath,
    other: Other = None,
    target: Targets = None,
    target_a: TargetA = None,
    target_b: TargetB = None,
    condition: Conditions = None,
    condition_a: ConditionA = None,
    condition_b: ConditionB = None,
    resilience: Resilience = False,
    attack_label: AttackLabel = "attack",
    base_label: BaseLabel = None,
    format: FormatOption = Format.TABLE,
    cases: ListCases = False,
    level: Level = 0.95,
    seed: Seed = 0,
    force: Force = False,
) -> int:
    """Compare two runs, targets or conditions over shared queries. No model is called."""
    from ...evaluation import compare as comparing
    from ...evaluation.report import StoredRun

    chosen = comparing.Chosen(
        tuple(target or ()), tuple(condition or ()), target_a, target_b, condition_a, condition_b
    )
    attacks = comparing.Attacks(attack_label, base_label)
    with ExitStack() as stack:
        first = stack.enter_context(closing(StoredRun(run)))
        second = first
        if other is not None and other.resolve() != run.resolve():
            second = stack.enter_context(closing(StoredRun(other)))
        how = _How(force=force, level=level, seed=seed)
        with checking_record():
            if resilience:
                found = comparing.resilience(first, second, chosen, attacks, **how)
                changed = comparing.broken_queries(first, second, chosen, attacks)
            else:
                found = comparing.compare(first, second, chosen, **how)
                changed = comparing.changed_queries(first, second, found)
        listed = changed if cases else None
        if format is Format.TABLE:
            _show(found, listed, (first.directory, second.directory))
        else:
            for piece in comparing.written_comparison(found, format.value, listed):
                sys.stdout.write(piece)
    return 0


def _show(
    found: "Comparison", changed: "Iterator[ChangedQuery] | None", runs: tuple[Path, Path]
) -> None:
    """Print a comparison, and the queries that changed as they come."""
    from rich.console import Console

    from ...evaluation.compare import comparison_table
    from ...evaluation.trials import reported_name

    console = Console()
    comparison_table(found, console)
    if changed is None:
        return
    console.print()
    last: ChangedQuery | None = None
    for last in changed:
        where = ""
        if len(found.pairs) > 1:
            name = reported_name(last.target_second, last.condition_second)
            where = f", {name}" + (f", {last.attack}" if last.attack else "")
        write_line(f"{_WORDS[last.change]}: {last.query_id} ({_moved(last)}{where})")
    if last is None:
        write_line("No verdict changed.")
        return
    for run, case in zip(runs, (last.case_first, last.case_second), strict=True):
        write_line(f"Read one: safejury show {shlex.quote(str(run))} {shlex.quote(case)}")


def _moved(one: "ChangedQuery") -> str:
    return f"{one.finding_first} -> {one.finding_second}".replace("_", " ")
