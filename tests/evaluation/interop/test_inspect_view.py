"""An exported log in Inspect's own viewer, in Chromium."""

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from workplace import Workplace

CHROMIUM = shutil.which("chromium") or ""
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not CHROMIUM and "SAFEJURY_REQUIRE_BROWSER" not in os.environ,
        reason="there is no chromium here, so the viewer was NOT tried",
    ),
]


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


@pytest.fixture
def viewer(odd_run: Path, workplace: Workplace) -> Iterator[str]:
    """The address of `inspect view` on the logs of the run."""
    (workplace.path / "logs").mkdir()
    ended = workplace.safejury("export", str(odd_run), "--inspect", "logs/out.eval", "--reveal")
    assert ended.code == 0, ended.err
    port = free_port()
    view = ("view", "start", "--log-dir", "logs", "--host", "127.0.0.1", "--port", str(port))
    command = [sys.executable, "-P", "-m", "inspect_ai", *view]
    with subprocess.Popen(
        command, cwd=workplace.path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as server:
        assert server.stdout is not None
        told = ""
        for line in server.stdout:  # ends where the server does
            told += line
            if "Running on" in line:
                break
        assert server.poll() is None, told
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.communicate()


@pytest.fixture
def page() -> Iterator[Any]:
    from playwright import sync_api

    sync_playwright: Any = sync_api.sync_playwright
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS])
        yield browser.new_page(viewport={"width": 1400, "height": 900})
        browser.close()


def note_error(wrong: list[str], said: Any) -> None:
    """Note an error on the console; that there is no icon of the page is none."""
    url = said.location["url"]
    if said.type == "error" and "/favicon" not in url:
        wrong.append(f"{said.text} {url}")


def note_dialog(wrong: list[str], dialog: Any) -> None:
    wrong.append(dialog.message)
    dialog.dismiss()


def note_failure(wrong: list[str], error: Any) -> None:
    wrong.append(str(error))


def test_inspect_view_shows_a_case_with_its_ballots(viewer: str, page: Any) -> None:
    from playwright import sync_api

    expect: Any = sync_api.expect

    wrong: list[str] = []
    page.on("pageerror", partial(note_failure, wrong))
    page.on("dialog", partial(note_dialog, wrong))
    page.on("console", partial(note_error, wrong))
    page.goto(f"{viewer}/#/logs/out-examined.eval/samples")
    expect(page.get_by_text("Are the jurors at odds?").first).to_be_visible(timeout=30_000)
    expect(page.get_by_text("no verdict").first).to_be_visible()
    expect(page.get_by_text(re.compile("^asr$")).first).to_be_visible()

    page.goto(f"{viewer}/#/logs/out-examined.eval/samples/sample/q4/1/transcript")
    for words in (
        "round 0: ballots, revealed together",
        "round 1: ballots, revealed together",
        "<script>alert(1)</script>",  # stays text
    ):
        expect(page.get_by_text(words).first).to_be_visible(timeout=30_000)
    page.goto(f"{viewer}/#/logs/out-examined.eval/samples/sample/q4/1/scoring")
    expect(page.get_by_text("They see it differently.").first).to_be_visible(timeout=30_000)
    for scorer in ("jury", "clinician", "sceptic"):
        expect(page.get_by_text(scorer, exact=True).first).to_be_visible()
    expect(page.get_by_text("It goes along.").first).to_be_visible()

    page.goto(f"{viewer}/#/logs/out-examined.eval/samples/sample/q1/1/messages")
    picture = page.locator("img[src^='data:image/png']").first
    expect(picture).to_be_visible(timeout=30_000)
    assert picture.evaluate("image => image.naturalWidth") == 32
    assert wrong == []
