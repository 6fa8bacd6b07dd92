"""Fixtures of the tests of the page: runs, and a real browser."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from chromium import LAPTOP, Tab, launch, require
from page_runs import run_of_all, run_of_harm
from viewing import viewing
from workplace import Host, Workplace, keys_end_with_their_test, scripted, workplace

if TYPE_CHECKING:
    from playwright.async_api import Browser

__all__ = ["keys_end_with_their_test", "scripted", "workplace"]


@pytest.fixture(scope="session")
def _host() -> Iterator[Host]:
    host = Host()
    yield host
    host.close()


def _made(make: Callable[[Workplace, Host], Path], folder: Path, host: Host) -> Path:
    with pytest.MonkeyPatch.context() as moved:
        moved.chdir(folder)
        return make(Workplace(folder), host)


@pytest.fixture(scope="session")
def whole_run(_host: Host, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of everything that a page shows, to be read and not changed."""
    return _made(run_of_all, tmp_path_factory.mktemp("whole"), _host)


@pytest.fixture(scope="session")
def harmful_run(_host: Host, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of markup and scripts, to be read and not changed."""
    return _made(run_of_harm, tmp_path_factory.mktemp("harm"), _host)


def _folder(run: Path) -> str:
    """Return the address of a run's page on disk."""
    place = Workplace(run.parents[1])
    folder = place.path / "page"
    ended = place.safejury("report", str(run), "--html", str(folder), "--min-panel", "0")
    assert ended.code in (0, 3), ended.err
    return f"{folder.as_uri()}/"


@pytest.fixture(scope="session")
def whole_folder(whole_run: Path) -> str:
    """The address of the page of `whole_run` on disk."""
    return _folder(whole_run)


@pytest.fixture(scope="session")
def harmful_folder(harmful_run: Path) -> str:
    """The address of the page of `harmful_run` on disk."""
    return _folder(harmful_run)


@pytest.fixture(scope="session")
def whole_view(whole_run: Path) -> Iterator[str]:
    """The address of the page of `whole_run` as `safejury view` serves it."""
    with viewing(Workplace(whole_run.parents[1]), whole_run) as served:
        yield served.url


@pytest.fixture(scope="session")
def harmful_view(harmful_run: Path) -> Iterator[str]:
    """The address of the page of `harmful_run` as `safejury view` serves it."""
    with viewing(Workplace(harmful_run.parents[1]), harmful_run) as served:
        yield served.url


@pytest.fixture(params=["folder", "view"])
def whole(request: pytest.FixtureRequest) -> str:
    """The address of the page of `whole_run`, from disk and served."""
    return request.getfixturevalue(f"whole_{request.param}")


@pytest.fixture(params=["folder", "view"])
def harmful(request: pytest.FixtureRequest) -> str:
    """The address of the page of `harmful_run`, from disk and served."""
    return request.getfixturevalue(f"harmful_{request.param}")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator["Browser"]:
    """The browser of all tests."""
    require()
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await launch(playwright)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def tab(browser: "Browser") -> AsyncIterator[Callable[..., Awaitable[Tab]]]:
    """Open tabs, each in a profile of its own; `is_quiet=False` where one may complain."""
    async with AsyncExitStack() as stack:
        quiet: list[Tab] = []

        async def open_tab(url: str, *, is_quiet: bool = True, **options: Any) -> Tab:
            settings: dict[str, Any] = {"viewport": LAPTOP, **options}
            context = await browser.new_context(**settings)
            stack.push_async_callback(context.close)
            opened = Tab(await context.new_page())
            if is_quiet:
                quiet.append(opened)
            opened.home = url.partition("#")[0].removesuffix("index.html")
            await opened.page.goto(url)
            return opened

        yield open_tab
        assert [said for each in quiet for said in each.said] == []
        assert [url for each in quiet for url in (*each.failed, *each.foreign())] == []
