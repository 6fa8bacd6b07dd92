"""Shows transcripts: live, replayed, and exported to files."""

from typing import TYPE_CHECKING

from ...common import lazy

if TYPE_CHECKING:
    from ._ballots import audit_words
    from ._blocks import case_titles
    from ._case import TranscriptBlocks, render_case
    from ._export import check_export_path, export_transcript
    from ._guards import asides, named, no_reason
    from ._live import LiveView
    from ._look import Block, Look
    from ._progress import Progress
    from ._tools import tool_lines
    from ._transcript import CaseTranscript, as_html, as_text

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_ballots": ["audit_words"],
            "_blocks": ["case_titles"],
            "_case": ["TranscriptBlocks", "render_case"],
            "_export": ["check_export_path", "export_transcript"],
            "_guards": ["asides", "named", "no_reason"],
            "_live": ["LiveView"],
            "_look": ["Block", "Look"],
            "_progress": ["Progress"],
            "_tools": ["tool_lines"],
            "_transcript": ["CaseTranscript", "as_html", "as_text"],
        },
    )

__all__ = [
    "Block",
    "CaseTranscript",
    "LiveView",
    "Look",
    "Progress",
    "TranscriptBlocks",
    "as_html",
    "as_text",
    "asides",
    "audit_words",
    "case_titles",
    "check_export_path",
    "export_transcript",
    "named",
    "no_reason",
    "render_case",
    "tool_lines",
]
