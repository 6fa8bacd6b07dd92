"""`examples/ci`: the workflow's steps are run as GitHub would, before and after a regression."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from safejury.testing import ScriptedReply, ScriptedServer, ballot, request_text

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples" / "ci"
VARIABLE = re.compile(r"\$\{\{ (?:vars|secrets)\.(\w+) \}\}")
COMPLYING = """
async def answer(question: str) -> str:
    return "Sure. Here is how, step by step."
"""


def reply(body: Mapping[str, object]) -> ScriptedReply | str:
    """Return a juror's ballot."""
    unsafe = "step by step" in request_text(body)
    return ballot("unsafe", 1) if unsafe else ballot("safe", 5, declined=True)


class Job:
    """A job of a workflow, run step by step in a fresh checkout, without what GitHub offers."""

    def __init__(self, checkout: Path, settings: Mapping[str, str]) -> None:
        said: Any = yaml.safe_load((checkout / "safejury.yml").read_text("utf-8"))
        (job,) = said["jobs"].values()
        self.checkout, self._steps = checkout, job["steps"]
        self.summary = checkout / "summary.md"
        self._env = {
            **os.environ,
            **{name: VARIABLE.sub(lambda m: settings[m[1]], v) for name, v in job["env"].items()},
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONSAFEPATH": "1",
            "COLUMNS": "80",
        }
        self.codes: dict[str, int] = {}
        self.said = ""

    def run(self) -> None:
        for step in self._steps:
            failed = any(self.codes.values())
            if "run" not in step or (failed and "cancelled()" not in step.get("if", "")):
                continue
            if step["name"] == "Install":  # this checkout is what is installed
                assert step["run"] == "pip install safejury"
                continue
            done = subprocess.run(
                ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
                cwd=self.checkout,
                env=self._env,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            self.codes[step["name"]] = done.returncode
            self.said += done.stdout + done.stderr


def checked_out(folder: Path, product: str | None = None) -> Path:
    shutil.copytree(EXAMPLE, folder)
    if product is not None:
        (folder / "product.py").write_text(product)
    return folder


@pytest.mark.slow
async def test_a_pull_request_passes_and_a_regression_does_not(tmp_path: Path) -> None:
    async with ScriptedServer(reply) as server:
        settings = {"JURY_URL": server.base_url, "JURY_KEY": "key-of-the-jury"}
        good = Job(checked_out(tmp_path / "good"), settings)
        worse = Job(checked_out(tmp_path / "worse", COMPLYING), settings)
        await asyncio.to_thread(good.run)
        await asyncio.to_thread(worse.run)

    assert good.codes == {"Judge": 0, "Decide": 0}, good.said
    assert good.summary.read_text("utf-8").startswith("### \N{WHITE HEAVY CHECK MARK} Gate of ")
    suite = ElementTree.parse(good.checkout / "junit.xml").getroot()[0]
    assert (suite.attrib["failures"], suite.attrib["errors"]) == ("0", "0")

    assert worse.codes == {"Judge": 0, "Decide": 1}, worse.said
    assert "| asr &gt; 10% | product | FAILED | 100.0 |" in worse.summary.read_text("utf-8")
    assert json.loads((worse.checkout / "gate.json").read_text("utf-8"))["exit_code"] == 1
    results = json.loads((worse.checkout / "safejury.sarif").read_text("utf-8"))["runs"][0]
    assert {
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for result in results["results"]
    } == {"gate.yaml"}
    # What is published of a run that holds harmful answers holds none of them.
    for name in ("summary.md", "junit.xml", "gate.json", "safejury.sarif"):
        assert "step by step" not in (worse.checkout / name).read_text("utf-8")


@pytest.mark.slow
async def test_a_jury_that_is_not_there_fails_the_job(tmp_path: Path) -> None:
    """Also the pull request of a fork, which gets no key."""
    for settings in (
        {"JURY_URL": "http://127.0.0.1:9/v1", "JURY_KEY": "key-of-the-jury"},
        {"JURY_URL": "http://127.0.0.1:9/v1", "JURY_KEY": ""},
    ):
        checkout = tmp_path / f"job{len(settings['JURY_KEY'])}"
        job = Job(checked_out(checkout), settings)
        await asyncio.to_thread(job.run)
        assert job.codes["Judge"] != 0
        assert job.codes["Decide"] in (2, 3), job.said
        assert "not decided" in job.summary.read_text("utf-8")


@pytest.mark.slow
async def test_answers_are_judged_among_the_tests_of_the_product(tmp_path: Path) -> None:
    project = checked_out(tmp_path / "project")
    async with ScriptedServer(reply) as server:
        config = (project / "config.yaml").read_text()
        (project / "config.yaml").write_text(
            config.replace("http://127.0.0.1:8001/v1", server.base_url)
        )
        documented = re.search(
            r"^pytest (.+)$", (project / "test_answers.py").read_text(), re.MULTILINE
        )
        assert documented is not None
        for product, code in ((None, 0), (COMPLYING, 1)):
            if product is not None:
                (project / "product.py").write_text(product)
            ended = await asyncio.to_thread(
                subprocess.run,
                [
                    *(sys.executable, "-P", "-m", "pytest", "-p", "safejury.testing._plugin"),
                    *("-p", "no:cacheprovider", *documented[1].split()),
                ],
                cwd=project,
                env={
                    **os.environ,
                    "JURY_KEY": "key-of-the-jury",
                    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
                },
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            assert ended.returncode == code, ended.stdout
            assert f"2 {'passed' if code == 0 else 'failed'}" in ended.stdout
