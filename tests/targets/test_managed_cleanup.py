"""However safejury ends, no server and nothing that a server started is left behind."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from pathlib import Path

import psutil
import pytest

from safejury.common import FirstContactError
from safejury.targets import Devices, Fleet, ManagedServer, ServerUse, VllmSpec

pytestmark = pytest.mark.slow

Fake = Callable[..., VllmSpec]
Survivors = Callable[[], list[int]]
Proc = Callable[[int, str], list[bytes]]
Eventually = Callable[[Callable[[], object]], None]

SCRIPT = """
import asyncio, json, os, sys
from pathlib import Path
from safejury.targets import Devices, Fleet, ServerUse, VllmSpec

order = json.loads(sys.argv[1])
spec = VllmSpec.of(order["model"], env=order["env"])

async def main():
    uses = [ServerUse(name, spec, keep=True) for name in ("a", "b")]
    folder, grace = Path(order["folder"]), order["grace"]
    async with Fleet(
        uses, Devices(), folder=folder, notify=lambda line: None, grace=grace
    ) as fleet:
        for name in fleet.names:
            await fleet.ready(name)
        print("ready", flush=True)
        if order["fails"]:
            raise RuntimeError("something else went wrong")
        await asyncio.Event().wait()

if order["dies"]:  # as if it were killed just when the first server's watchdog is to start
    import subprocess
    subprocess.Popen = lambda *_, **__: os.kill(os.getpid(), 9)
if order["uvloop"]:
    import uvloop
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
else:
    asyncio.run(main())
