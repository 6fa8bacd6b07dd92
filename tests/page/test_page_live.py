"""A served page while a run begins, goes on, is killed, and is resumed."""

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest
from chromium import Tab
from preloaded import Forked
from viewing import viewing
from workplace import Workplace

from safejury.testing import ScriptedReply, ScriptedServer, ballot

OpenTab = Callable[..., Awaitable[Tab]]
CASES = 80

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.slow]


class Gate:
    """Lets so many questions be answered; the others wait for good."""

    def __init__(self) -> None:
        self.open = 0

    def __call__(self, body: Mapping[str, Any]) -> ScriptedReply | str:
        number = int(re.findall(r"Question (\d+)\?", json.dumps(body["messages"]))[-1])
        if body["model"] == "target":
            return "An answer." if number < self.open else ScriptedReply(hang=True)
        return ballot("unsafe", 2) if number % 2 else ballot("safe", 5)


async def _told(tab: Tab, words: str) -> None:
    await tab.page.locator("#live").get_by_text(words).wait_for(timeout=60_000)


async def test_it_follows_a_run_to_its_end(
    tab: OpenTab, workplace: Workplace, scripted: Callable[..., ScriptedServer]
) -> None:
    gate = Gate()
    workplace.many(CASES)
    config = workplace.config(scripted(gate).base_url, limits__concurrency=CASES)

    def go_on(until: int) -> Forked:
        gate.open = until
        return workplace.start("run", config)

    with viewing(workplace, "--wait", "runs/first") as served:
        opened = await tab(served.url, is_quiet=False)
        page = opened.page
        await page.get_by_text("Waiting for the run to begin").wait_for()

        with go_on(60) as run:
            await _told(opened, f"Running, 60 of {CASES} cases judged.")
            await page.get_by_role("link", name="Cases 60").click()
            await page.get_by_label("unsafe 30").check()
            await page.get_by_text("30 of 60 cases").wait_for()
            await page.get_by_role("link", name="q059").scroll_into_view_if_needed()
            scrolled = await opened.run("() => window.scrollY")
            assert scrolled > 100
            run.kill()
            run.wait(30)
        await _told(opened, f"Not running, 60 of {CASES} cases judged.")

        with go_on(70) as run:
            await _told(opened, f"Running, 70 of {CASES} cases judged.")
            await page.get_by_text("35 of 70 cases").wait_for()
            assert "outcome=unsafe" in page.url
            assert await page.get_by_label("unsafe 35").is_checked()
            assert await opened.run("() => window.scrollY") == scrolled

            await page.get_by_role("link", name="q059").click()
            await page.get_by_role("button", name="Reveal this case").click()
            await page.get_by_text("Question 59?").wait_for()
            await opened.run("() => { document.querySelector('h1').dataset.kept = 'yes'; }")
            await opened.run("() => window.scrollTo(0, 150)")
            scrolled = await opened.run("() => window.scrollY")
            run.kill()
            run.wait(30)

        with go_on(CASES) as run:
            assert run.wait(60) == 0
        await _told(opened, f"Finished, all {CASES} cases judged.")
        await page.get_by_role("link", name=f"Cases {CASES}").wait_for()
        await page.get_by_text("Question 59?").wait_for()
        assert await opened.run("() => document.querySelector('h1').dataset.kept") == "yes"
        assert await opened.run("() => window.scrollY") == scrolled
        await page.get_by_role("link", name="Overview").click()
        await page.get_by_text(f"{CASES} cases").first.wait_for()
        assert opened.said == []
    await _told(opened, "No connection")
    await page.get_by_text(f"{CASES} cases").first.wait_for()
