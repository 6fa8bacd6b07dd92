"""Shared by all parts: errors, concurrency, lazy imports, files and text."""

from typing import TYPE_CHECKING

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
from ._lazy import lazy
from ._no_items import no_items

if TYPE_CHECKING:
    from ._agreement import Coincidences, krippendorff_alpha
    from ._clock import seconds_since_boot
    from ._concurrency import first_failure, in_parallel
    from ._extras import import_extra, install_command, require
    from ._memory import memory_bytes
    from ._own_code import import_named
    from .files import PromptFolder
    from .text import escape_controls, escape_line

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_agreement": ["Coincidences", "krippendorff_alpha"],
            "_clock": ["seconds_since_boot"],
            "_concurrency": ["first_failure", "in_parallel"],
            "_extras": ["import_extra", "install_command", "require"],
            "_memory": ["memory_bytes"],
            "_own_code": ["import_named"],
            "files": ["PromptFolder"],
            "text": ["escape_controls", "escape_line"],
        },
    )

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
    "memory_bytes",
    "no_items",
    "require",
    "seconds_since_boot",
]
