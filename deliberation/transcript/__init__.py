"""Transcripts: live view, replay and export."""

from ._case import render_case
from ._export import check_export_path, export_transcript
from ._live import LiveView

__all__ = [
    "LiveView",
    "check_export_path",
    "export_transcript",
    "render_case",
]
