"""Shows transcripts: live, replayed, and exported to files."""

from ._case import render_case
from ._export import check_export_path, export_transcript
from ._live import LiveView
from ._transcript import CaseTranscript, as_html, as_text

__all__ = [
    "CaseTranscript",
    "LiveView",
    "as_html",
    "as_text",
    "check_export_path",
    "export_transcript",
    "render_case",
]
