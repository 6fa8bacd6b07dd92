"""Shows transcripts: live, replayed, and exported to files."""

from ._ballots import audit_words
from ._blocks import titles as case_titles
from ._case import TranscriptBlocks, render_case
from ._export import check_export_path, export_transcript
from ._guards import asides, named, no_reason
from ._live import LiveView
from ._look import Block, Look
from ._progress import Progress
from ._tools import tool_lines
from ._transcript import CaseTranscript, as_html, as_text

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
