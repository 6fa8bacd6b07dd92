"""The command that measures a jury by labels: `safejury calibrate`."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...common import ConfigurationError
from ...common.text import many, quoted
from ..console import SafeWords, UnsafeWords, busy, guarded, named_values, say

if TYPE_CHECKING:
    from ...deliberation import Cost, JuryCard
    from ...evaluation.trust import Source, Words

LabelsFile = Annotated[
    Path,
    typer.Option(
        "--labels",
        metavar="FILE",
        help="Labels, JSONL or CSV: case, label, and annotator where there are several.",
    ),
]
_Groups = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN", help="With --ballots: the column that tells which cases go together."
    ),
]
_Costs = Annotated[
    str | None,
    typer.Option(
        metavar="miss=N,false_alarm=N",
        help="What errors cost, which sets the threshold of the rule calibrated; by default it "
        "maximizes F1.",
    ),
]
_EXAMPLE = "miss=5,false_alarm=1"


@guarded
def calibrate(
    labels: LabelsFile,
    run: Annotated[
        Path | None, typer.Argument(metavar="RUN", help="A finished run, such as runs/first.")
    ] = None,
    ballots: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Recorded votes instead of a run, JSONL or CSV."),
    ] = None,
    card: Annotated[
        Path | None,
        typer.Option(metavar="CARD", help="Score this jury card on the cases; make none."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Where to write jury-card.json and jury-card.md: by default the run's directory, "
            "with --ballots the current one.",
        ),
    ] = None,
    unsafe_word: UnsafeWords = None,
    safe_word: SafeWords = None,
    groups: _Groups = None,
    without: Annotated[
        list[str] | None,
        typer.Option(metavar="JUROR", help="Leave out a juror; repeatable."),
    ] = None,
    cost: _Costs = None,
    resamples: Annotated[
        int, typer.Option(min=100, max=100_000, metavar="N", help="Resamples behind intervals.")
    ] = 1000,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Seed of what is random.")] = 0,
    unfinished: Annotated[
        bool, typer.Option("--unfinished", help="Take what there is of an unfinished run.")
    ] = False,
) -> None:
    """Measure a jury by labels, and write its jury card. No model is called."""
    from ...common import require

    require("safejury calibrate", "sklearn")
    from ...deliberation import read_card
    from ...evaluation.report import check_card_folder
    from ...evaluation.trust import Words, calibrate_jury, read_labels, score_jury_card
    from ...evaluation.trust.recheck import keep_sample

    words, costs = Words(unsafe_word or (), safe_word or ()), _cost(cost, card)
    known = None if card is None else read_card(card)
    asked = _Votes(run, ballots, groups, tuple(without or ()), unfinished)
    with busy("Reading votes and labels …"):
        labeled = read_labels(labels, words=words)
        source = asked.read(words)
    folder = out or run or Path()
    check_card_folder(folder, source.jury, scored=known)
    with busy("Measuring the jury …"):
        if known is None:
            found = calibrate_jury(source, labeled, cost=costs, resamples=resamples, seed=seed)
        else:
            found = score_jury_card(known, source, labeled, resamples=resamples, seed=seed)
    if known is None and run is not None:
        found = keep_sample(found, run, labeled, folder)
    _write(found, folder)


def _write(card: "JuryCard", folder: Path) -> None:
    """Write a card and its page, show it, and say what was written."""
    from rich.console import Console

    from ...evaluation.report import save_card, write_card_table

    written = save_card(card, folder)
    write_card_table(card, Console())
    say(f"Wrote {written[0]}, and {written[1]}, which says more.")
    if card.sample is not None:
        kept = many(card.sample.cases, "case")
        say(f"Kept {kept} in {folder / card.sample.file}, for: safejury recheck {written[0]}")


@dataclass(frozen=True, slots=True)
class _Votes:
    """Where votes are to be read from."""

    run: Path | None
    ballots: Path | None
    groups: str | None
    without: Sequence[str]
    unfinished: bool

    def read(self, words: "Words") -> "Source":
        """Read them.

        Raises:
            ConfigurationError: Options do not go together, or the votes cannot be read.
        """
        from ...evaluation.trust import read_run_votes, read_votes

        if (self.run is None) == (self.ballots is None):
            raise ConfigurationError(
                "name a run, such as runs/first, or a file of votes with --ballots: one of them"
            )
        if self.ballots is not None:
            if self.unfinished:
                raise ConfigurationError("--unfinished goes with a run: leave it out")
            return read_votes(self.ballots, words=words, groups=self.groups, without=self.without)
        assert self.run is not None
        if self.groups is not None:
            raise ConfigurationError(
                "--groups goes with --ballots: the cases of a run are grouped by their query"
            )
        return read_run_votes(self.run, without=self.without, unfinished=self.unfinished)


def _cost(said: str | None, card: Path | None) -> "Cost | None":
    """Parse what errors cost, such as `miss=5,false_alarm=1`.

    Raises:
        ConfigurationError: It is written otherwise, or a cost is not above 0.
    """
    from ...deliberation import Cost

    if said is None:
        return None
    if card is not None:
        raise ConfigurationError("--cost goes into a card when it is made: leave out --card or it")
    values = named_values("--cost", said.split(","), _EXAMPLE)
    if values.keys() != {"miss", "false_alarm"}:
        raise ConfigurationError(f"--cost {quoted(said)}: write it as {_EXAMPLE}")
    try:
        numbers = {name: float(value) for name, value in values.items()}
    except ValueError:
        raise ConfigurationError(f"--cost {quoted(said)}: write it as {_EXAMPLE}") from None
    if not all(isfinite(number) and number > 0 for number in numbers.values()):
        raise ConfigurationError(
            f"--cost {quoted(said)}: both costs must be above 0; only their ratio counts"
        )
    return Cost(**numbers)
