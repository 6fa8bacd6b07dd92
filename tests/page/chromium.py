"""A real Chromium, and tabs that take down all that a page asks for and complains of."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.async_api import Browser, ConsoleMessage, Page, Playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
LAPTOP = {"width": 1280, "height": 800}
PHONE = {"width": 420, "height": 800}


def missing() -> str | None:
    """Return what a browser test lacks here, None where it lacks nothing."""
    if find_spec("playwright") is None:
        return "the package playwright"
    return None if _program() else "Chromium, as `apt-get install chromium` installs it"


def require() -> None:
    """Skip a test aloud where there is no browser, or fail it where there has to be one."""
    if (lacks := missing()) is None:
        return
    if os.environ.get("SAFEJURY_REQUIRE_BROWSER") == "1":
        pytest.fail(f"SAFEJURY_REQUIRE_BROWSER is 1, and this machine lacks {lacks}")
    pytest.skip(f"needs {lacks}")


def _program() -> str | None:
    named = os.environ.get("SAFEJURY_CHROMIUM")
    return named or next(filter(None, map(shutil.which, NAMES)), None)


async def launch(playwright: "Playwright") -> "Browser":
    """Start a browser."""
    return await playwright.chromium.launch(executable_path=_program(), args=[*FLAGS])


@dataclass
class Tab:
    """A page in a browser, and what it did.

    Attributes:
        page: What is to be driven.
        home: The address of the page, from which alone it may ask for anything.
        said: What it wrote to the console, and errors that nobody caught.
        asked: The addresses that it asked for.
        failed: Those of them that failed.
    """

    page: "Page"
    home: str = ""
    said: list[str] = field(default_factory=list[str])
    asked: list[str] = field(default_factory=list[str])
    failed: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.said.append(f"error: {error}"))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("requestfailed", lambda request: self.failed.append(request.url))

    def _hear(self, message: "ConsoleMessage") -> None:
        self.said.append(f"{message.type}: {message.text}")

    def foreign(self) -> list[str]:
        """Return the addresses that it asked for outside of the page."""
        return [url for url in self.asked if not url.startswith((self.home, "blob:", "about:"))]

    async def run(self, script: str, given: Any = None) -> Any:
        """Run a script in the page, as its console does."""
        return await self.page.evaluate(script, given)

    async def is_harmed(self) -> bool:
        """Return whether words of a case were run."""
        return bool(await self.run("() => 'harmed' in window"))

    async def sideways(self) -> Mapping[str, Any]:
        """Return what makes the page wider than its window, empty where nothing does."""
        return await self.run(_SIDEWAYS)


_SIDEWAYS = """() => {
    const wide = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= wide) return {};
    const found = {};
    for (const each of document.body.querySelectorAll("*")) {
        const right = each.getBoundingClientRect().right;
        if (right > wide + 1) found[each.tagName + "." + each.className] = Math.round(right);
    }
    return {scroll: document.documentElement.scrollWidth, ...found};
}"""
