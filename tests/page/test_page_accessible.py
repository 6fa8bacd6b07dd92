"""Each screen of the page meets WCAG 2.2 A and AA, as far as axe-core can tell."""

from collections.abc import Awaitable, Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
from chromium import PHONE, Tab

OpenTab = Callable[..., Awaitable[Tab]]
PLACES = (
    "",
    "#/cases",
    "#/cases?outcome=unsafe",
    "#/case/seen/eager-7b/0",
    "#/case/lost/eager-7b/0",
)
RULES = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.slow]


@cache
def _axe() -> str:
    """Return the script of axe-core, from the package that carries it."""
    found = find_spec("axe_playwright_python")
    if found is None or found.origin is None:
        pytest.skip("needs the package axe-playwright-python")
    return Path(found.origin).with_name("axe.min.js").read_text("utf-8")


async def _violations(tab: Tab) -> list[str]:
    await tab.run(_axe())
    found = await tab.run("rules => axe.run(document, rules)", RULES)
    return [
        f"{each['id']}: {[node['html'][:200] for node in each['nodes']][:3]}"
        for each in found["violations"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("place", PLACES)
async def test_a_screen_is_accessible(
    tab: OpenTab, whole_folder: str, place: str, scheme: str
) -> None:
    opened = await tab(f"{whole_folder}index.html{place}", is_quiet=False, color_scheme=scheme)
    await opened.page.locator("main h1").wait_for()
    assert await _violations(opened) == []
    if "/case/" in place:
        await opened.page.get_by_role("button", name="Reveal this case").click()
        await opened.page.locator(".response .words").wait_for()
        assert await _violations(opened) == []


@pytest.mark.parametrize("place", PLACES[1:4:2])
async def test_it_is_on_a_phone(tab: OpenTab, whole_folder: str, place: str) -> None:
    opened = await tab(f"{whole_folder}index.html{place}", is_quiet=False, viewport=PHONE)
    await opened.page.locator("main h1").wait_for()
    assert await _violations(opened) == []


async def test_the_help_is_accessible(tab: OpenTab, whole_folder: str) -> None:
    opened = await tab(f"{whole_folder}index.html", is_quiet=False)
    await opened.page.locator(".overview").wait_for()
    await opened.page.keyboard.press("?")
    await opened.page.get_by_role("dialog").wait_for()
    assert await _violations(opened) == []
