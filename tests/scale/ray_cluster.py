"""A Ray cluster on loopback, of nodes that come and go."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest

_UP_S = 90.0
_SETTINGS = {
    "RAY_AUTH_MODE": "disabled",
    "RAY_health_check_initial_delay_ms": "1000",
    "RAY_health_check_period_ms": "1000",
}
"""Else a token that another cluster of this account once made would be asked for, and it would
take a quarter of a minute until a node that is gone is known to be."""


@dataclass(slots=True)
class Node:
    """One node: the process that keeps it, and all that this started."""

    process: subprocess.Popen[bytes]

    def kill(self) -> None:
        """Take the node away, as a machine that is switched off."""
        everything = [*psutil.Process(self.process.pid).children(recursive=True)]
        for each in (psutil.Process(self.process.pid), *everything):
            with suppress(psutil.NoSuchProcess):
                each.kill()
        self.process.wait()


@dataclass(slots=True)
class RayCluster:
    """A cluster, at first of two nodes with one CPU each.

    Attributes:
        address: Where it is.
        folder: Its files; a short path, since sockets lie there.
    """

    address: str
    folder: Path
    nodes: list[Node] = field(default_factory=list[Node])

    def add_node(self, *, cpus: int = 1, gpus: int = 0, **environment: str) -> Node:
        """Start a node and wait until it is there; its GPUs are a number that Ray is told."""
        place = [f"--address={self.address}"]
        if not self.nodes:
            port = self.address.rpartition(":")[2]
            place = ["--head", f"--port={port}", f"--temp-dir={self.folder}"]
            place += ["--include-dashboard=false"]
        options = [
            *("--block", f"--num-cpus={cpus}", f"--num-gpus={gpus}"),
            "--node-ip-address=127.0.0.1",
            *("--disable-usage-stats", "--object-store-memory=80000000"),
        ]
        said = self.folder / f"{len(self.nodes)}.out"
        inherited = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        with said.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "ray.scripts.scripts", "start", *place, *options],
                cwd=self.folder,
                env={**inherited, "PYTHONSAFEPATH": "1", **_SETTINGS, **environment},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.nodes.append(Node(process))
        # It says so once the node has taken its place in the cluster.
        until(lambda: process.poll() is not None or "started." in said.read_text(), _UP_S)
        assert process.poll() is None, said.read_text()
        return self.nodes[-1]

    def workers(self) -> list[psutil.Process]:
        """Return the processes of workers of any run."""
        found = list[psutil.Process]()
        for node in self.nodes:
            with suppress(psutil.NoSuchProcess):
                for child in psutil.Process(node.process.pid).children(recursive=True):
                    with suppress(psutil.NoSuchProcess):
                        if "WorkerActor" in " ".join(child.cmdline()):
                            found.append(child)
        return found

    def stop(self) -> None:
        """End all of it."""
        for node in reversed(self.nodes):
            if node.process.poll() is None:
                node.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def until(is_so: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait until something is so, and fail where it never is."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)


@contextmanager
def ray_cluster(nodes: int = 2) -> Generator[RayCluster]:
    """Start a cluster of nodes with one CPU each; skip aloud where Ray is not installed."""
    if find_spec("ray") is None:
        if os.environ.get("SAFEJURY_REQUIRE_RAY") == "1":
            pytest.fail("Ray is not installed: make scale")
        pytest.skip("Ray is not installed: make scale")
    folder = Path(tempfile.mkdtemp(prefix="sjray"))
    cluster = RayCluster(f"127.0.0.1:{_free_port()}", folder)
    try:
        for _ in range(nodes):
            cluster.add_node()
        yield cluster
    finally:
        cluster.stop()
