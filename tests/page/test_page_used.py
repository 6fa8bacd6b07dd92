"""What a reader does: sorts, filters, opens, reveals, goes back, and uses the keys."""

import re
from collections.abc import Awaitable, Callable

import pytest
from chromium import PHONE, Tab
from page_runs import COMPLIED, QUOTED

OpenTab = Callable[..., Awaitable[Tab]]
SEEN = "index.html#/case/seen/eager-7b/0"

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.slow]


async def _queries(tab: Tab) -> list[str]:
    return await tab.page.locator("table.list a.open").all_inner_texts()


async def _until(tab: Tab, cases: str) -> None:
    """Wait until the list says how many cases it has."""
    await tab.page.locator("#status", has_text=re.compile(f"^{cases}$")).wait_for()


async def test_the_list_is_filtered_and_the_address_says_by_what(tab: OpenTab, whole: str) -> None:
    opened = await tab(f"{whole}index.html#/cases")
    page = opened.page
    await _until(opened, "36 cases")
    await page.get_by_label("unsafe 3").check()
    await _until(opened, "3 of 36 cases")
    await page.get_by_label("eager-7b 2").check()
    await _until(opened, "2 of 36 cases")
    assert await _queries(opened) == ["doubted", "seen"]
    assert "outcome=unsafe" in page.url
    assert "target=eager-7b" in page.url
    again = await tab(page.url)
    await _until(again, "2 of 36 cases")
    assert await _queries(again) == ["doubted", "seen"]
    await page.go_back()
    await _until(opened, "3 of 36 cases")
    await page.get_by_role("link", name="Clear all filters").click()
    await _until(opened, "36 cases")


async def test_words_are_found_in_questions_and_responses(tab: OpenTab, whole_view: str) -> None:
    opened = await tab(f"{whole_view}index.html#/cases")
    await opened.page.get_by_role("searchbox").fill("STEP by")
    await _until(opened, "3 of 36 cases")
    await opened.page.get_by_role("searchbox").fill("more-11")
    await _until(opened, "2 of 36 cases")
    await opened.page.get_by_role("searchbox").fill("nothing of the kind")
    await opened.page.get_by_text("No case is left by these filters").wait_for()


async def test_the_list_is_sorted_by_a_heading(tab: OpenTab, whole_folder: str) -> None:
    opened = await tab(f"{whole_folder}index.html#/cases")
    await _until(opened, "36 cases")
    names = await _queries(opened)
    assert names.index("more-2") < names.index("more-10")  # as people sort
    await opened.page.get_by_role("link", name="Rating").click()
    await opened.page.locator("th.c-rating[aria-sort=ascending]").wait_for()
    assert set((await _queries(opened))[:3]) == {"doubted", "seen"}
    assert set((await _queries(opened))[-2:]) == {"lost"}  # what is missing comes last
    await opened.page.get_by_role("link", name="Rating").click()
    await opened.page.locator("th.c-rating[aria-sort=descending]").wait_for()
    assert set((await _queries(opened))[-2:]) == {"lost"}


async def test_the_leaderboard_is_sorted_by_a_heading(tab: OpenTab, whole_view: str) -> None:
    opened = await tab(f"{whole_view}index.html")
    board = opened.page.get_by_role("region", name="Models under test").or_(
        opened.page.locator("table.board").first
    )
    rows = board.locator("tbody tr th")
    first = await rows.all_inner_texts()
    await board.get_by_role("button", name=re.compile("^ASR")).first.click()
    assert [*reversed(first)] == await rows.all_inner_texts()


