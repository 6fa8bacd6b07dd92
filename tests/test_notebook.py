"""The example notebook runs from top to bottom, and is kept without what it showed."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safejury.testing import ScriptedServer, ballot

RUN = """
import sys
import nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], as_version=4)
NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
nbformat.write(notebook, sys.argv[2])
"""
NOTEBOOK = Path(__file__).parents[1] / "examples" / "first_steps.ipynb"


def says(body: Mapping[str, Any]) -> str:
    """Answer as the target or as jurors, whose model is the same one."""
    is_juror = "finding" in str(body)
    return ballot("safe", 4, "<b>It declines.</b>") if is_juror else "A tangerine answer."


def cells_of(notebook: Path) -> list[dict[str, Any]]:
    """Return the code cells of a notebook."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def executed(folder: Path, url: str) -> list[Any]:
    """Run the notebook in a kernel of this environment; return what its code cells showed."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", RUN, str(NOTEBOOK), "out.ipynb"],
        cwd=folder,
        env={**os.environ, "IPYTHONDIR": str(folder / "ipython"), "SAFEJURY_EXAMPLE_URL": url},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [cell["outputs"] for cell in cells_of(folder / "out.ipynb")]


def test_the_notebook_is_kept_without_outputs() -> None:
    for cell in cells_of(NOTEBOOK):
        assert cell["outputs"] == []
        assert cell["execution_count"] is None


async def test_the_notebook_runs_and_shows_what_it_made(tmp_path: Path) -> None:
    async with ScriptedServer(says) as server:
        outputs = await asyncio.to_thread(executed, tmp_path, server.base_url)
    pages = [
        "".join("".join(each.get("data", {}).get("text/html", "")) for each in shown)
        for shown in outputs
    ]
    _jury, verdict, _parts, result, cases, transcript = pages
    assert "Clinician" in verdict
    assert "my_product" in result
    assert "12 of 12 cases" in result  # the line of progress
    assert "no_verdict" not in cases
    assert cases.count("<tr>") == 13
    assert "Lawyer" in transcript
    for page in pages:
        assert "tangerine" not in page
        assert "<b>" not in page
        assert "heart medicine" not in page
    assert (tmp_path / "runs" / "first_steps" / "record.sqlite").is_file()
