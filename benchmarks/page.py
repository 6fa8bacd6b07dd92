"""Measure the page of a run: `python benchmarks/page.py [--quick]`.

A record of 50,000 cases is written (four targets, 23 scenarios, five jurors, a re-vote in one case
of five), exported as a folder and opened in Chromium, from disk as a reader would; then the same
run is served by `safejury view`. Times in the browser are by its own clock: until the figures are
drawn, until the list of all cases stands, and from a change of the address until the filtered list
is painted. Beside it is what the tab's main thread computed, which other work does not add to.
"""

import argparse
import asyncio
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import quote

import psutil
from playwright.async_api import Browser, CDPSession, Page, async_playwright
from replay import Kind, write

from safejury.datasets import load_taxonomy

CASES = 50_000
TARGETS = ("careful-7b", "eager-7b", "plain-3b", "large-70b")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
FILTERS = (
    "#/cases?outcome=unsafe",
    "#/cases?outcome=unsafe&target=eager-7b",
    "#/cases?contested=1",
    "#/cases?scenario=cybersecurity",
    "#/cases?sort=rating",
    "#/cases?outcome=safe&intent=benign&sort=-unsafe_votes",
)
PAINTED = """(address) => new Promise((resolve) => {
    const list = document.querySelector(".results") || document.body;
    const began = performance.now();
    new MutationObserver((_, observer) => {
        observer.disconnect();
        requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - began)));
    }).observe(list, { childList: true, subtree: true });
    location.hash = address;
})"""
SHOWN = """() => new Promise((resolve) => {
    requestAnimationFrame(() => setTimeout(() => resolve(performance.now())));
})"""
SEARCHED = """() => {
    const told = document.getElementById("status").textContent;
    return / of /.test(told) && !/Searching/.test(told);
}"""


