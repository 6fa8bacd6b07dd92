"""Starts a vLLM server, waits until it answers, and stops it with all its processes."""

import asyncio
import contextlib
import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from ...common import ConfigurationError, FirstContactError
from ...common.files import make_private, private_folder
from ...models import redactor
from ._api import VllmClient
from ._causes import explain_log, last_lines, port_was_taken
from ._model import check_model
from ._port import HeldPort, PortTaken, hold_port
from ._process import ServerProcess
from ._spec import LOOPBACK, VllmSpec

PROBE_S = 10.0
"""Seconds within which a server that is well says so."""
_TAIL_BYTES = 64 * 1024
_TAIL_LINES = 12
_PORTS_TRIED = 3
_FIRST_POLL_S = 0.1
_POLL_S = 1.0
_OURS = {
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "PYTHONSAFEPATH": "1",  # or folders here, such as `datasets`, would hide packages
    "PYTHONUNBUFFERED": "1",
    "SPT_NOENV": "1",  # vLLM's processes rename themselves, and would lose our mark
}
_TOKENS = ("VLLM_API_KEY", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")


class ManagedServer:
    """A managed vLLM server.

    Args:
        name: The server's name, for messages and the name of its log.
        spec: Its specification.
        folder: The folder for its log.
        gpus: Ids of its GPUs; none is the CPU, None leaves the choice to the machine.
        api_key: The API key that it requires, None for none.
        grace: Seconds until it is killed after a request to stop.
        host: The address of this machine on which it listens.

    Example:
        >>> server = ManagedServer("qwen", VllmSpec("Qwen/Qwen2-VL-2B"), folder=Path("logs"))
        >>> server.url is None
        True
    """

    def __init__(
        self,
        name: str,
        spec: VllmSpec,
        *,
        folder: Path,
        gpus: Sequence[str] | None = None,
        api_key: str | None = None,
        grace: float = 10.0,
        host: str = LOOPBACK,
    ) -> None:
        self._name = name
        self._spec = spec
        self._folder = folder
        self._gpus = gpus
        self._api_key = api_key
        self._grace = grace
        self._host = host
        self._process: ServerProcess | None = None
        self._held: HeldPort | None = None
        self._port: int | None = None
        self._log_start = 0
        redactor.register(api_key)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def log(self) -> Path:
        """The server's log file, with the output of earlier starts first."""
        return self._folder / f"{re.sub(r'[^A-Za-z0-9._-]', '_', self._name)}.log"

    @property
    def url(self) -> str | None:
        """The API's address, None before the first start; a restart may change it."""
        return None if self._port is None else f"{self._root}/v1"

    @property
    def pid(self) -> int | None:
        """The server's process id, None if it is not running."""
        return None if self._process is None else self._process.pid

    @property
    def ended(self) -> str | None:
        """How and why it ended, on one line; None while it runs."""
        how = "it was not started" if self._process is None else self._process.ended
        return None if how is None else f"{how}: {self._because()}"

    async def start(self) -> None:
        """Start the server and wait until it answers; after `stop` it may be started again.

        Raises:
            ConfigurationError: Its model, its Python or its port cannot be used.
            FirstContactError: It did not answer; the message says why.
        """
        await self.stop()
        check_model(self._spec)
        self._check_python()
        for attempt in range(1, _PORTS_TRIED + 1):
            try:
                self._hold_port()
                await self._start_once()
                return
            except BaseException as error:
                await self.stop()
                last = self._spec.port is not None or attempt == _PORTS_TRIED
                if last or not isinstance(error, FirstContactError) or not self._lost_port():
                    raise
                self._port = None  # another process took it: try another port

    async def stop(self) -> None:
        """Stop the server with all its descendants; may be called twice."""
        try:
            if self._process is not None:
                await self._process.stop()
        finally:
            held, self._held = self._held, None
            if held is not None:
                held.close()

    async def wait(self) -> None:
        """Wait until the server has ended."""
        if self._process is not None:
            await self._process.wait()

    async def healthy(self, timeout: float = PROBE_S) -> bool:
        """Return whether the server reports within `timeout` seconds that it is healthy."""
        async with self._talk(timeout) as talk:
            return await talk.is_well()

    async def work_done(self, timeout: float = PROBE_S) -> float | None:
        """Return a counter of the server's work since its start, in arbitrary units.

        None if it does not say so within `timeout` seconds, or counts nothing.
        """
        async with self._talk(timeout) as talk:
            return await talk.work_done()

    def _talk(self, timeout: float) -> VllmClient:
        return VllmClient(self._root, self._api_key, timeout)

    @property
    def _root(self) -> str:
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port or 0}"

    def _hold_port(self) -> None:
        fixed = self._spec.port
        try:
            self._held = self._port_for(fixed)
        except PortTaken:
            which = "no port is free" if fixed is None else f"the port {fixed} is taken"
            raise ConfigurationError(
                f"the server {self._name!r}: {which}; give it another, or leave `port:` out"
            ) from None
        self._port = self._held.number

    def _port_for(self, fixed: int | None) -> HeldPort:
        if fixed is not None:
            return HeldPort(fixed, self._host)
        return hold_port(self._port, self._host)

    async def _start_once(self) -> None:
        assert self._port is not None
        try:
            private_folder(self._folder)
            make_private(self.log)
            self._log_start = self.log.stat().st_size if self.log.exists() else 0
        except OSError as error:
            raise ConfigurationError(
                f"the server {self._name!r} cannot write its log {self.log}: {error.strerror}"
            ) from None
        count = len(self._gpus) if self._gpus is not None else (self._spec.gpus or 0)
        command = self._spec.command(self._port, count, self._host)
        self._process = await ServerProcess.start(
            command,
            self._environment(),
            self.log,
            grace=self._grace,
            scratch="VLLM_RPC_BASE_PATH",  # its sockets stay behind when it is killed
        )
        try:
            async with asyncio.timeout(self._spec.start_timeout):
                await self._answering(self._process)
        except TimeoutError:
            what = f"did not answer within {self._spec.start_timeout:g} s (start_timeout)"
            raise FirstContactError(
                f"the server {self._name!r} {what}: {self._because()}"
            ) from None

    async def _answering(self, process: ServerProcess) -> None:
        """Wait until the server lists the model."""
        pause = _FIRST_POLL_S
        async with self._talk(PROBE_S) as talk:
            while process.ended is None:
                if await talk.is_well() and self._spec.served_name in await talk.models():
                    return
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await process.wait()
                pause = min(_POLL_S, 1.5 * pause)
        raise FirstContactError(f"the server {self._name!r} did not start: {self.ended}")

    def _environment(self) -> dict[str, str]:
        ours = dict(_OURS)
        if self._gpus is not None:
            ours["CUDA_VISIBLE_DEVICES"] = ",".join(self._gpus)
        if self._api_key is not None:
            ours["VLLM_API_KEY"] = self._api_key
        whole = {**os.environ, **ours, **dict(self._spec.env)}
        for name in _TOKENS:
            redactor.register(whole.get(name))  # its log is quoted in errors
        return whole

    def _check_python(self) -> None:
        if shutil.which(self._spec.interpreter) is None:
            raise ConfigurationError(
                f"the server {self._name!r}: there is no Python {self._spec.interpreter!r}; name "
                "the one that has vLLM with `python:`"
            )

    def _lost_port(self) -> bool:
        return port_was_taken(self._tail())

    def _because(self) -> str:
        tail = self._tail()
        said = last_lines(tail, _TAIL_LINES)
        end = f"; the end of its log: {said}" if said else ""
        return f"{explain_log(tail, self._spec)} (log: {self.log}){end}"

    def _tail(self) -> str:
        """Return the end of the log since the last start, in whole lines."""
        try:
            with self.log.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                begin = max(self._log_start, size - _TAIL_BYTES)
                file.seek(begin)
                text = file.read(_TAIL_BYTES).decode("utf-8", "replace")
        except OSError:
            return ""
        # A line that is cut off could hold the second half of a secret.
        return text if begin == self._log_start else text.partition("\n")[2]
