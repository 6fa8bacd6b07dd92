"""Writes tables of a leaderboard in LaTeX, with booktabs."""

from collections.abc import Iterator, Sequence

from ....common import escape_line
from ....common.text import MISSING
from ._table import BoardTable, Cell, Heading, said, said_interval

_ESCAPED = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\{",
        "}": r"\}",
        "$": r"\$",
        "&": r"\&",
        "#": r"\#",
        "_": r"\_",
        "%": r"\%",
        "^": r"\textasciicircum{}",
        "~": r"\textasciitilde{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        '"': r"\textquotedbl{}",
        "'": r"\textquotesingle{}",
        "`": r"\textasciigrave{}",
        MISSING: "--",
        "\N{MINUS SIGN}": r"$-$",
        "\N{PLUS-MINUS SIGN}": r"$\pm$",
        "\N{GREATER-THAN OR EQUAL TO}": r"$\geq$",
        "\N{HORIZONTAL ELLIPSIS}": r"\ldots{}",
        "\N{MIDDLE DOT}": r"\textperiodcentered{}",
    }
)
_WIDE = 7
"""Columns from which a table takes the whole width of a page."""


def escape_latex(text: str) -> str:
    """Return text as LaTeX that shows it, on one line."""
    return escape_line(text).translate(_ESCAPED)


def as_latex(tables: Sequence[BoardTable], notes: Sequence[str] = ()) -> str:
    """Write tables for LaTeX.

    Args:
        tables: The tables.
        notes: What a reader must know first, a sentence each.
    """
    lines = [r"% Needs \usepackage{booktabs} and, for accents and quotes, \usepackage[T1]{fontenc}"]
    lines += [r"% and \usepackage{textcomp}; wide tables are made to fit by \usepackage{graphicx}."]
    lines += [f"% {escape_line(note)}" for note in notes]
    for table in tables:
        lines += ["", *_table(table.shown(), notes)]
    return "".join(f"{line}\n" for line in lines)


def _table(table: BoardTable, notes: Sequence[str]) -> Iterator[str]:
    wide = len(table.columns) >= _WIDE
    kind = "table*" if wide else "table"
    caption = " ".join((table.caption, *notes))
    yield rf"\begin{{{kind}}}"
    yield r"\centering"
    yield rf"\caption{{{escape_latex(caption)}}}"
    yield rf"\label{{tab:{table.name.replace('_', '-')}}}"
    if wide:
        yield r"\resizebox{\textwidth}{!}{%"
    yield rf"\begin{{tabular}}{{l{''.join(_aligned(column) for column in table.columns)}}}"
    yield r"\toprule"
    heads = ("target", *(column.title for column in table.columns))
    yield f"{' & '.join(map(escape_latex, heads))} \\\\"
    yield r"\midrule"
    for name, row in zip(table.names, table.rows, strict=True):
        cells = (_cell(cell, column) for cell, column in zip(row, table.columns, strict=True))
        yield f"{' & '.join((escape_latex(name), *cells))} \\\\"
    yield r"\bottomrule"
    yield r"\end{tabular}" + ("}" if wide else "")
    yield rf"\end{{{kind}}}"


def _aligned(column: Heading) -> str:
    return "l" if column.kind == "text" else "r"


def _cell(cell: Cell, column: Heading) -> str:
    text = escape_latex(said(cell, column.kind))
    text = rf"\textbf{{{text}}}" if cell.best else text
    ends = said_interval(cell, column.kind) if column.kind != "pair" else None
    return text if ends is None else rf"{text} {{\scriptsize ({escape_latex(ends)})}}"
