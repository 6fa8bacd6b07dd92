"""The front door opens at once: what is heavy waits until it is needed, and so does the network."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("PIL", "aiohttp", "autogen_core", "litellm", "pydantic", "rich", "torch", "uvloop")
LATE = (
    *("safejury.common.text._refusal_words", "urllib.request"),
    *("asyncio", "safejury.cli.console._options", "safejury.cli.run._run"),
)
"""What takes a tenth of the time of a start each, and what few commands need."""
AFTER_A_RUN = ("safejury.evaluation.report", "safejury.evaluation.trust")
"""What the report of a run needs, and its first request does not."""
WHILE_IT_RUNS = ("safejury.common.text._refusal_words", "safejury.agents.juror._summary_claims")
"""Patterns for what models say, which take time to compile."""
ELSEWHERE = (
    *("autogen_agentchat.teams", "psutil", "requests", "safejury.agents.autogen._agent_factory"),
    *("safejury.deliberation.transcript", "safejury.models.leases"),
    *("safejury.evaluation.record.merging", "safejury.evaluation.record.sharing"),
    *("safejury.targets.fleet._fleet", "safejury.targets.recorded.readers.formats"),
)
"""What seats of agents, managed servers, workers, recorded responses and other commands need."""
RUN = """
import safejury.cli.run._evaluate, safejury.evaluation.runner, safejury.deliberation
from safejury.deliberation.bus._entry_messages import JURY_MESSAGES
built = [message.__name__ for message in JURY_MESSAGES if message.__pydantic_complete__]
assert not built, built
"""
RECORD = Path(__file__).parents[1] / "evaluation" / "record_format_2"
"""A run that an earlier version recorded."""

ASKED = """
import asyncio, sys, threading
from safejury.cli import main
from safejury.testing import ScriptedServer, ballot
imported = []
async def serve(ready):
    async with ScriptedServer(reply=reply) as server:
        addresses.append(server.base_url)
        ready.set()
        await asyncio.Event().wait()
def reply(body):
    imported.append(sorted(set(sys.modules) & set({heavy!r})))
    return ballot("safe", 5) if body["model"] == "juror" else "No."
addresses, ready = [], threading.Event()
threading.Thread(target=lambda: asyncio.run(serve(ready)), daemon=True).start()
ready.wait()
sys.argv = ["safejury", "run", "--limit", "1", "--target-model", "model", "--jurors", "juror"]
sys.argv += [f"--target-url={{addresses[0]}}", f"--url={{addresses[0]}}"]
try:
    main()
except SystemExit as end:
    assert end.code == 0, end.code
assert imported[0] == [], imported[0]
assert len(imported) == 4, imported
"""
LOADED = """
import sys
imported = sorted(set(sys.modules) & set({heavy!r}))
assert not imported, imported
"""
OFFLINE = """
import sys
def refuse(event, arguments):
    if event.startswith("socket."):
        raise RuntimeError(f"{event} {arguments}")
sys.addaudithook(refuse)
"""
HELP = """
import sys
from safejury.cli import main
sys.argv = ["safejury", *sys.argv[1:]]
try:
    main()
except SystemExit as end:
    assert end.code in (0, None), end.code
"""
SPARED = """
import sys
from safejury.cli.console import spare_requests
spare_requests()
import autogen_core, jsonref
assert "requests" not in sys.modules
assert jsonref.replace_refs({"a": {"$ref": "#/b"}, "b": 1}, proxies=False)["a"] == 1
import requests
assert requests.Session
"""
WALK = """
import sys
from typer.testing import CliRunner
from safejury.cli import app
for arguments in {commands!r}:
    ended = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert ended.exit_code in (0, 2, 3), ended.output
    imported = sorted(set(sys.modules) & set({heavy!r}))
    assert not imported, (arguments, imported)
"""
EVERYTHING = """
from importlib import import_module
for name in ("datasets", "models", "targets", "agents", "deliberation", "evaluation"):
    package = import_module(f"safejury.{name}")
    for public in package.__all__:
        getattr(package, public)
"""


def run(code: str, *arguments: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_the_package_imports_nothing_heavy(tmp_path: Path):
    run("import safejury" + LOADED.format(heavy=HEAVY), folder=tmp_path)


def test_help_imports_nothing_heavy(tmp_path: Path):
    code = HELP + LOADED.format(heavy=[*HEAVY, *LATE])
    assert "Usage: safejury" in run(code, "--help", folder=tmp_path)


@pytest.mark.parametrize("command", ["run", "deliberate", "report", "demo"])
def test_help_on_a_command_imports_nothing_heavy(tmp_path: Path, command: str):
    # Typer itself reads a command's parameters with pydantic.
    code = HELP + LOADED.format(heavy=[name for name in HEAVY if name != "pydantic"])
    assert f"Usage: safejury {command}" in run(code, command, "--help", folder=tmp_path)


def test_what_calls_no_model_loads_neither_autogen_nor_a_client(tmp_path: Path):
    record = str(shutil.copytree(RECORD, tmp_path / "record"))
    commands = [
        ["report", record],
        ["show", record],
        ["show", record, "q1"],
        ["cases", record, "--format", "csv"],
        ["verify", record],
        ["scenarios"],
        ["personas"],
        ["datasets", "list"],
        ["datasets", "show", "mini"],
    ]
    heavy = ("autogen_agentchat", "autogen_core", "litellm")
    lists = WALK.format(commands=commands, heavy=(*heavy, "aiohttp"))
    asks = WALK.format(commands=[["doctor"], ["probe", "no-address"]], heavy=heavy)
    run(lists + asks, folder=tmp_path)


def test_a_run_begins_before_what_only_its_end_and_its_talk_need_is_loaded(tmp_path: Path):
    run(RUN + LOADED.format(heavy=[*AFTER_A_RUN, *WHILE_IT_RUNS, "litellm"]), folder=tmp_path)


def test_a_run_asks_before_what_other_runs_need_is_loaded(tmp_path: Path):
    run(ASKED.format(heavy=[*AFTER_A_RUN, *ELSEWHERE, "litellm"]), folder=tmp_path)


def test_a_command_spares_requests_for_jsonref_alone(tmp_path: Path):
    run(SPARED, folder=tmp_path)


def test_help_opens_no_socket(tmp_path: Path):
    assert "Usage: safejury" in run(OFFLINE + HELP, "--help", folder=tmp_path)


def test_importing_every_public_name_opens_no_socket(tmp_path: Path):
    run(OFFLINE + EVERYTHING, folder=tmp_path)
