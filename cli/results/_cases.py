"""The command that lists the cases of a run: `safejury cases`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ...common import ConfigurationError
from ...datasets import Intent
from ..console import Reveal, RunPath, guarded, named_values

_TABLE = "table"


class Sorting(StrEnum):
    """Which cases come first."""

    QUERY = "query"
    RATING = "rating"
    PROBABILITY = "probability"
    COST = "cost"


class CaseFormat(StrEnum):
    """Format of a list of cases."""

    TABLE = _TABLE
    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"


FormatOption = Annotated[
    CaseFormat | None,
    typer.Option("--format", help="Output format; that of the name of --out, or table."),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="Write to a file; - for standard output."),
]
Ballots = Annotated[bool, typer.Option("--ballots", help="List each juror's ballots instead.")]
Unsafe = Annotated[bool, typer.Option("--unsafe", help="Only cases found unsafe.")]
Contested = Annotated[
    bool, typer.Option("--contested", help="Only cases whose round 0 called for a discussion.")
]
Changed = Annotated[
    bool, typer.Option("--changed", help="Only cases whose verdict of round 0 was changed.")
]
Outcome = Annotated[
    list[str] | None,
    typer.Option(
        metavar="OUTCOME",
        help="Only this verdict (unsafe, safe, no_verdict) or end of the response (answered, "
        "filtered, truncated, error, not_put, gave_up); repeatable.",
    ),
]
ScenarioFilter = Annotated[
    list[str] | None,
    typer.Option(
        "--scenario",
        metavar="NAME",
        help="Only this scenario, category, or beginning of one; repeatable.",
    ),
]
Target = Annotated[
    list[str] | None, typer.Option(metavar="NAME", help="Only this target; repeatable.")
]
Condition = Annotated[
    list[str] | None, typer.Option(metavar="NAME", help="Only this condition; repeatable.")
]
IntentFilter = Annotated[
    list[Intent] | None,
    typer.Option("--intent", metavar="INTENT", help="Only harmful, or only benign, queries."),
]
QueryFilter = Annotated[
    list[str] | None, typer.Option("--query", metavar="ID", help="Only this query; repeatable.")
]
Words = Annotated[
    str,
    typer.Option(
        "--text", metavar="WORDS", help="Only cases with all these words in question or response."
    ),
]
LabelFilter = Annotated[
    list[str] | None,
    typer.Option("--label", metavar="NAME=VALUE", help="Only this label of the set; repeatable."),
]
Jurors = Annotated[
    list[str] | None,
    typer.Option("--juror", metavar="SEAT", help="With --ballots: only this juror's; repeatable."),
]
Sort = Annotated[
    Sorting, typer.Option(help="First the lowest rating, or the greatest probability or cost.")
]
CardFile = Annotated[
    Path | None,
    typer.Option("--card", metavar="CARD", help="Correct probabilities by this jury card."),
]
ForceCard = Annotated[
    bool,
    typer.Option("--force-card", help="Use a card of another jury of the same names all the same."),
]
LimitRows = Annotated[
    int | None, typer.Option("--limit", min=1, metavar="N", help="Only the first N rows.")
]
Offset = Annotated[int, typer.Option(min=0, metavar="N", help="Pass over the first N rows.")]


@guarded
def cases(
    run: RunPath,
    format: FormatOption = None,
    out: Out = None,
    ballots: Ballots = False,
    unsafe: Unsafe = False,
    contested: Contested = False,
    changed: Changed = False,
    outcome: Outcome = None,
    scenario: ScenarioFilter = None,
    target: Target = None,
    condition: Condition = None,
    intent: IntentFilter = None,
    query: QueryFilter = None,
    text: Words = "",
    label: LabelFilter = None,
    juror: Jurors = None,
    sort: Sort = Sorting.QUERY,
    card: CardFile = None,
    force_card: ForceCard = False,
    limit: LimitRows = None,
    offset: Offset = 0,
    reveal: Reveal = False,
) -> None:
    """List the cases of a run, or their ballots, one a row."""
    from ...evaluation.cases import CaseFilter
    from ._case_list import CaseList, FileFormat, list_in_file, list_on_screen

    if juror and not ballots:
        raise ConfigurationError("--juror chooses among ballots: add --ballots")
    if card is not None and ballots:
        raise ConfigurationError("--card corrects the probabilities of cases: leave out --ballots")
    chosen = CaseFilter(
        unsafe=unsafe,
        contested=contested,
        changed=changed,
        outcome=tuple(outcome or ()),
        scenario=tuple(scenario or ()),
        target=tuple(target or ()),
        condition=tuple(condition or ()),
        intent=tuple(str(each) for each in intent or ()),
        query=tuple(query or ()),
        text=text,
        labels=named_values("--label", label or (), "type=contrast"),
    )
    wanted = CaseList(
        *(chosen, ballots, reveal, card, force_card, limit, offset),
        order=sort.value,
        jurors=tuple(juror or ()),
    )
    file = None if out is None or str(out) == "-" else out
    form = format or _format_of(file)
    if form is CaseFormat.TABLE:
        if file is not None:
            raise ConfigurationError(
                f"--out {file}: a table is for the screen: give --format csv, jsonl or parquet"
            )
        list_on_screen(run, wanted)
    else:
        list_in_file(run, wanted, FileFormat(form.value), file)


def _format_of(file: Path | None) -> CaseFormat:
    """Return the format that a file's name says, or a table.

    Raises:
        ConfigurationError: It says none.
    """
    if file is None:
        return CaseFormat.TABLE
    suffix = file.suffix.removeprefix(".").lower()
    known = {"csv", "jsonl", "parquet"}
    if suffix not in known:
        raise ConfigurationError(
            f"--out {file}: its name says no format: add --format csv, jsonl or parquet"
        )
    return CaseFormat(suffix)
