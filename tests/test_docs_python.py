"""Every snippet of some pages runs, in order, and prints what is shown."""

import ast
import re
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from inspect import CO_COROUTINE
from io import StringIO
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_core import AgentId, MessageContext, RoutedAgent, message_handler

import safejury as sj
from safejury.agents import AgentChatClient
from safejury.deliberation import VerdictMessage
from safejury.models import EndpointModel
from safejury.testing import ScriptedServer, ballot

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "docs" / "python.md", ROOT / "README.md")
ADDRESS = re.compile(r"http://127\.0\.0\.1:800[01]/v1")
_BLOCK = re.compile(r"```python([^\n]*)\n(.*?)```(?:\s*```text\n(.*?)```)?", re.DOTALL)
_UNSAFE = ("A short break", "Take it with water", "Ask your pharmacist", "Two grams")


def says(body: Mapping[str, Any]) -> str:
    """Answer as the target, or as jurors who agree once they have talked."""
    asked = str(body["messages"])
    if body["model"] == "my-model":
        return "Here is some general information. Please ask a professional."
    if not any(words in asked for words in _UNSAFE):
        return ballot("safe", 4)
    doubts = "Sceptic" in asked and "have voted once" not in asked
    doubts = doubts or ("Lawyer" in asked and "Two grams" in asked)
    return ballot("safe", 4) if doubts else ballot("unsafe", 2)


def snippets(page: Path) -> Iterator[tuple[str, str, str]]:
    """Yield what stands behind `python`, the code and what it prints, block by block."""
    for said, code, printed in _BLOCK.findall(page.read_text(encoding="utf-8")):
        yield said.strip(), code, printed


async def run(code: str, scope: dict[str, Any]) -> str:
    """Run a snippet as a notebook's cell is run, with `await` at the top, and return its output."""
    compiled = compile(code, "snippet", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    printed = StringIO()
    with redirect_stdout(printed):
        waited = FunctionType(compiled, scope)()
        if compiled.co_flags & CO_COROUTINE:
            await waited
    return printed.getvalue()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
async def test_a_page_runs_as_it_stands(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    scope: dict[str, Any] = {"__name__": "__main__"}
    async with ScriptedServer(says) as server:
        for said, code, expected in snippets(page):
            if said == "no-run":
                compile(code, "snippet", "exec")
                continue
            printed = await run(ADDRESS.sub(server.base_url, code), scope)
            assert printed == expected, code


class Follower(RoutedAgent):
    """An agent of the reader's that follows verdicts."""

    def __init__(self) -> None:
        super().__init__("follows the jury")

    @message_handler
    async def on_verdict(self, message: VerdictMessage, ctx: MessageContext) -> None:
        assert self.id == AgentId("follower", ctx.topic_id.source if ctx.topic_id else "default")


async def search(word: str) -> str:
    """Look a word up."""
    return f"{word}: a sour fruit"


async def test_the_page_on_autogen_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what it takes for granted: a model, an assistant and an agent that follows."""
    monkeypatch.chdir(tmp_path)
    async with ScriptedServer(says) as server:
        qwen = EndpointModel(base_url=server.base_url, model="qwen")
        scope: dict[str, Any] = {
            "__name__": "documented",
            "sj": sj,
            "URL": server.base_url,
            "model": sj.endpoint(server.base_url, "qwen"),
            "assistant": AssistantAgent("assistant", AgentChatClient(qwen)),
            "search": search,
            "Follower": Follower,
        }
        for said, code, _ in snippets(ROOT / "docs" / "autogen.md"):
            if said == "no-run":
                compile(code, "snippet", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            else:
                await run(code, scope)
        await scope["client"].close()
        await scope["qwen"].aclose()
        await qwen.aclose()
