"""What a browser is served: the page, its pieces as of the records, and media."""

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec

from ....common import RecordError, SafejuryError
from ...record import MEDIA
from .._assets import assets
from .._media import is_as_recorded, kind_of_file
from .._pieces import script
from .._source import PageOptions, PageSource
from ._progress import Seen, progress_of
from ._reading import Cases, Marks, Overviews, same_cases
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
_PIECE = re.compile(r"data/((?:index|texts|cases)-\d+)\.js")
_FIGURE = re.compile(r"figures/([a-z0-9-]+\.(?:svg|png|csv))")
_MEDIUM = re.compile(r"media/([0-9a-f]{64})\.([a-z0-9]+)")
_LOOK_S = 1.0
"""Time between two looks at the records."""
_ASKED_S = 60.0
"""So long after a page asked what is new somebody may be looking at it."""
_SHARE = 4
"""An overview that took a second stays for four more, so that a run has the machine."""
_WHOLE = PageOptions()
_WAITING = b"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="refresh" content="1">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="assets/palette.css">
<link rel="stylesheet" href="assets/app.css">
<title>safejury: waiting for a run</title>
</head>
<body>
<header id="top"><div class="bar"><span class="brand">safejury</span></div></header>
<main><h1>Waiting for the run to begin</h1><p class="lead">This page goes on by itself.</p></main>
</body>
</html>
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
        self._overviews, self._cases = Overviews(directories, options), Cases(directories, options)
        # A record is read in the thread that opened it, and who reads cases does not wait for
        # figures.
        self._counting, self._reading = (
            ThreadPoolExecutor(1, "count"),
            ThreadPoolExecutor(1, "read"),
        )
        self._marks: Marks = (None,) * len(directories)
        self._shown: Marks = self._marks
        self._overview: bytes | None = None
        self._made = asyncio.Event()
        self._seen = Seen(0, progress_of(directories, self._marks, begun=False), None)
        self._asked = time.monotonic()
        if not wait:
            PageSource(directories, options).close()
            self._marks = self._cases.marks()

    async def find(self, name: str) -> Content | None:
        """Return what a name stands for, None where nothing does.

        Raises:
            SafejuryError: A record cannot be read.
        """
        if name in ("", "index.html"):
            page = self._assets["index.html"] if self._has_begun else _WAITING
            return Content(page, _KINDS[".html"])
        if name == "data/revision.js":
            self._asked = time.monotonic()
            return _script(script("revision", msgspec.to_builtins(self._seen)))
        if name == "data/overview.js":
            return _script(await self._first_overview())
        if name == "data/figures.js":
            return _script(await self._in(self._counting, self._overviews.figures))
        if (asset := self._assets.get(name)) is not None:
            return Content(asset, _KINDS[Path(name).suffix])
        if (found := _PIECE.fullmatch(name)) is not None:
            return _script(await self._in(self._reading, partial(self._cases.piece, found[1])))
        if (found := _FIGURE.fullmatch(name)) is not None:
            drawn = await self._in(self._counting, partial(self._overviews.figure, found[1]))
            return None if drawn is None else Content(drawn, _KINDS[Path(name).suffix])
        if (found := _MEDIUM.fullmatch(name)) is not None:
            return _medium(self._directories, found[1], found[2])
        return None

    async def watch(self) -> None:
        """Keep up with the runs until canceled.

        Raises:
            SafejuryError: A record cannot be read, or was changed, before there was a page.
        """
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._look())
                group.create_task(self._count())
        finally:
            self._overviews.interrupt()
            self._cases.interrupt()
            self._reading.submit(self._cases.close)
            self._counting.shutdown(wait=False)
            self._reading.shutdown(wait=False)

    @property
    def _has_begun(self) -> bool:
        return None not in self._marks or self._seen.revision > 0

    async def _first_overview(self) -> bytes | None:
        if self._overview is None and self._has_begun:
            await self._made.wait()
        return self._overview

    async def _look(self) -> None:
        """See what the runs are doing, while somebody asks for it."""
        while True:
            if time.monotonic() - self._asked < _ASKED_S or not self._seen.revision:
                await self._look_once()
            await self._in(self._reading, self._cases.rest)
            await asyncio.sleep(_LOOK_S)

    async def _look_once(self) -> None:
        try:
            self._marks = await self._in(self._reading, self._cases.marks)
        except RecordError as error:
            if not self._seen.revision:
                raise
            self._marks = (None,) * len(self._directories)
            self._tell(self._seen.revision, str(error))
            return
        self._tell(self._seen.revision, self._seen.problem if self._marks != self._shown else None)

    async def _count(self) -> None:
        """Make the overview anew when a run has gone on."""
        while True:
            marks, began = self._marks, time.monotonic()
            if marks != self._shown and None not in marks:
                await self._count_once(marks)
            await asyncio.sleep(max(_LOOK_S, _SHARE * (time.monotonic() - began)))

    async def _count_once(self, marks: Marks) -> None:
        revision = self._seen.revision + 1
        try:
            made = await self._in(self._counting, partial(self._overviews.make, revision))
        except SafejuryError as error:
            if revision == 1:
                raise
            self._tell(revision - 1, str(error))
            return
        same = same_cases(self._shown, marks)
        await self._in(self._reading, partial(self._cases.move_on, same))
        self._overview, self._shown = made, marks
        self._tell(revision, None)
        self._made.set()

    def _tell(self, revision: int, problem: str | None) -> None:
        runs = progress_of(self._directories, self._marks, begun=revision > 0)
        self._seen = Seen(revision, runs, problem)

    async def _in(self, thread: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(thread, work)


def _script(made: bytes | None) -> Content | None:
    return None if made is None else Content(made, _KINDS[".js"])


def _medium(directories: Sequence[Path], sha256: str, suffix: str) -> Content | None:
    """Return a picture or sound, by what its bytes are."""
    for directory in directories:
        path = directory / MEDIA / sha256
        try:
            if path.is_symlink():  # it could lead anywhere
                continue
            kind = kind_of_file(path)
            if kind is None or kind[1] != suffix or not is_as_recorded(path):
                continue
        except OSError:
            continue
        return Content(path, kind[0])
    return None
