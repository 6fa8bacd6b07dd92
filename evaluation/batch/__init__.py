"""Judges cases through a provider's batch API: export the requests, import the replies."""

from typing import TYPE_CHECKING

from ...common import lazy

if TYPE_CHECKING:
    from ._export import export_batch
    from ._files import Limits, Place
    from ._id import Unsupported
    from ._import import Imported, import_batch
    from ._manifest import Exported, asked_live
    from ._open import open_run

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_export": ["export_batch"],
            "_files": ["Limits", "Place"],
            "_id": ["Unsupported"],
            "_import": ["Imported", "import_batch"],
            "_manifest": ["Exported", "asked_live"],
            "_open": ["open_run"],
        },
    )

__all__ = [
    "Exported",
    "Imported",
    "Limits",
    "Place",
    "Unsupported",
    "asked_live",
    "export_batch",
    "import_batch",
    "open_run",
]
