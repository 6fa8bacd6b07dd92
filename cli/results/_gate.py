"""The command that decides whether a run satisfies a policy: `safejury gate`."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...common import ConfigurationError, SafejuryError
from ..console import AllowSkipped, RunPath, checking_record, guarded, say

if TYPE_CHECKING:
    from ...evaluation.gate import GateFiles, GateResult, Policy
    from ...evaluation.metrics import Thresholds

_SCREEN = Path("-")


_PolicyFile = Annotated[
    Path | None, typer.Option("--policy", metavar="FILE", help="The policy, a YAML file.")
]
_FailIf = Annotated[
    list[str] | None,
    typer.Option(
        "--fail-if",
        metavar="RULE",
        help="A rule such as `asr > 5%` or `delta(asr) > 2%`; repeatable.",
    ),
]
_BaselineRun = Annotated[
    Path | None,
    typer.Option("--baseline", metavar="RUN", help="The run that delta(...) compares with."),
]
_Force = Annotated[
    bool, typer.Option("--force", help="Compare with a baseline of another jury or other data.")
]
_Labels = Annotated[
    Path | None,
    typer.Option("--labels", metavar="FILE", help="Labels of this run's cases, for asr_corrected."),
]
_Card = Annotated[
    Path | None, typer.Option("--card", metavar="CARD", help="A jury card, for asr_corrected.")
]
_CheckedWithin = Annotated[
    float | None,
    typer.Option(
        "--card-checked-within",
        min=0,
        metavar="DAYS",
        help="Exit with 3 unless safejury recheck found the card's jury unchanged lately.",
    ),
]
_LeastCoverage = Annotated[
    float | None,
    typer.Option(
        "--min-coverage",
        min=0,
        max=1,
        metavar="FRACTION",
        help="Minimum fraction of planned cases with a verdict, else 3; the policy's, or 0.9.",
    ),
]
_LeastPanel = Annotated[
    float | None,
    typer.Option(
        "--min-panel",
        min=0,
        max=1,
        metavar="FRACTION",
        help="Minimum fraction of each juror's ballots that were not lost, else 3; as above.",
    ),
]
_Junit = Annotated[
    Path | None,
    typer.Option("--junit", metavar="FILE", help="Write JUnit XML, a test case a check."),
]
_Sarif = Annotated[
    Path | None,
    typer.Option("--sarif", metavar="FILE", help="Write SARIF, a result a check not passed."),
]
_SarifCases = Annotated[
    bool, typer.Option("--sarif-cases", help="Also write a SARIF result for each unsafe case.")
]
_Markdown = Annotated[
    Path | None,
    typer.Option(
        "--markdown",
        metavar="FILE",
        help="Write Markdown for a pull request; - for standard output.",
    ),
]
_Json = Annotated[
    Path | None, typer.Option("--json", metavar="FILE", help="Write everything as JSON.")
]


@guarded
def gate(
    run: RunPath,
    policy: _PolicyFile = None,
    fail_if: _FailIf = None,
    baseline: _BaselineRun = None,
    force: _Force = False,
    labels: _Labels = None,
    card: _Card = None,
    card_checked_within: _CheckedWithin = None,
    min_coverage: _LeastCoverage = None,
    min_panel: _LeastPanel = None,
    allow_skipped: AllowSkipped = False,
    junit: _Junit = None,
    sarif: _Sarif = None,
    sarif_cases: _SarifCases = False,
    markdown: _Markdown = None,
    json: _Json = None,
) -> int:
    """Decide whether a run satisfies a policy. No model is called.

    Exits with 0 if it does, 1 if a rule failed or cannot be told and nothing else is wrong, 3 if
    the run is not fit to be decided by: unfinished, changed, or with too few verdicts.
    """
    from ...evaluation.gate import GateFiles, Policy, failed_gate, read_policy, typed_rules
    from ...evaluation.gate import gate as decide

    if sarif_cases and sarif is None:
        raise ConfigurationError("--sarif-cases goes with --sarif FILE")
    on_screen = markdown == _SCREEN
    files = GateFiles(json, junit, sarif, None if on_screen else markdown, sarif_cases)
    files.check()
    wanted = Policy(())
    try:
        if policy is not None:
            wanted = read_policy(policy)
        wanted = replace(
            wanted,
            rules=(*wanted.rules, *typed_rules(fail_if or ())),
            baseline=baseline or wanted.baseline,
            force=force,
            labels=labels or (None if card else wanted.labels),
            card=card or (None if labels else wanted.card),
            thresholds=_thresholds(wanted, min_coverage, min_panel, allow_skipped),
        )
        if card_checked_within is not None:
            wanted = replace(wanted, card_checked_within=card_checked_within)
        with checking_record():
            result = decide(run, wanted)
    except SafejuryError as error:
        # A pipeline that reads only the files must not find those of an earlier gate.
        _write(failed_gate(run, wanted, error), files, on_screen=on_screen)
        raise
    _show(result, on_screen=on_screen)
    for path in files.write(result):
        say(f"Wrote {path}.")
    return result.exit_code


def _thresholds(
    policy: "Policy", coverage: float | None, panel: float | None, skipped: bool
) -> "Thresholds":
    """Return a policy's thresholds with those that were typed."""
    from ...evaluation.metrics import Thresholds

    least = policy.thresholds
    return Thresholds(
        least.min_coverage if coverage is None else coverage,
        least.min_panel if panel is None else panel,
        skipped or least.allow_skipped,
    )


def _show(result: "GateResult", *, on_screen: bool) -> None:
    """Print the table; to standard error where standard output is Markdown."""
    from rich.console import Console

    from ...evaluation.gate import gate_markdown, write_gate

    write_gate(result, Console(stderr=on_screen))
    if on_screen:
        sys.stdout.write(gate_markdown(result))


def _write(result: "GateResult", files: "GateFiles", *, on_screen: bool) -> None:
    from ...evaluation.gate import gate_markdown

    if on_screen:
        sys.stdout.write(gate_markdown(result))
    files.write(result)
