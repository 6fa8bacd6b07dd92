"""By what a run is known: its settings as plain data, compared and joined."""

from ._differences import differences
from ._lasting import (
    Joined,
    join_identities,
    joined,
    lasting_changes,
    plain,
    without_places,
)
from ._plain import host_of, known_by_name, without_secrets

__all__ = [
    "Joined",
    "differences",
    "host_of",
    "join_identities",
    "joined",
    "known_by_name",
    "lasting_changes",
    "plain",
    "without_places",
    "without_secrets",
]
