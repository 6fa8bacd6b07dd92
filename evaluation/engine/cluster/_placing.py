"""Plans which node of a cluster each managed server runs on, before anything starts."""

from collections.abc import Sequence
from dataclasses import dataclass

from ....common import ConfigurationError
from ....common.text import many, quoted
from ....targets import ServerUse


@dataclass(frozen=True, slots=True)
class Node:
    """A node that is alive.

    Attributes:
        id: Its id in the cluster.
        name: The machine's name.
        address: Where other nodes reach it.
        cpus: CPUs that it offers.
        gpus: GPUs that it offers.
    """

    id: str
    name: str
    address: str = ""
    cpus: int = 0
    gpus: int = 0


@dataclass(frozen=True, slots=True)
class Placed:
    """A server and its node.

    Attributes:
        use: The server.
        node: Where it runs.
        gpus: How many GPUs it takes there, whole ones; 0 is the CPU.
    """

    use: ServerUse
    node: Node
    gpus: int

    def __str__(self) -> str:
        """Say what runs where, on one line."""
        on = many(self.gpus, "GPU") if self.gpus else "the CPU"
        model = self.use.spec.model
        return f"{self.use.name}: {model} on {on} of {self.node.name}, for the whole run"


def place(uses: Sequence[ServerUse], nodes: Sequence[Node]) -> list[Placed]:
    """Return the node of each server, all at once and each on one, in the order of `uses`.

    The largest is placed first, each on the node with the least room that will do, so that
    whole nodes stay whole. A server takes a CPU beside its GPUs, and one CPU of the cluster is
    left for a worker.

    Raises:
        ConfigurationError: They do not fit all at once; says which.
    """
    has_gpus = any(node.gpus for node in nodes)
    free = {node.id: (node.gpus, node.cpus) for node in nodes}
    found = dict[str, Placed]()
    for use in sorted(uses, key=lambda use: -_needs(use, has_gpus)):
        count = _needs(use, has_gpus)
        fitting = [node for node in nodes if free[node.id][0] >= count and free[node.id][1] >= 1]
        if not fitting:
            raise _no_room(use, count, nodes, list(found.values()))
        node = min(fitting, key=lambda node: (free[node.id][0], -free[node.id][1], node.id))
        gpus, cpus = free[node.id]
        free[node.id] = gpus - count, cpus - 1
        found[use.name] = Placed(use, node, count)
    if uses and not any(cpus for _, cpus in free.values()):
        raise ConfigurationError(
            f"the cluster has {many(sum(node.cpus for node in nodes), 'CPU')}, and "
            f"{many(len(uses), 'server')} take one each: none is left for a worker; add a node"
        )
    return [found[use.name] for use in uses]


def _needs(use: ServerUse, has_gpus: bool) -> int:
    """Return how many GPUs a server needs; 0 is the CPU."""
    if use.spec.gpus is not None:
        return use.spec.gpus
    return use.spec.parallel if has_gpus else 0


def _no_room(
    use: ServerUse, count: int, nodes: Sequence[Node], placed: Sequence[Placed]
) -> ConfigurationError:
    held = {node.id: [one for one in placed if one.node.id == node.id] for node in nodes}
    there = ", ".join(
        f"{node.name} has {many(node.gpus, 'GPU')} and {many(node.cpus, 'CPU')}"
        + "".join(f", {one.gpus} and 1 with {one.use.name}" for one in held[node.id])
        for node in nodes
    )
    wanted = f"{many(count, 'GPU')} and a CPU" if count else "a CPU"
    return ConfigurationError(
        f"the server {quoted(use.name)} needs {wanted} of one node, and no node has that left "
        f"({there}): on a cluster all servers run at once, so add a node, lower `gpus:`, or run "
        "fewer targets at a time"
    )
