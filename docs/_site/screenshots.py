"""Takes the screenshots of the README from the tutorial's run.

    .venv/bin/python docs/_site/screenshots.py

needs Chromium, and writes `docs/screenshots/`. Look at the pictures before you commit them.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from io import BytesIO, StringIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import ViewportSize, sync_playwright
from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "screenshots"
CASE = "mini-investment-advice-1/eager-7b/0"
COLORS = 128
"""Colors of a picture: enough for a page, and a third of the bytes."""


@contextmanager
def tutorial_models(place: Path) -> Generator[None]:
    """Serve the tutorial's models, and write a config that names them."""
    examples = shutil.copytree(ROOT / "examples" / "tutorial", place / "tutorial")
    command = [sys.executable, "-P", str(examples / "models.py"), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as serving:
        try:
            assert serving.stdout is not None
            said = re.search(r"http://\S+/v1", serving.stdout.readline())
            assert said is not None
            config = examples / "safejury.yaml"
            address = config.read_text().replace("http://127.0.0.1:8001/v1", said[0])
            config.write_text(address)
            yield
        finally:
            serving.terminate()


def safejury(place: Path, *words: str) -> str:
    """Run a command, and return what it prints with its colors."""
    look = {"COLUMNS": "100", "FORCE_COLOR": "1", "TERM": "xterm-256color"}
    command = [sys.executable, "-P", "-m", "safejury", *words]
    done = subprocess.run(
        command, check=False, cwd=place, env={**os.environ, **look}, capture_output=True, text=True
    )
    return done.stdout


def save(picture: bytes, name: str) -> None:
    """Write a picture with fewer colors."""
    with Image.open(BytesIO(picture)) as image:
        image.convert("RGB").quantize(COLORS).save(FOLDER / f"{name}.png", optimize=True)


def main() -> None:
    """Make the run, its page and the pictures."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        place = Path(made)
        with tutorial_models(place):
            safejury(place, "run", "tutorial/safejury.yaml")
        safejury(place, "report", "runs/tutorial", "--html", "page")
        take_pages((place / "page" / "index.html").as_uri())
        write_terminal(
            safejury(
                place,
                "compare",
                "runs/tutorial",
                "--target-a",
                "careful-7b",
                "--target-b",
                "eager-7b",
            )
        )


def take_pages(address: str) -> None:
    """Take the overview, and a case that is revealed."""
    with sync_playwright() as play:
        path = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = play.chromium.launch(executable_path=path, args=["--no-sandbox"])
        size: ViewportSize = {"width": 1180, "height": 1120}
        for name, route in (("page", ""), ("case", f"#/case/{CASE}")):
            page = browser.new_page(
                viewport=size, color_scheme="light" if name == "page" else "dark"
            )
            page.goto(address + route)
            page.wait_for_timeout(1500)
            if name == "case":
                page.get_by_role("button", name="Reveal this case").click()
                page.wait_for_timeout(500)
            save(page.screenshot(), name)
        browser.close()


def write_terminal(printed: str) -> None:
    """Write the beginning of what a command printed as a terminal's picture."""
    lines = printed.splitlines()
    words, table, *_ = "\n".join(lines).partition("\n\n")[2].split("\n\n")
    shown = "\n".join([*lines[:3], "", words, "", table])
    console = Console(record=True, width=100, file=StringIO(), force_terminal=True)
    console.print(Text.from_ansi(shown))
    svg = console.export_svg(title="safejury compare")
    svg = re.sub(r"@font-face \{.*?\}\s*|<!--.*?-->\s*", "", svg, flags=re.DOTALL)
    (FOLDER / "compare.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
