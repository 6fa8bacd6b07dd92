"""Leaderboards as tables: on a screen, in Markdown, LaTeX, CSV and JSON."""

from typing import TYPE_CHECKING

from ....common import lazy

if TYPE_CHECKING:
    from ._beside import beside_tables
    from ._columns import COLUMNS, leaderboard_table, part_table, read_columns
    from ._latex import as_latex
    from ._plain import as_csv, as_json, as_markdown
    from ._screen import show_tables
    from ._table import BoardTable

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_beside": ["beside_tables"],
            "_columns": ["COLUMNS", "leaderboard_table", "part_table", "read_columns"],
            "_latex": ["as_latex"],
            "_plain": ["as_csv", "as_json", "as_markdown"],
            "_screen": ["show_tables"],
            "_table": ["BoardTable"],
        },
    )

__all__ = [
    "COLUMNS",
    "BoardTable",
    "as_csv",
    "as_json",
    "as_latex",
    "as_markdown",
    "beside_tables",
    "leaderboard_table",
    "part_table",
    "read_columns",
    "show_tables",
]
