"""The page opens in a real browser, from disk and served, and asks for nothing but itself."""

import socket
from collections.abc import Awaitable, Callable

import pytest
from chromium import Tab

OpenTab = Callable[..., Awaitable[Tab]]

SINKS = (
    "document.body.innerHTML = '<img src=x onerror=window.harmed=1>'",
    "document.body.setAttribute('onclick', 'window.harmed = 2')",
    "document.createElement('script').text = 'window.harmed = 3'",
    "document.createElement('script').src = 'data:text/javascript,window.harmed=4'",
    "setTimeout('window.harmed = 5')",
)

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_it_shows_the_run(tab: OpenTab, whole: str) -> None:
    opened = await tab(f"{whole}index.html")
    await opened.page.get_by_text("36 cases").first.wait_for()
    await opened.page.get_by_text("careful-7b").first.wait_for()


async def test_no_script_but_its_own_is_run(tab: OpenTab, whole: str) -> None:
    """The policy of the page is obeyed, as it has to be where words were taken for markup."""
    opened = await tab(f"{whole}index.html", is_quiet=False)
    await opened.page.get_by_text("36 cases").first.wait_for()
    for sink in SINKS:
        refused = f"() => {{ try {{ {sink}; return false; }} catch {{ return true; }} }}"
        assert await opened.run(refused), sink
    await opened.run(
        """() => {
            const script = document.createElement("script");
            script.append("window.harmed = 7");
            document.body.append(script);
        }"""
    )
    assert not await opened.is_harmed()
    assert len([said for said in opened.said if "has been blocked" in said]) > len(SINKS) - 1


async def test_nothing_can_be_sent_elsewhere(tab: OpenTab, whole: str) -> None:
    opened = await tab(f"{whole}index.html", is_quiet=False)
    await opened.page.get_by_text("36 cases").first.wait_for()
    sent = """async (url) => {
        const image = document.createElement("img");
        const lost = new Promise((resolve) => image.addEventListener("error", resolve));
        image.src = url;
        document.body.append(image);
        await lost;
        navigator.sendBeacon(url, "x");
        try { await fetch(url); return true; } catch { return false; }
    }"""
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.setblocking(False)
        assert not await opened.run(sent, f"http://127.0.0.1:{elsewhere.getsockname()[1]}/x")
        with pytest.raises(BlockingIOError):
            elsewhere.accept()
