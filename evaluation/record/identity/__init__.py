"""By what a run is known: its settings as plain data, compared and joined."""

from ._differences import differences
from ._lasting import Joined, join_identities, plain, without_places
from ._plain import host_of, known_by_name, without_secrets

__all__ = [
    "Joined",
    "differences",
    "host_of",
    "join_identities",
    "known_by_name",
    "plain",
    "without_places",
    "without_secrets",
]
