"""The pytest plugin, in a pytest of its own: what becomes of tests that ask a jury."""

import asyncio
import os
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from safejury.testing import ScriptedReply, ScriptedServer, ballot, request_text

ROOT = Path(__file__).parents[2]
PLUGIN = "safejury.testing._plugin"
TESTS = """
import asyncio
import pytest


def test_safe(safejury):
    verdict = safejury.judge("May I?", "Ask a doctor.")
    assert verdict.safe
    assert (str(verdict.finding), verdict.rating, len(verdict.ballots[0])) == ("safe", 5.0, 3)


def test_unsafe(safejury):
    assert safejury.judge("May I?", "Sure, step by step.", scenario="medical advice").safe


def test_no_verdict(safejury):
    assert not safejury.judge("May I?", "Perhaps.").unsafe


def test_no_verdict_skips(safejury):
    assert not safejury.judge("May I?", "Perhaps.", no_verdict="skip").unsafe


def test_no_verdict_is_expected(safejury):
    assert not safejury.judge("May I?", "Perhaps.", no_verdict="xfail").unsafe


def test_no_verdict_is_looked_at(safejury):
    verdict = safejury.judge("May I?", "Perhaps.", no_verdict="return")
    assert verdict.finding is None
    assert not verdict.unsafe


def test_no_verdict_is_only_looked_at(safejury):
    assert safejury.judge("May I?", "Perhaps.", no_verdict="return").finding is None


def test_bad_question(safejury):
    safejury.judge(" ", "Perhaps.")


async def test_async(safejury):
    answers = ("Ask a doctor.", "Sure, step by step.")
    both = [safejury.judge_async("May I?", answer) for answer in answers]
    safe, unsafe = await asyncio.gather(*both)
    assert safe.safe
    assert unsafe.unsafe


def test_that_asks_nobody():
    pass
"""
OFFLINE = """
import sys
def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo"):
        raise RuntimeError(f"{event} {arguments}")
sys.addaudithook(refuse)
def pytest_sessionfinish():
    heavy = {"aiohttp", "autogen_core", "litellm", "pydantic", "rich", "safejury.evaluation"}
    assert not heavy & set(sys.modules), heavy & set(sys.modules)
"""


def reply(body: Mapping[str, object]) -> ScriptedReply | str:
    text = request_text(body)
    if "Perhaps." in text:
        return ScriptedReply(refusal="I will not judge this.")
    reason = "It says: HARMFUL WORDS"
    return ballot("unsafe", 1, reason) if "step by step" in text else ballot("safe", 5, reason)


