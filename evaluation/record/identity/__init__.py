"""By what a run is known: its settings as plain data, compared and joined."""

from ._differences import differences
from ._lasting import (
    SELECTS,
    Joined,
    join_identities,
    joined,
    lasting_changes,
    plain,
    selects_others,
    without_places,
)
from ._plain import host_of, known_by_name, without_secrets
from ._pruned import PRUNED, Pruned, describe_pruned, written_notes
from ._shared import SHARED, Kept, Shared, kept_in, refuse_shared

__all__ = [
    "PRUNED",
    "SELECTS",
    "SHARED",
    "Joined",
    "Kept",
    "Pruned",
    "Shared",
    "describe_pruned",
    "differences",
    "host_of",
    "join_identities",
    "joined",
    "kept_in",
    "known_by_name",
    "lasting_changes",
    "plain",
    "refuse_shared",
    "selects_others",
    "without_places",
    "without_secrets",
    "written_notes",
]