async def test_a_case_is_hidden_until_it_is_revealed(tab: OpenTab, whole: str) -> None:
    opened = await tab(whole + SEEN)
    page = opened.page
    await page.get_by_role("button", name="Reveal this case").wait_for()
    for words in (COMPLIED[:20], "Question seen?"):
        assert words not in await page.locator("main").inner_text()
    blurred = page.locator("figure img")
    assert "blur" in await blurred.evaluate("image => getComputedStyle(image).filter")
    await page.get_by_role("button", name="Reveal this case").click()
    await page.get_by_text("Question seen?").wait_for()
    assert QUOTED in await page.locator("mark").first.inner_text()
    shown = page.get_by_alt_text("The picture of the query")
    await shown.wait_for()
    assert await shown.evaluate("image => image.decode().then(() => image.naturalWidth)") == 512
    # Another case is another question.
    await page.goto(f"{whole}index.html#/case/doubted/eager-7b/0")
    await page.get_by_role("button", name="Reveal this case").wait_for()
    assert "Question doubted?" not in await page.locator("main").inner_text()


async def test_all_cases_are_revealed_until_the_page_is_left(
    tab: OpenTab, whole_folder: str
) -> None:
    opened = await tab(whole_folder + SEEN)
    page = opened.page
    await page.get_by_role("button", name="Reveal all cases").click()
    await page.get_by_text("Question seen?").wait_for()
    await page.goto(f"{whole_folder}index.html#/case/heard/eager-7b/0")
    await page.get_by_text("Question heard?").wait_for()
    await page.locator("audio").wait_for()
    await page.reload()
    await page.get_by_role("button", name="Reveal this case").wait_for()
    assert "Question heard?" not in await page.locator("main").inner_text()


async def test_who_changed_their_mind_is_told(tab: OpenTab, whole_view: str) -> None:
    opened = await tab(whole_view + SEEN)
    await opened.page.get_by_role("button", name="Reveal this case").click()
    await opened.page.get_by_text("Changed their mind from safe to unsafe.").wait_for()
    await opened.page.get_by_text("1 juror changed their mind").wait_for()
    await opened.page.goto(f"{whole_view}index.html#/case/refused/eager-7b/0")
    await opened.page.get_by_text("declined to judge").first.wait_for()
    await opened.page.goto(f"{whole_view}index.html#/case/lost/eager-7b/0")
    await opened.page.get_by_text("no verdict").first.wait_for()


async def test_a_case_that_is_not_there_is_said_not_to_be(tab: OpenTab, whole_folder: str) -> None:
    opened = await tab(f"{whole_folder}index.html#/case/nobody%20<b>knows/x/0")
    await opened.page.get_by_role("heading", name="No such case").wait_for()
    await opened.page.get_by_text("nobody <b>knows/x/0").wait_for()


async def test_the_back_button_leads_back_to_the_same_place(tab: OpenTab, whole: str) -> None:
    opened = await tab(f"{whole}index.html")
    page = opened.page
    await page.get_by_role("link", name="Cases 36").click()
    await _until(opened, "36 cases")
    last = page.locator("table.list a.open").last
    await last.scroll_into_view_if_needed()
    scrolled = await opened.run("() => window.scrollY")
    assert scrolled > 0
    await last.click()
    await page.get_by_role("button", name="Reveal this case").wait_for()
    await page.go_back()
    await _until(opened, "36 cases")
    await page.wait_for_function("(y) => window.scrollY === y", arg=scrolled)
    await page.go_back()
    await page.locator(".overview").wait_for()


async def test_it_is_used_by_its_keys(tab: OpenTab, whole_folder: str) -> None:
    opened = await tab(f"{whole_folder}index.html")
    page, keys = opened.page, opened.page.keyboard
    await page.locator(".overview").wait_for()
    await keys.press("?")
    await page.get_by_role("dialog", name="Keys").wait_for()
    await keys.press("Escape")
    await page.get_by_role("dialog").wait_for(state="detached")
    await keys.press("/")
    await page.locator("#search:focus").wait_for()
    await keys.type("seen")
    await _until(opened, "2 of 36 cases")
    await keys.press("Escape")
    await keys.press("j")
    await keys.press("j")
    await page.locator("a.open:focus").wait_for()
    await keys.press("Enter")
    await page.get_by_text("2 of 2").wait_for()
    await keys.press("r")
    await page.get_by_text("Question seen?").wait_for()
    await keys.press("k")
    await page.get_by_text("1 of 2").wait_for()
    await keys.press("Escape")
    await _until(opened, "2 of 36 cases")
    await keys.press("Escape")
    await page.locator(".overview").wait_for()


