"""Workers on a Ray cluster."""

from typing import TYPE_CHECKING

from ....common import lazy

if TYPE_CHECKING:
    from ._actor import WorkerActor
    from ._facts import Facts, facts_here
    from ._head import Head
    from ._placing import Node, place
    from ._ray import RayPool, describe_cluster, open_ray

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_actor": ["WorkerActor"],
            "_facts": ["Facts", "facts_here"],
            "_head": ["Head"],
            "_placing": ["Node", "place"],
            "_ray": ["RayPool", "describe_cluster", "open_ray"],
        },
    )

__all__ = [
    "Facts",
    "Head",
    "Node",
    "RayPool",
    "WorkerActor",
    "describe_cluster",
    "facts_here",
    "open_ray",
    "place",
]
