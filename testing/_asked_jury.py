"""A jury that is open while tests ask it, on an event loop in a thread of its own."""

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path

from pydantic import Field

from ..assembly import load_config
from ..assembly.config import JuryConfig, Part, RunLimitsConfig, check_keys, read_config
from ..assembly.jury import jury_spec, open_jury
from ..assembly.servers import ServerBook
from ..common import OutOfBudgetError
from ..common.files import YamlDocument, read_text_file
from ..datasets import Query
from ..deliberation import Judgment, Jury
from ..evaluation import judge
from ..targets import Response


class JuryFile(Part):
    """What names a jury for tests; the config of a run does as well."""

    jury: JuryConfig
    limits: RunLimitsConfig = RunLimitsConfig()
    """What all tests together may take."""
    cache: str | None = None
    """A file that keeps answers between sessions, relative to this one; none unless named."""
    seed: int = Field(default=7, ge=0, le=2**31 - 1)


def read_jury_file(path: Path) -> JuryFile:
    """Read who judges, from a file of its own or from the config of a run.

    Raises:
        ConfigurationError: It cannot be read, or a key that it names is not set.
    """
    data = YamlDocument(path, read_text_file(path, "jury file", "a YAML file")).data
    if isinstance(data, dict) and "targets" in data:
        run = load_config(path)
        said = JuryFile(jury=run.jury, limits=run.limits, cache=run.run.cache, seed=run.run.seed)
    else:
        said = read_config(path, (), JuryFile, "a jury file needs the key jury")
    check_keys(said.jury)
    return said


class AskedJury:
    """A jury that any thread may ask; it is opened by the first question.

    Args:
        path: The file that names it.

    Raises:
        ConfigurationError: It cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._said = read_jury_file(path)
        self._folder = path.parent
        self._servers = ServerBook(path.parent)
        self._spec = jury_spec(self._said.jury, path.parent, self._servers, seed=self._said.seed)
        self._opened = Future[tuple[asyncio.AbstractEventLoop, Jury]]()
        self._closing = Future[None]()
        self._thread = threading.Thread(target=self._run, name="safejury", daemon=True)
        self._thread.start()

    def ask(
        self,
        question: str | Query,
        answer: str | Response,
        scenario: str | None,
        images: Sequence[str | Path],
        audio: str | Path | None,
    ) -> "Future[Judgment]":
        """Ask it for a verdict; the parameters are those of `judge`."""
        loop, jury = self._opened.result()
        asked = judge(question, answer, jury=jury, scenario=scenario, images=images, audio=audio)
        return asyncio.run_coroutine_threadsafe(asked, loop)

    def close(self) -> None:
        """Close it and its models; who still waits for a verdict gets none."""
        self._closing.set_result(None)
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._until_closed())
        except BaseException as error:
            if not self._opened.done():
                self._opened.set_exception(error)  # whoever asks is told
                return
            raise

    async def _until_closed(self) -> None:
        said, limits = self._said, self._said.limits
        if "outage_patience" not in limits.model_fields_set:
            # Whoever waits for tests is told at once that an endpoint is down.
            limits = limits.model_copy(update={"outage_patience": None})
        cache = None if said.cache is None else str(self._folder / said.cache)
        opening = open_jury(
            self._spec, limits, self._servers, cache=cache, refusal=OutOfBudgetError
        )
        async with opening as (jury, _):
            self._opened.set_result((asyncio.get_running_loop(), jury))
            await asyncio.wrap_future(self._closing)