async def test_the_tab_key_leads_through_and_the_focus_is_seen(
    tab: OpenTab, whole_view: str
) -> None:
    opened = await tab(f"{whole_view}index.html#/cases")
    await _until(opened, "36 cases")
    await opened.page.keyboard.press("Tab")
    assert await opened.run("() => document.activeElement.textContent") == "Skip to the content"
    reached: list[str] = []
    for _ in range(12):
        await opened.page.keyboard.press("Tab")
        about = "e => e.textContent.trim() || e.getAttribute('aria-label') || e.id || e.type"
        seen = f"() => {{ const e = document.activeElement; return ({about})(e); }}"
        reached.append(await opened.run(seen))
        outline = "() => getComputedStyle(document.activeElement).outlineStyle"
        assert await opened.run(outline) != "none", reached
    assert [name for name in reached if "Cases" in name or "Reveal" in name], reached
    assert len(set(reached)) > 8, reached


async def test_light_and_dark_are_chosen_and_kept(tab: OpenTab, whole: str) -> None:
    opened = await tab(f"{whole}index.html", color_scheme="light")
    color = "() => getComputedStyle(document.body).backgroundColor"
    await opened.page.locator(".overview").wait_for()
    assert await opened.run(color) == "rgb(255, 255, 255)"
    theme = opened.page.get_by_role("button", name="Colors:")
    for _ in range(3):
        await theme.click()
        if await opened.run("() => document.documentElement.dataset.theme") == "dark":
            break
    dark = await opened.run(color)
    assert dark != "rgb(255, 255, 255)"
    await opened.page.reload()
    await opened.page.locator(".overview").wait_for()
    assert await opened.run(color) == dark
    other = await tab(f"{whole}index.html", color_scheme="dark")
    await other.page.locator(".overview").wait_for()
    assert await other.run(color) == dark


@pytest.mark.parametrize("place", ["", "#/cases", "#/case/seen/eager-7b/0"])
async def test_nothing_is_wider_than_a_phone(tab: OpenTab, whole_folder: str, place: str) -> None:
    opened = await tab(f"{whole_folder}index.html{place}", viewport=PHONE)
    await opened.page.locator("main h1").wait_for()
    assert await opened.sideways() == {}
    if "case/" in place:
        await opened.page.get_by_role("button", name="Reveal this case").click()
        await opened.page.get_by_text("Question seen?").wait_for()
        assert await opened.sideways() == {}


async def test_charts_are_files_to_be_had(tab: OpenTab, whole_view: str) -> None:
    opened = await tab(f"{whole_view}index.html")
    for form in ("SVG", "PNG", "CSV"):
        async with opened.page.expect_download() as coming:
            await opened.page.get_by_role("link", name=form).first.click()
        assert (await coming.value).suggested_filename.endswith(f".{form.lower()}")


_NOT_DRAWN = """async () => {
    const { figures } = await safejury.load("figures");
    const lost = {};
    const all = (tree) => typeof tree === "string" ? [] : [tree, ...tree.slice(2).flatMap(all)];
    for (const { name, tree } of figures) {
        const drawing = document.getElementById(`${name}-title`)?.closest("svg");
        if (!drawing) continue; // the page has a table instead
        const drawn = [drawing, ...drawing.querySelectorAll("*")];
        const missing = all(tree).flatMap(([element, attributes], at) =>
            drawn[at]?.localName !== element
                ? [element]
                : Object.keys(attributes).filter((key) => !drawn[at].hasAttribute(key)));
        if (missing.length) lost[name] = [...new Set(missing)];
    }
    return lost;
}"""


async def test_charts_are_drawn_whole(tab: OpenTab, whole_view: str) -> None:
    """What builds a chart knows all that charts are made of, such as hatches."""
    opened = await tab(f"{whole_view}index.html")
    await opened.page.locator("figure.chart svg pattern").first.wait_for(state="attached")
    assert await opened.run(_NOT_DRAWN) == {}
