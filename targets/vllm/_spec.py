"""Specifies how a vLLM server is started."""

import json
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from ...common import ConfigurationError
from ...common.text import quoted
from ...models import is_secret_name, redactor

ArgValue = str | int | float | bool | None

LOOPBACK = "127.0.0.1"
"""Where a server listens that only this machine reaches."""

_ALIASES = {"tp": "tensor-parallel-size", "pp": "pipeline-parallel-size"}
_ALIASES["dp"] = "data-parallel-size"
_PARALLEL = tuple(_ALIASES.values())
_OURS: dict[str, ArgValue] = {
    "enable-prefix-caching": True,
    "enable-prompt-tokens-details": True,
    # Media are sent within requests. No host is called so, and an empty list would allow all:
    # what a query says must not make the server fetch from the network that it is in.
    "allowed-media-domains": "invalid",
}
_ON_CPU: dict[str, ArgValue] = {
    "block-size": 32,  # prefixes are shared in whole blocks, and vLLM's own are of 128 there
    "enable-chunked-prefill": False,  # its engine ends on a seeded prompt that is read in pieces
}
_REFUSED = {
    "host": "the server listens only on this machine",
    "port": "write `port:` beside `args:`",
    "uds": "the server listens on a port",
    "model": "write `model:` beside `args:`",
    "served-model-name": "it follows from `model:`",
    "api-key": "all users of the machine would see it; set VLLM_API_KEY in `env:`",
    "hf-token": "all users of the machine would see it; set HF_TOKEN in `env:`",
    "ssl-keyfile": "the server is reached only on this machine, without encryption",
    "ssl-certfile": "the server is reached only on this machine, without encryption",
    "root-path": "the server's address would be another",
    "headless": "the server must answer",
    "config": "write its settings under `args:`",
}
_ARG = re.compile(r"[A-Za-z][A-Za-z0-9-]*(\.[A-Za-z0-9_.-]+)?")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class VllmSpec:
    """A vLLM server to start; create it from config values with `of`.

    Attributes:
        model: Name on the Hugging Face hub, or a folder.
        gpus: How many GPUs it takes; 0 is the CPU, None follows from `args` and the
            machine: one, or as many as its parallel sizes multiply to.
        args: vLLM's own options without their dashes. True is a bare `--flag`, False
            `--no-flag`, and None leaves an option out that would else be ours.
        env: Environment variables, over those of this process and ours.
        python: Interpreter that has vLLM; None is the one that runs safejury.
        port: None takes a free one.
        start_timeout: Seconds from the start to the first answer.
        restarts: How often it is restarted after it died or hung.

    Raises:
        ConfigurationError: A value is out of range, or an argument would break what
            safejury needs.
    """

    model: str
    gpus: int | None = None
    args: tuple[tuple[str, ArgValue], ...] = ()
    env: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    python: str | None = None
    port: int | None = None
    start_timeout: float = 900.0
    restarts: int = 2

    def __post_init__(self) -> None:
        for wrong, what in (
            (not self.model.strip() or "\0" in self.model, "its model is not a name or a folder"),
            (self.gpus is not None and self.gpus < 0, "gpus must be at least 0"),
            (self.port is not None and not 0 < self.port < 2**16, "port must be 1 to 65535"),
            (self.start_timeout <= 0, "start_timeout must be above 0"),
            (self.restarts < 0, "restarts must be at least 0"),
            (
                0 < (self.gpus or 0) < self.parallel,
                f"gpus must be at least {self.parallel}, what the parallel sizes multiply to",
            ),
        ):
            if wrong:
                raise ConfigurationError(f"vllm {quoted(self.model)}: {what}")
        for key, value in self.args:
            self._check(key, value)
        for key, value in self.env:
            if not _VARIABLE.fullmatch(key) or "\0" in value:
                raise ConfigurationError(
                    f"vllm {quoted(self.model)}: {quoted(key)} cannot be an environment variable"
                )
            if is_secret_name(key):
                redactor.register(value)

    @classmethod
    def of(
        cls,
        model: str,
        *,
        gpus: int | None = None,
        args: Mapping[str, object] | None = None,
        env: Mapping[str, object] | None = None,
        python: str | None = None,
        port: int | None = None,
        start_timeout: float = 900.0,
        restarts: int = 2,
    ) -> Self:
        """Create the spec from config values.

        Args:
            model: See the class, as for all that follow.
            gpus: See the class.
            args: By name, with dashes or underscores; lists and mappings become JSON.
            env: By name; numbers are written out.
            python: See the class.
            port: See the class.
            start_timeout: See the class.
            restarts: See the class.

        Raises:
            ConfigurationError: See the class.
        """
        return cls(
            model,
            gpus,
            tuple((_argument(key), _plain(value)) for key, value in (args or {}).items()),
            tuple((key, str(value)) for key, value in (env or {}).items()),
            python,
            port,
            start_timeout,
            restarts,
        )

    @property
    def interpreter(self) -> str:
        """The Python interpreter that has vLLM."""
        return sys.executable if self.python is None else os.path.expanduser(self.python)

    @property
    def served_name(self) -> str:
        """The model name that the server uses."""
        folder = self.folder
        return self.model if folder is None else folder.name

    @property
    def folder(self) -> Path | None:
        """The model's folder, None if it is a name on the hub."""
        path = os.path.expanduser(self.model)
        written_as_path = self.model.startswith(("/", "./", "../", "~"))
        return Path(path).absolute() if written_as_path or os.path.exists(path) else None

    @property
    def parallel(self) -> int:
        """The number of GPUs: the product of the parallel sizes in `args`, 1 without any."""
        product = 1
        for key, value in self.args:
            if key in _PARALLEL and str(value).isdecimal():
                product *= max(1, int(str(value)))
        return product

    @property
    def share(self) -> float:
        """The share of a GPU that it takes, in (0, 1]: all, unless its memory is limited."""
        value = dict(self.args).get("gpu-memory-utilization")
        try:
            share = float(value) if isinstance(value, str | float | int) else 1.0
        except ValueError:
            return 1.0
        return share if 0 < share <= 1 else 1.0

    def command(self, port: int, gpus: int, host: str = LOOPBACK) -> list[str]:
        """Return the command line of a server on `port`.

        Args:
            port: The port to listen on.
            gpus: How many GPUs it has; 0 is the CPU.
            host: The address to listen on.
        """
        options: dict[str, ArgValue] = _OURS | ({} if gpus else _ON_CPU)
        if gpus > 1 and self.parallel == 1:
            options["tensor-parallel-size"] = gpus
        options |= dict(self.args)
        folder = self.folder
        return [
            *(self.interpreter, "-m", "vllm.entrypoints.openai.api_server"),
            *("--model", self.model if folder is None else str(folder)),
            *("--served-model-name", self.served_name),
            *("--host", host, "--port", str(port)),
            *(word for key, value in options.items() for word in _words(key, value)),
        ]

    def _check(self, key: str, value: ArgValue) -> None:
        if (reason := _REFUSED.get(key)) is not None:
            raise ConfigurationError(f"vllm {quoted(self.model)}: leave {key!r} out: {reason}")
        if not _ARG.fullmatch(key) or "\0" in str(value):
            raise ConfigurationError(
                f"vllm {quoted(self.model)}: {quoted(key)} is not an argument that can be given, "
                "such as max-model-len"
            )


def _argument(key: str) -> str:
    head, dot, tail = key.strip().lstrip("-").partition(".")
    name = head.replace("_", "-")
    return _ALIASES.get(name, name) + dot + tail  # what follows a dot is a key of JSON


def _plain(value: object) -> ArgValue:
    if value is None or isinstance(value, str | int | float):
        return value
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except (TypeError, ValueError):
        return str(value)


def _words(key: str, value: ArgValue) -> tuple[str, ...]:
    match value:
        case None:
            return ()
        case True:
            return (f"--{key}",)
        case False:
            return (f"--no-{key}",)
        case _:
            return (f"--{key}={value}",)  # one word: a value may begin with a dash