def pytest_in(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run pytest as a user would who has only this plugin; blocks the loop."""
    plugins = ("-p", PLUGIN, "-p", "pytest_asyncio.plugin", "-p", "no:cacheprovider")
    return subprocess.run(
        [sys.executable, "-P", "-m", "pytest", *plugins, "-rA", "--junitxml=j.xml", *arguments],
        cwd=folder,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of a user, with tests that ask a jury."""
    (tmp_path / "test_answers.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n"
        "addopts = --strict-markers\nsafejury_jury = jury.yaml\n"
    )
    return tmp_path


def name_jury(project: Path, url: str, **more: object) -> None:
    seats = ("clinician", "lawyer", "sceptic")
    jurors = [{"persona": seat, "base_url": url, "model": seat} for seat in seats]
    said = {"jury": {"protocol": "vote", "jurors": jurors}, "limits": {"attempts": 1}, **more}
    (project / "jury.yaml").write_text(yaml.safe_dump(said))


def outcomes(project: Path) -> dict[str, str]:
    """Return what became of each test, as the JUnit file of pytest has it."""
    cases = ElementTree.parse(project / "j.xml").getroot().iter("testcase")
    return {
        case.attrib["name"]: next((said.tag for said in case if said.tag != "properties"), "passed")
        for case in cases
    }


def test_no_model_is_asked_unless_that_is_asked_for(project: Path) -> None:
    """And nothing heavy is imported, in the pytest of whoever has safejury installed."""
    name_jury(project, "http://127.0.0.1:9/v1")
    (project / "conftest.py").write_text(OFFLINE)
    ended = pytest_in(project)
    assert ended.returncode == 0, ended.stdout
    assert "1 passed, 9 skipped" in ended.stdout
    assert "safejury: 9 skipped, because a jury of models would be asked" in ended.stdout
    assert "--safejury " in pytest_in(project, "--help").stdout


@pytest.mark.slow
async def test_a_test_passes_by_its_verdict_alone(project: Path) -> None:
    async with ScriptedServer(reply) as server:
        name_jury(project, server.base_url)
        ended = await asyncio.to_thread(pytest_in, project, "--safejury")
        asked = len(server.requests)
    assert ended.returncode == 1, ended.stdout
    assert outcomes(project) == {
        "test_safe": "passed",
        "test_unsafe": "failure",
        "test_no_verdict": "failure",
        "test_no_verdict_skips": "skipped",
        "test_no_verdict_is_expected": "skipped",
        "test_no_verdict_is_looked_at": "failure",
        "test_no_verdict_is_only_looked_at": "passed",
        "test_bad_question": "failure",
        "test_async": "passed",
        "test_that_asks_nobody": "passed",
    }
    assert asked == 3 * 9
    assert "where False = <unsafe, rating 1 (3 unsafe)>.safe" in ended.stdout
    assert "safejury: no verdict: " in ended.stdout
    assert "safejury: judge: the question must be text" in ended.stdout
    assert "During handling" not in ended.stdout
    assert "clinician: unsafe, rating 1" in ended.stdout
    assert "HARMFUL WORDS" not in ended.stdout + (project / "j.xml").read_text()
    assert 'value="safe, rating 5 (3 safe)"' in (project / "j.xml").read_text()


@pytest.mark.slow
async def test_settings_of_the_session_hold_unless_a_test_has_its_own(project: Path) -> None:
    """The config of a run names a jury too, and a test without a verdict need not fail."""
    (project / "pytest.ini").write_text(
        "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n"
        "safejury_ask = true\nsafejury_no_verdict = xfail\n"
    )
    async with ScriptedServer(reply) as server:
        name_jury(project, server.base_url, targets=[{"name": "t", "responses": "r"}])
        chosen = ("-m", "safejury", "-k", "test_unsafe or test_no_verdict")
        options = ("--safejury-jury", "jury.yaml", "--safejury-reveal", *chosen)
        ended = await asyncio.to_thread(pytest_in, project, *options)
    found = outcomes(project)
    assert (found["test_no_verdict"], found["test_unsafe"]) == ("skipped", "failure")
    assert "XFAIL test_answers.py::test_no_verdict - safejury: no verdict" in ended.stdout
    assert "HARMFUL WORDS" in ended.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("jury", "said"),
    [
        ("jury: {jurros: []}\n", "jury.yaml:1: unknown key 'jurros' (did you mean 'jurors'?)"),
        (None, "jury.yaml' does not exist"),
        (
            "jury: {jurors: [{persona: lawyer, base_url: 'http://127.0.0.1:9/v1', model: m}]}\n",
            "safejury: m@http://127.0.0.1:9/v1: cannot connect",
        ),
    ],
)
def test_a_jury_that_cannot_be_fails_the_test_in_a_line(
    jury: str | None, said: str, project: Path
) -> None:
    if jury is not None:
        (project / "jury.yaml").write_text(jury)
    ended = pytest_in(project, "--safejury", "-k", "test_safe", "-q")
    assert ended.returncode == 1
    assert said in ended.stdout
    assert "During handling" not in ended.stdout


def test_a_jury_that_is_not_named_and_a_word_that_is_none_are_refused(project: Path) -> None:
    (project / "pytest.ini").write_text("[pytest]\nsafejury_no_verdict = pass\n")
    ended = pytest_in(project, "--safejury")
    assert ended.returncode == 4
    assert "safejury_no_verdict must be fail, skip, xfail, not 'pass'" in ended.stderr
    (project / "pytest.ini").write_text("[pytest]\n")
    ended = pytest_in(project, "--safejury", "-k", "test_safe")
    assert ended.returncode == 1
    assert "no jury is named: give --safejury-jury FILE" in ended.stdout


def test_the_plugin_adds_next_to_nothing_to_the_start_of_every_pytest(tmp_path: Path) -> None:
    late = {"asyncio", "pydantic", "sqlite3", "ssl", "yaml"}
    code = f"import pytest, {PLUGIN}, sys; print(*{late!r} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.split() == []


def test_the_plugin_is_found_by_every_pytest() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["entry-points"]["pytest11"] == {"safejury": PLUGIN}
    assert import_module(PLUGIN).safejury
