"""Writes reports as tables, Markdown, CSV and JSON."""

from typing import TYPE_CHECKING

from ...common import lazy

if TYPE_CHECKING:
    from ._grid import Cell, Column, Grid, in_its_encoding, write_lines
    from ._health import health_warnings
    from ._of_run import notes_on, said_of, write_table, written_report
    from ._report import report_csv, report_data, report_json, report_markdown
    from ._stored import StoredRun
    from ._table import report_table
    from ._words import describe_unchained, inline, markdown_table
    from .card import card_markdown, check_card_folder, is_too_weak, save_card, write_card_table
    from .corrected import Correction

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_of_run": ["notes_on", "said_of", "write_table", "written_report"],
            "corrected": ["Correction"],
            "_grid": ["Cell", "Column", "Grid", "in_its_encoding", "write_lines"],
            "_health": ["health_warnings"],
            "_report": ["report_csv", "report_data", "report_json", "report_markdown"],
            "_stored": ["StoredRun"],
            "_table": ["report_table"],
            "_words": ["describe_unchained", "inline", "markdown_table"],
            "card": [
                "card_markdown",
                "check_card_folder",
                "is_too_weak",
                "save_card",
                "write_card_table",
            ],
        },
    )

__all__ = [
    "Cell",
    "Column",
    "Correction",
    "Grid",
    "StoredRun",
    "card_markdown",
    "check_card_folder",
    "describe_unchained",
    "health_warnings",
    "in_its_encoding",
    "inline",
    "is_too_weak",
    "markdown_table",
    "notes_on",
    "report_csv",
    "report_data",
    "report_json",
    "report_markdown",
    "report_table",
    "said_of",
    "save_card",
    "write_card_table",
    "write_lines",
    "write_table",
    "written_report",
]
