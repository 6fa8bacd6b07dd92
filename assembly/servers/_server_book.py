"""The managed servers of a config: who is on which."""

from dataclasses import replace
from pathlib import Path

from ...common import ConfigurationError
from ...common.files import is_written_as_path, resolve_path
from ...common.text import unique_name
from ...targets import ServerUse, VllmSpec
from ..config import VllmConfig


class ServerBook:
    """The managed servers that a config names; models said in the same words share one.

    Args:
        folder: Where relative paths of the config start.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._uses: dict[VllmSpec, ServerUse] = {}

    @property
    def folder(self) -> Path:
        """Where relative paths of the config start."""
        return self._folder

    def enter(
        self, config: VllmConfig, *, name: str, keep: bool, per_gpu_hour: float | None = None
    ) -> ServerUse:
        """Return the server for a model.

        Args:
            config: What the config says of it.
            name: Whom it is for, which names it unless another is for them already; one that
                several use has the first one's name.
            keep: Whether it is needed for the whole run, as a juror's is.
            per_gpu_hour: US dollars for an hour of each of its GPUs, None where that is not said.

        Raises:
            ConfigurationError: A value is out of range, an argument cannot be given, or
                another price was said of the same server.
        """
        spec = self._spec(config)
        use = self._uses.get(spec) or ServerUse(self._free(name), spec)
        if per_gpu_hour is None:
            per_gpu_hour = use.per_gpu_hour
        elif use.per_gpu_hour not in (None, per_gpu_hour):
            raise ConfigurationError(
                f"the server {use.name!r} has two prices, {use.per_gpu_hour:g} and "
                f"{per_gpu_hour:g} US dollars per GPU hour: give it one"
            )
        self._uses[spec] = replace(use, keep=use.keep or keep, per_gpu_hour=per_gpu_hour)
        return self._uses[spec]

    @property
    def uses(self) -> tuple[ServerUse, ...]:
        """All servers, in the order in which they were entered."""
        return tuple(self._uses.values())

    def _spec(self, config: VllmConfig) -> VllmSpec:
        return VllmSpec.of(
            _model(config.model, self._folder),
            gpus=config.gpus,
            args=config.args,
            env=config.env,
            python=_python(config.python, self._folder),
            port=config.port,
            start_timeout=config.start_timeout,
            restarts=config.restarts,
        )

    def _free(self, name: str) -> str:
        return unique_name(name, {use.name for use in self._uses.values()})


def _model(name: str, folder: Path) -> str:
    path = resolve_path(folder, name)
    return str(path.absolute()) if is_written_as_path(name) or path.exists() else name


def _python(name: str | None, folder: Path) -> str | None:
    if name is None or "/" not in name:
        return name
    # Not resolved: an environment's interpreter is a link, and is known by its place.
    return str(resolve_path(folder, name).absolute())
