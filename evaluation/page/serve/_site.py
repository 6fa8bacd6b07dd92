"""What a browser is served: the page, its pieces as of the records, and media."""

import asyncio
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec

from ...record import MEDIA
from .._assets import assets
from .._media import media_kind
from .._pieces import script
from .._source import PageOptions, PageSource
from ._reading import Reading
from ._server import Content

T = TypeVar("T")

_KINDS = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".csv": "text/csv; charset=utf-8",
}
_PIECE = re.compile(r"data/([a-z]+(?:-\d+)?)\.js")
_FIGURE = re.compile(r"figures/([a-z0-9-]+\.(?:svg|png|csv))")
_MEDIUM = re.compile(r"media/([0-9a-f]{64})\.([a-z0-9]+)")
_HEAD = 64
_WHOLE = PageOptions()
_REST_S = 1.0
_WAITING = b"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="refresh" content="1">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="assets/icon.svg" type="image/svg+xml">
<title>safejury: waiting for a run</title>
<p>Waiting for the run to begin. This page goes on by itself.</p>
"""


class RunSite:
    """The page of some runs.

    Args:
        directories: The directories of the runs.
        options: What the page has in it.
        wait: Whether a run may begin later.

    Raises:
        ConfigurationError: The runs are of different juries.
        RecordError: A directory holds no readable run.
    """

    def __init__(
        self, directories: Sequence[Path], options: PageOptions = _WHOLE, *, wait: bool
    ) -> None:
        self._directories = directories
        self._assets = dict(assets())
        # Each record is read in the thread that opened it.
        self._reader = ThreadPoolExecutor(1, "read")
        self._reading = Reading(directories, options)
        if not wait:
            PageSource(directories, options).close()

    async def find(self, name: str) -> Content | None:
        """Return what a name stands for, None where nothing does.

        Raises:
            SafejuryError: A record cannot be read, or was changed.
        """
        if name in ("", "index.html"):
            return await self._page()
        if name == "data/revision.js":
            seen = await self._in_reader(self._reading.look)
            return Content(script("revision", msgspec.to_builtins(seen)), _KINDS[".js"])
        if (asset := self._assets.get(name)) is not None:
            return Content(asset, _KINDS[Path(name).suffix])
        if (found := _PIECE.fullmatch(name)) is not None:
            return await self._piece(found[1])
        if (found := _FIGURE.fullmatch(name)) is not None:
            drawn = await self._in_reader(partial(self._reading.figure, found[1]))
            return None if drawn is None else Content(drawn, _KINDS[Path(name).suffix])
        if (found := _MEDIUM.fullmatch(name)) is not None:
            return _medium(self._directories, found[1], found[2])
        return None

    async def watch(self) -> None:
        """Make what every page begins with, and close records that nobody asks for.

        It ends when it is canceled.

        Raises:
            SafejuryError: A record cannot be read, or was changed.
        """
        try:
            while True:
                await self._in_reader(self._reading.tend)
                await asyncio.sleep(_REST_S)
        finally:
            self._reading.interrupt()
            self._reader.submit(self._reading.close)
            self._reader.shutdown(wait=False)

    async def _page(self) -> Content:
        seen = await self._in_reader(self._reading.look)
        return Content(self._assets["index.html"] if seen.revision else _WAITING, _KINDS[".html"])

    async def _piece(self, name: str) -> Content | None:
        made = await self._in_reader(partial(self._reading.piece, name))
        return None if made is None else Content(made, _KINDS[".js"])

    async def _in_reader(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._reader, work)


def _medium(directories: Sequence[Path], sha256: str, suffix: str) -> Content | None:
    """Return a picture or sound, by what its bytes are."""
    for directory in directories:
        path = directory / MEDIA / sha256
        try:
            if path.is_symlink():  # it could lead anywhere
                continue
            with path.open("rb") as file:
                kind = media_kind(file.read(_HEAD))
        except OSError:
            continue
        if kind is not None and kind[1] == suffix:
            return Content(path, kind[0])
    return None
