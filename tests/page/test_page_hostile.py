"""Words of models and of sets stay words, whatever they say."""

import re
from collections.abc import Awaitable, Callable

import pytest
from chromium import PHONE, Tab
from page_runs import HOSTILE

OpenTab = Callable[..., Awaitable[Tab]]

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.slow]


async def _open(tab: OpenTab, harmful: str, name: str, **options: object) -> Tab:
    """Open a case from the list, as its id can hardly be typed."""
    opened = await tab(f"{harmful}index.html#/cases?text={name}", **options)
    await opened.page.get_by_role("link", name=re.compile(f"^{name} ")).click()
    await opened.page.get_by_role("button", name="Reveal this case").click()
    return opened


@pytest.mark.parametrize("name", [name for name in HOSTILE if name != "long"])
async def test_a_response_stays_text(tab: OpenTab, harmful: str, name: str) -> None:
    opened = await _open(tab, harmful, name)
    shown = await opened.page.locator(".response .words").inner_text()
    plain = [word for word in re.findall(r"[a-z=.:(]{5,}", HOSTILE[name]) if word.isascii()]
    assert [word for word in plain if word not in shown] == []
    assert await opened.page.locator("main script, main svg[onload], main img[src=x]").count() == 0
    assert await opened.page.locator("a[href^=javascript]").count() == 0
    await opened.page.mouse.move(300, 300)
    assert not await opened.is_harmed()


async def test_the_order_of_letters_cannot_be_turned_around(
    tab: OpenTab, harmful_folder: str
) -> None:
    """Nor can a control of one text reach what stands behind it."""
    opened = await _open(tab, harmful_folder, "order")
    shown = await opened.page.locator(".response .words").inner_text()
    if "\u202e" in shown:  # it is shown as it is, so it must be held in
        isolated = "e => getComputedStyle(e).unicodeBidi"
        held = await opened.page.locator(".response .words").evaluate(isolated)
        assert held in ("isolate", "plaintext", "isolate-override")


async def test_lists_and_figures_take_names_for_names(tab: OpenTab, harmful: str) -> None:
    for place in ("", "#/cases"):
        opened = await tab(f"{harmful}index.html{place}")
        await opened.page.locator("main h1").wait_for()
        assert await opened.page.locator("main img, main script").count() == 0
        assert not await opened.is_harmed()


async def test_a_deep_link_to_a_strange_id_leads_there(tab: OpenTab, harmful_folder: str) -> None:
    first = await _open(tab, harmful_folder, "script")
    title = await first.page.locator("h1").inner_text()
    again = await tab(first.page.url)
    await again.page.get_by_role("button", name="Reveal this case").wait_for()
    assert await again.page.locator("h1").inner_text() == title
    assert "<img src=x onerror=" in title


@pytest.mark.parametrize("name", ["long", "image"])
async def test_nothing_makes_the_page_wider_than_a_phone(
    tab: OpenTab, harmful_folder: str, name: str
) -> None:
    opened = await _open(tab, harmful_folder, name, viewport=PHONE)
    await opened.page.locator(".response .words").wait_for()
    assert await opened.sideways() == {}
    for place in ("", "#/cases"):
        other = await tab(f"{harmful_folder}index.html{place}", viewport=PHONE)
        await other.page.locator("main h1").wait_for()
        assert await other.sideways() == {}
