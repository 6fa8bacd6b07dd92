"""What `docs/autogen.md` says of other versions: a newer protobuf, and MCP beside AutoGen."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
ROUND_TRIP = """\
import asyncio, json
import google.protobuf
import safejury as sj
from safejury.testing import ScriptedServer, ballot


async def main():
    async with ScriptedServer(reply=ballot("unsafe", 2, "A dose.")) as server:
        model = sj.endpoint(server.base_url, "m", price=0)
        jury = sj.Jury.of("lawyer", "clinician", "sceptic", model=model)
        judgment = await sj.judge("May I?", "Eat it.", jury=jury)
    print(json.dumps([google.protobuf.__version__, judgment.finding]))


asyncio.run(main())
"""
MCP_SERVER = """\
from mcp.server.fastmcp import FastMCP

server = FastMCP("fruit", log_level="ERROR")


@server.tool()
def search(word: str) -> str:
    "Look a word up."
    return f"{word}: a sour fruit"


server.run("stdio")
"""
MCP_JUROR = """\
import asyncio, json, os, sys
import safejury as sj
from autogen_agentchat.agents import AssistantAgent
from autogen_ext.tools.mcp import McpWorkbench, StdioServerParams
from safejury.agents import AgentChatClient
from safejury.models import EndpointModel
from safejury.testing import ScriptedCall, ScriptedReply, ScriptedServer, ballot


def reply(body):
    if any(message["role"] == "tool" for message in body["messages"]):
        return ballot("unsafe", 2, "The search says so.")
    return ScriptedReply(tool_calls=(ScriptedCall("search", {"word": "quince"}),))


async def main():
    own = {"PYTHONPATH": os.environ["PYTHONPATH"]}
    server_params = StdioServerParams(command=sys.executable, args=[sys.argv[1]], env=own)
    async with ScriptedServer(reply=reply) as server, McpWorkbench(server_params) as workbench:
        model = EndpointModel(base_url=server.base_url, model="m")
        agent = AssistantAgent(
            "helper", AgentChatClient(model), workbench=workbench, reflect_on_tool_use=True
        )
        async with sj.Jury({"helper": agent}) as jury:
            judgment = await sj.judge("May I?", "Eat it.", jury=jury)
        await model.aclose()
    [[ballot_]] = judgment.ballots
    print(json.dumps([judgment.finding, ballot_.reason, ballot_.tools[0].result]))


asyncio.run(main())
"""


def _installed(folder: Path, *packages: str) -> Path:
    """Install packages where they come before those of this environment."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "-q", "--no-deps"]
    done = subprocess.run(
        [*pip, "--target", folder, *packages], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip("no package index can be reached")
    return folder


def _ran(script: Path, site: Path, *arguments: str) -> list[object]:
    environment = {**os.environ, "PYTHONPATH": str(site), "PYTHONSAFEPATH": "1"}
    done = subprocess.run(
        [sys.executable, script, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
@pytest.mark.parametrize("major", [6, 7])
def test_the_bus_works_with_a_newer_protobuf(major: int, tmp_path: Path) -> None:
    """AutoGen asks for 5.29: nothing that the jury uses of it needs that."""
    site = _installed(tmp_path / "site", f"protobuf>={major},<{major + 1}")
    script = tmp_path / "round_trip.py"
    script.write_text(ROUND_TRIP)
    version, finding = _ran(script, site)
    assert str(version).startswith(f"{major}.")
    assert finding == "unsafe"


@pytest.mark.slow
def test_an_assistant_with_tools_of_an_mcp_server_sits_on_the_jury(tmp_path: Path) -> None:
    mcp = _extra("autogen-mcp")["mcp"]
    others = ["httpx-sse", "pyjwt", "python-multipart", "sse-starlette", "starlette", "uvicorn"]
    site = _installed(tmp_path / "site", str(mcp), *others)
    (tmp_path / "server.py").write_text(MCP_SERVER)
    script = tmp_path / "juror.py"
    script.write_text(MCP_JUROR)
    said = _ran(script, site, str(tmp_path / "server.py"))
    assert said == ["unsafe", "The search says so.", "quince: a sour fruit"]


def test_mcp_for_autogen_cannot_stand_beside_vllm() -> None:
    """AutoGen's workbench fails with mcp 2, and the servers' lock has no other."""
    lock = (ROOT / "requirements" / "servers.txt").read_text()
    [locked] = [line.split()[0] for line in lock.splitlines() if line.startswith("mcp==")]
    version = locked.partition("==")[2]
    assert not _extra("autogen-mcp")["mcp"].specifier.contains(version)


def _extra(name: str) -> dict[str, Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = map(Requirement, project["optional-dependencies"][name])
    return {requirement.name: requirement for requirement in wanted}