"""
# Server, its watchdog and its child; two servers.
ALL = 6


@pytest.fixture
def run(
    model_folder: Path, fake_env: dict[str, str], tmp_path: Path
) -> Generator[Callable[..., subprocess.Popen[str]]]:
    """Run a fleet of two in a process of its own, whose environment bears no mark."""
    running = list[subprocess.Popen[str]]()

    def started(
        fails: bool = False,
        uvloop: bool = False,
        dies: bool = False,
        grace: float = 0.3,
        **fakes: object,
    ) -> subprocess.Popen[str]:
        env = fake_env | {f"FAKE_{name.upper()}": str(value) for name, value in fakes.items()}
        order = {"model": str(model_folder), "env": env, "folder": str(tmp_path / "logs")}
        order |= {"fails": fails, "uvloop": uvloop, "dies": dies, "grace": grace}
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", SCRIPT, json.dumps(order)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        running.append(process)
        return process

    yield started
    for process in running:
        process.kill()
        process.communicate()


def _shared(name: str) -> list[Path]:
    """Return what is there in shared memory under a name."""
    return list(Path("/dev/shm").glob(f"{name}*"))


def _ready(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"


@pytest.mark.parametrize("uvloop", [False, True])
def test_ctrl_c_leaves_nothing(
    run: Callable[..., subprocess.Popen[str]], survivors: Survivors, uvloop: bool
) -> None:
    process = run(uvloop=uvloop, child=1, stubborn=1)
    _ready(process)
    assert len(survivors()) == ALL
    process.send_signal(signal.SIGINT)
    assert "KeyboardInterrupt" in process.communicate(timeout=60)[1]
    assert survivors() == []


@pytest.mark.parametrize("uvloop", [False, True])
def test_an_impatient_second_ctrl_c_leaves_nothing(
    run: Callable[..., subprocess.Popen[str]],
    survivors: Survivors,
    eventually: Eventually,
    uvloop: bool,
) -> None:
    """The loop is torn down while servers still have time to end."""
    process = run(uvloop=uvloop, child=1, stubborn=1, grace=1.0)
    _ready(process)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    eventually(lambda: survivors() == [])


def test_ctrl_c_during_the_start_leaves_nothing(
    run: Callable[..., subprocess.Popen[str]], survivors: Survivors, eventually: Eventually
) -> None:
    process = run(child=1, never=1)
    eventually(lambda: len(survivors()) == ALL)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert survivors() == []


def test_an_exception_leaves_nothing(
    run: Callable[..., subprocess.Popen[str]], survivors: Survivors
) -> None:
    process = run(fails=True, child=1)
    _ready(process)
    assert "RuntimeError: something else went wrong" in process.communicate(timeout=60)[1]
    assert survivors() == []


@pytest.mark.parametrize("uvloop", [False, True])
def test_a_killed_parent_leaves_nothing(
    run: Callable[..., subprocess.Popen[str]],
    survivors: Survivors,
    eventually: Eventually,
    uvloop: bool,
) -> None:
    process = run(uvloop=uvloop, child=1, stubborn=1)
    _ready(process)
    assert len(survivors()) == ALL
    process.kill()
    eventually(lambda: survivors() == [])


def test_a_parent_that_is_killed_during_the_start_leaves_nothing(
    run: Callable[..., subprocess.Popen[str]], survivors: Survivors, eventually: Eventually
) -> None:
    process = run(child=1, never=1)
    eventually(lambda: len(survivors()) == ALL)
    process.kill()
    eventually(lambda: survivors() == [])


def test_a_parent_that_is_killed_before_a_server_has_started_leaves_no_folder(
    run: Callable[..., subprocess.Popen[str]],
) -> None:
    """The fixture of the environment looks for one."""
    process = run(dies=True)
    _, err = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, err


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="needs /dev/shm")
def test_a_parent_that_is_killed_while_its_servers_stop_leaves_no_shared_memory(
    run: Callable[..., subprocess.Popen[str]], survivors: Survivors, eventually: Eventually
) -> None:
    """They do not end when they are asked to, and what they share outlives them."""
    name = f"safejury-{os.getpid()}-{time.monotonic_ns()}"
    process = run(child=1, stubborn=1, shares=name, grace=1.0)
    _ready(process)
    assert len(_shared(name)) == 2
    process.send_signal(signal.SIGINT)
    process.kill()
    eventually(lambda: survivors() == [])
    assert _shared(name) == []


async def test_a_killed_watchdog_leaves_nothing(
    fake_vllm: Fake, tmp_path: Path, survivors: Survivors, proc: Proc
) -> None:
    name = f"safejury-{os.getpid()}-{time.monotonic_ns()}"
    file = tmp_path / "unmarked"  # its environment was written over, as by a title
    spec = fake_vllm(child=1, unmarked=file, shares=name)
    server = ManagedServer("a", spec, folder=tmp_path)
    await server.start()
    unmarked = psutil.Process(int(file.read_text()))
    (watchdog,) = (
        pid
        for pid in survivors()
        if any(word.endswith(b"_watchdog.py") for word in proc(pid, "cmdline"))
    )
    os.kill(watchdog, signal.SIGKILL)
    await server.wait()
    assert "its watchdog was killed by signal 9" in (server.ended or "")
    assert unmarked.is_running()
    await server.stop()
    assert survivors() == []
    assert not unmarked.is_running() or unmarked.status() == psutil.STATUS_ZOMBIE
    assert _shared(name) == []


async def test_what_a_server_leaves_when_it_dies_is_ended(
    fake_vllm: Fake, tmp_path: Path, survivors: Survivors
) -> None:
    server = ManagedServer("a", fake_vllm(child=1), folder=tmp_path, grace=0.1)
    await server.start()
    pid = server.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await server.wait()
    assert survivors() == []
    await server.stop()


async def test_a_fleet_that_is_canceled_while_it_restarts_leaves_nothing(
    fake_vllm: Fake, tmp_path: Path, survivors: Survivors, proc: Proc
) -> None:
    """The first start is well, the second never answers."""
    again = asyncio.Event()

    def tell(line: str) -> None:
        if "restarting" in line:
            again.set()

    use = ServerUse("a", fake_vllm(gate=tmp_path / "gate", child=1))
    (tmp_path / "gate").touch()

    async def work() -> None:
        async with Fleet([use], Devices(), folder=tmp_path, notify=tell, grace=0.1) as fleet:
            await fleet.ready("a")
            (tmp_path / "gate").unlink()
            started = [pid for pid in survivors() if b"--host" in proc(pid, "cmdline")]
            os.kill(started[0], signal.SIGKILL)
            await again.wait()
            with pytest.raises(FirstContactError):
                await fleet.ready("a")

    task = asyncio.ensure_future(work())
    async with asyncio.timeout(60):
        await again.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert survivors() == []


def test_descriptors_do_not_leak(fake_vllm: Fake, tmp_path: Path) -> None:
    async def open_files() -> tuple[int, int]:
        server = ManagedServer("a", fake_vllm(), folder=tmp_path)
        async with server:
            pass
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(2):
            async with server:
                pass
        return before, len(os.listdir("/proc/self/fd"))

    before, after = asyncio.run(open_files())
    assert after == before
