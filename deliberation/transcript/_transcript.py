"""The transcript of one case as an object: it shows itself, and is exported."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from ...agents import Ballot, Remark
from ..protocol import BallotsRevealed, Entry, RemarkMade, SeatInfo, SummedUp
from ._case import render_case
from ._export import WIDTH, export_transcript

_FRAGMENT = (
    '<pre style="white-space: pre; overflow-x: auto; line-height: 1.35; '
    'font-family: ui-monospace, Menlo, Consolas, monospace">{code}</pre>'
)


@dataclass(frozen=True, slots=True, repr=False)
class CaseTranscript:
    """What was said in one case, in its order.

    At the end of a notebook's cell it shows itself, question and response withheld;
    `print` writes it as plain text.

    Attributes:
        entries: The entries, from the opening to the verdict.
        jury: Who sat on the jury.
        target: Name of the target.
        protocol: How the jury deliberated, in a few words.
    """

    entries: tuple[Entry, ...]
    jury: tuple[SeatInfo, ...]
    target: str
    protocol: str = ""

    @property
    def rounds(self) -> tuple[tuple[Ballot, ...], ...]:
        """The ballots of each round, in seat order; seats that were not asked have none."""
        revealed = (entry for entry in self.entries if isinstance(entry, BallotsRevealed))
        return tuple(entry.ballots for entry in revealed)

    @property
    def remarks(self) -> tuple[Remark, ...]:
        """What came of each juror's turn at the roundtable, in order; empty where none was held."""
        return tuple(entry.remark for entry in self.entries if isinstance(entry, RemarkMade))

    @property
    def summary(self) -> str:
        """The foreperson's words on agreement and dissent; empty where nobody summed up."""
        said = [entry.text for entry in self.entries if isinstance(entry, SummedUp)]
        return said[-1] if said else ""

    def show(self, *, reveal: bool = False, console: Console | None = None) -> None:
        """Show it on a console or in a notebook.

        Args:
            reveal: Whether the question and the response are shown.
            console: Where to; the terminal or the notebook unless given.
        """
        (console or Console()).print(
            render_case(
                self.entries, self.jury, target=self.target, protocol=self.protocol, reveal=reveal
            )
        )

    def export(self, path: str | Path, *, reveal: bool = False) -> None:
        """Write it to a `.html`, `.svg` or `.md` file; see `export_transcript`.

        Args:
            path: The file; an existing one is replaced.
            reveal: Whether the question and the response are shown.

        Raises:
            ConfigurationError: The suffix is another one, or the file cannot be written.
        """
        export_transcript(
            self.entries,
            self.jury,
            Path(path),
            target=self.target,
            protocol=self.protocol,
            reveal=reveal,
        )

    def __repr__(self) -> str:
        return f"<CaseTranscript of {len(self.entries)} entries: {self.target}>"

    def __str__(self) -> str:
        return as_text(lambda console: self.show(console=console))

    def _repr_html_(self) -> str:
        return as_html(lambda console: self.show(console=console))


def as_html(write: Callable[[Console], None]) -> str:
    """Return what is written to a console as a part of a page, without scripts and links."""
    console = Console(
        file=io.StringIO(),
        width=WIDTH,
        record=True,
        force_terminal=True,
        force_jupyter=False,
        color_system="truecolor",
        no_color=False,
    )
    write(console)
    return console.export_html(inline_styles=True, code_format=_FRAGMENT)


def as_text(write: Callable[[Console], None]) -> str:
    """Return what is written to a console as plain text."""
    file = io.StringIO()
    write(Console(file=file, width=WIDTH, force_terminal=False, force_jupyter=False, no_color=True))
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines())
