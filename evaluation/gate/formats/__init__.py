"""Writes what a gate decided: a table, JSON, JUnit XML, SARIF, Markdown."""

from ._files import GateFiles
from ._json import gate_json
from ._junit import gate_junit
from ._markdown import gate_markdown
from ._sarif import gate_sarif
from ._screen import write_gate

__all__ = [
    "GateFiles",
    "gate_json",
    "gate_junit",
    "gate_markdown",
    "gate_sarif",
    "write_gate",
]
