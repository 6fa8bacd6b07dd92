"""Shared by all parts: errors, concurrency, lazy imports, files and text."""

from ._agreement import Coincidences, krippendorff_alpha
from ._concurrency import first_failure, in_parallel
from ._errors import (
    BadReplyError,
    BudgetError,
    ConfigurationError,
    DatasetError,
    FirstContactError,
    ModelError,
    OutageError,
    OutOfBudgetError,
    PanelRefusedError,
    RateLimitError,
    RecordChangedError,
    RecordError,
    RequestError,
    SafejuryError,
    TransportError,
)
from ._extras import import_extra, install_command, require
from ._lazy import lazy
from ._own_code import import_named
from .files import PromptFolder
from .text import escape_controls, escape_line

__all__ = [
    "BadReplyError",
    "BudgetError",
    "Coincidences",
    "ConfigurationError",
    "DatasetError",
    "FirstContactError",
    "ModelError",
    "OutOfBudgetError",
    "OutageError",
    "PanelRefusedError",
    "PromptFolder",
    "RateLimitError",
    "RecordChangedError",
    "RecordError",
    "RequestError",
    "SafejuryError",
    "TransportError",
    "escape_controls",
    "escape_line",
    "first_failure",
    "import_extra",
    "import_named",
    "in_parallel",
    "install_command",
    "krippendorff_alpha",
    "lazy",
    "require",
]