@dataclass(frozen=True)
class Took:
    """Milliseconds by the clock, and of the tab's main thread."""

    clock: float
    cpu: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of it")
    parser.add_argument("--cases", type=int, default=CASES)
    parser.add_argument("--record", type=Path, help="a record that is there, instead of a new one")
    options = parser.parse_args()
    cases = options.cases // 10 if options.quick else options.cases
    print("| measure | figure | goal | met |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        run = options.record
        if run is None:
            run = Path(name) / "run"
            scenarios = tuple(each.id for each in load_taxonomy().scenarios)
            asyncio.run(write(run, cases, Kind(scenarios, TARGETS, benign=9)))
        folder = Path(name) / "page"
        seconds, clock, megabytes = took("report", str(run), "--html", str(folder))
        size = sum(path.stat().st_size for path in folder.rglob("*")) / 1e6
        row(f"export of {cases:,} cases, CPU", f"{seconds:.1f} s (by the clock {clock:.1f})")
        row("the same: memory", f"{megabytes:.0f} MB")
        row("the folder", f"{size:.0f} MB")
        asyncio.run(browse(folder, run))


def row(what: str, figure: str, goal: str = "", met: bool | None = None) -> None:
    print(f"| {what} | {figure} | {goal} | {_MET[met]} |", flush=True)


_MET: Mapping[bool | None, str] = {None: "", True: "yes", False: "**no**"}


def took(*arguments: str) -> tuple[float, float, float]:
    """Return the seconds of the processor and of the clock, and the megabytes, of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    code = (
        "import resource, sys; from safejury.cli import app\n"
        "try: app(sys.argv[1:])\n"
        "finally: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    )
    accepted = ("--min-coverage", "0", "--min-panel", "0")
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, *arguments, *accepted],
        capture_output=True,
        text=True,
        check=False,
    )
    clock = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(done.stderr)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return used, clock, float(done.stdout.splitlines()[-1])


async def browse(folder: Path, run: Path) -> None:
    """Measure the page in a browser, from disk and served."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=[*FLAGS])
        home = f"{folder.as_uri()}/index.html"
        told("figures drawn, from disk", [await opened(browser, home) for _ in range(3)], 2000)
        listed = [await opened(browser, f"{home}#/cases", "table.list") for _ in range(3)]
        told("list of all cases, from disk", listed, 2000)
        page = await browser.new_page()
        await page.goto(f"{home}#/cases")
        await page.wait_for_selector("table.list")
        clock = await Clock.of(page)
        told("a filter or order, first time", [await clock.changed(a) for a in FILTERS], 100)
        told("a filter or order, later", [await clock.changed(a) for a in FILTERS * 3], 100)
        told("search for words, first time: all texts are read", [await clock.searched("no. 977")])
        told("search for other words", [await clock.searched("no. 31415")])
        heap: Any = await page.evaluate("() => performance.memory.usedJSHeapSize / 1e6")
        row("memory of the tab's scripts after that", f"{heap:.0f} MB")
        await page.close()
        await serve(browser, run)
        await browser.close()


async def serve(browser: Browser, run: Path) -> None:
    """Measure the page as `safejury view` serves it."""
    began = time.perf_counter()
    view = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "safejury", "view", "--no-open", str(run)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert view.stdout is not None
    url = (await view.stdout.readline()).decode().strip()
    row("`safejury view`: until its address is printed", f"{time.perf_counter() - began:.1f} s")
    for times in ("first load", "later"):
        told(f"the same, figures drawn, {times}", [await opened(browser, url)])
    for times in ("first load", "later"):
        listed = await opened(browser, f"{url}#/cases", "table.list")
        told(f"the same, list of all cases, {times}", [listed])
    used = psutil.Process(view.pid)
    row("the same, memory", f"{used.memory_info().rss / 1e6:.0f} MB")
    view.terminate()
    await view.wait()


def told(what: str, found: Sequence[Took], goal: float | None = None) -> None:
    """Print the median of some times, and their range."""
    clock = sorted(each.clock for each in found)
    said = f"{median(clock):.0f} ms"
    if len(clock) > 1:
        said += f" ({clock[0]:.0f} to {clock[-1]:.0f})"
    cpu = max(each.cpu for each in found)
    met = None if goal is None else median(clock) < goal
    said += f", CPU at most {cpu:.0f}" if len(clock) > 1 else f", CPU {cpu:.0f}"
    row(what, said, "" if goal is None else f"under {goal:.0f} ms", met)


async def opened(browser: Browser, url: str, waits_for: str = ".overview") -> Took:
    """Return the time until a page shows something, in a profile that knows nothing."""
    context = await browser.new_context()
    page = await context.new_page()
    clock = await Clock.of(page)
    await page.goto(url, wait_until="commit")
    await page.wait_for_selector(waits_for, timeout=300_000)
    now: Any = await page.evaluate(SHOWN)
    took = Took(float(now), await clock.cpu())
    await context.close()
    return took


class Clock:
    """Tells what a tab's main thread computed, beside the time by the clock."""

    def __init__(self, page: Page, tools: CDPSession) -> None:
        self._page = page
        self._send: Any = tools.send  # pyright: ignore[reportUnknownMemberType]

    @classmethod
    async def of(cls, page: Page) -> "Clock":
        tools = await page.context.new_cdp_session(page)
        clock = cls(page, tools)
        await clock._send("Performance.enable", {"timeDomain": "threadTicks"})
        return clock

    async def cpu(self) -> float:
        """Return the milliseconds since the tab was opened."""
        found = await self._send("Performance.getMetrics")
        return next(1000 * m["value"] for m in found["metrics"] if m["name"] == "TaskDuration")

    async def changed(self, address: str) -> Took:
        before = await self.cpu()
        clock: Any = await self._page.evaluate(PAINTED, address)
        return Took(float(clock), await self.cpu() - before)

    async def searched(self, words: str) -> Took:
        await self._page.evaluate("() => { location.hash = '#/cases'; }")
        await self._page.wait_for_timeout(500)
        before, began = await self.cpu(), time.perf_counter()
        await self._page.evaluate(f"() => {{ location.hash = '#/cases?text={quote(words)}'; }}")
        await self._page.wait_for_function(SEARCHED, timeout=120_000)
        return Took(1000 * (time.perf_counter() - began), await self.cpu() - before)


if __name__ == "__main__":
    main()
