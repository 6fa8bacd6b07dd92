"""`safejury generate` stopped, interrupted and repeated; and what it may not write down."""

import asyncio
import json
import shlex
import signal
import threading
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml
from dialogue_script import Prompt, Script
from generate_cli import safejury_here, served, start, write_config
from killed_stage import Body, HangsAfter, Reply

from safejury.generation import CallJournal
from safejury.testing import ScriptedReply, ScriptedServer

SECRET = "quite-a-secret"


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """Where the set is made."""
    return tmp_path / "sets" / "made"


def small(folder: Path, server: ScriptedServer, **changes: Any) -> str:
    """Write a config for one query, by one judge, and return its path."""
    usual: dict[str, Any] = {
        "panel": [{"name": "one", "base_url": server.base_url, "model": "one"}],
        "scenarios": ["ethics.bioethics"],
        "queries": {"per_scenario": 1, "over_generate": 2, "batch": 1},
        "limits": {"concurrency": 1},
        "set": {"name": "made", "directory": str(folder / "sets")},
    }
    return str(folder / write_config(folder, server.base_url, **usual | changes))


def secret_files(folder: Path) -> list[Path]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return [path for path in files if SECRET.encode() in path.read_bytes()]


def asked(server: ScriptedServer) -> Counter[str]:
    return Counter(json.dumps(body, sort_keys=True) for body in server.requests)


def test_a_set_is_made_until_a_stage_and_a_stage_once_more(tmp_path: Path, made: Path) -> None:
    with served(Script()) as server:
        arguments = ("generate", small(tmp_path, server), "--until")
        safejury_here(*arguments, "queries")
        assert (made / "queries.jsonl").exists()
        assert not (made / "twins.jsonl").exists()
        told = safejury_here(*arguments, "twins")
        assert "queries: up to date" in told
        twins = (made / "twins.jsonl").read_bytes()
        calls = len(server.requests)
        told = safejury_here(*arguments, "twins", "--again", "twins")
        assert "queries: up to date" in told
        assert "twins: up to date" not in told
        # The calls are in the journal.
        assert len(server.requests) == calls
    assert (made / "twins.jsonl").read_bytes() == twins
    assert not (made / "set.jsonl").exists()


@pytest.mark.parametrize("comes_back", [True, False])
def test_an_endpoint_that_goes_down_is_waited_for_and_costs_no_answer(
    tmp_path: Path, made: Path, comes_back: bool
) -> None:
    script, dying = Script(), list[asyncio.Task[None]]()

    async def die() -> None:
        await server.aclose()
        if comes_back:
            await server.start()

    def reply(body: Body) -> Reply:
        if server.stats.calls > 4 and not dying:
            dying.append(asyncio.get_running_loop().create_task(die()))
            return ScriptedReply(hang=True)
        return script(body)

    limits = {"concurrency": 1, "attempts": 1, "outage_patience": 20 if comes_back else 0.2}
    queries = {"per_scenario": 6, "over_generate": 2, "batch": 1}
    with served(reply) as server:
        config = small(tmp_path, server, limits=limits, queries=queries)
        arguments = ("generate", config, "--until", "queries")
        if not comes_back:
            told = " ".join(safejury_here(*arguments, code=3).split())
            assert f"the set is unfinished: {server.base_url} has not answered since" in told
            assert "repeat the command" in told
            assert not (made / "queries.jsonl").exists()
            asyncio.run_coroutine_threadsafe(server.start(), dying[0].get_loop()).result()
        safejury_here(*arguments)
        assert (made / "queries.jsonl").exists()
        assert server.stats.statuses[200] == len(asked(server))


def test_calls_that_always_fail_can_be_gone_without(tmp_path: Path, made: Path) -> None:
    script = Script()

    def down(prompt: Prompt) -> ScriptedReply | None:
        return ScriptedReply("down", status=500) if prompt.model == "two" else None

    script.twists["score"] = down
    with served(script) as server:
        panel = [
            {"name": name, "base_url": server.base_url, "model": name} for name in ("one", "two")
        ]
        limits = {"concurrency": 1, "attempts": 1}
        config = small(tmp_path, server, panel=panel, twins=None, limits=limits)
        told = safejury_here("generate", config, code=3)
        assert "--accept-failures" in told
        assert not (made / "set.jsonl").exists()
        told = safejury_here("generate", config, "--accept-failures")
        assert "queries: made 1 of 1, 2 model calls failed" in told
        assert "queries: up to date" in safejury_here("generate", config)
    judges = json.loads((made / "card.json").read_text())["judges"]
    assert [(one["judge"], one["given"], one["failed"]) for one in judges] == [
        ("one", 2, 0),
        ("two", 0, 2),
    ]


def test_who_says_that_they_may_needs_no_purpose(tmp_path: Path, made: Path) -> None:
    with served(Script()) as server:
        config = small(tmp_path, server, purpose=None, twins=None)
        safejury_here("generate", config, "--i-am-authorized")
    card = json.loads((made / "card.json").read_text())
    said = "authorized evaluation (stated on the command line)"
    assert card["purpose"] == said
    assert f"| {said} |" in (made / "card.md").read_text()


def test_one_process_makes_a_set_and_ctrl_c_says_how_to_go_on(tmp_path: Path, made: Path) -> None:
    script, hanging = HangsAfter(Script()), threading.Event()
    script.answers = 3

    def reply(body: Body) -> Reply:
        said = script(body)
        if script.hanging.is_set():
            hanging.set()
        return said

    with served(reply) as server:
        options = ("--i-am-authorised", "--set", "set.licence=CC BY 4.0", "--set", "pictures=null")
        arguments = ("generate", small(tmp_path, server, purpose=None, twins=None), *options)
        with start(tmp_path, *arguments) as first:
            try:
                assert hanging.wait(60)
                script.answers = None
                told = safejury_here(*arguments, code=2)
                assert "another process is making this set" in told.splitlines()[-1]
            finally:
                first.send_signal(signal.SIGINT)
            _, told = first.communicate(timeout=60)
        assert first.returncode == 130
        assert "Traceback" not in told
        (line,) = [line for line in told.splitlines() if line.startswith("Resume with: ")]
        command, *again = shlex.split(line.removeprefix("Resume with: "))
        safejury_here(*again)
    assert command == "safejury"
    assert (made / "set.jsonl").read_bytes()
    assert json.loads((made / "card.json").read_text())["license"] == "CC BY 4.0"
    assert len(script.answered) == len(set(script.answered))


def test_tokens_that_were_spent_count_when_the_command_is_repeated(
    tmp_path: Path, made: Path
) -> None:
    with served(Script()) as server:

        def config(tokens: int) -> str:
            limits = {"concurrency": 1, "max_tokens_total": tokens}
            return small(tmp_path, server, limits=limits, twins=None, pictures=None)

        told = safejury_here("generate", config(2500), code=3)
        assert "max_tokens_total" in told
        calls = len(server.requests)
        assert 0 < calls < 4
        safejury_here("generate", config(2500), code=3)
        assert len(server.requests) == calls
        safejury_here("generate", config(100_000))
    assert set(asked(server).values()) == {1}
    assert (made / "set.jsonl").exists()
    # What calls held while they were under way is taken back.
    with closing(CallJournal(made)) as journal:
        assert list(journal.costs_by_model()) == ["scripted"]


def test_what_is_secret_in_a_config_is_in_no_file_of_the_set(
    tmp_path: Path, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_KEY", SECRET)
    with served(Script()) as server:
        url = server.base_url.replace("://", f"://me:{SECRET}@")
        generator = {"base_url": url, "model": "writer"}
        panel = [
            {"name": "one", "base_url": server.base_url, "model": "one", "api_key_env": "A_KEY"}
        ]
        pictures = {
            "renderer": "placeholder",
            "size": 64,
            "base_url": f"{url}?key={SECRET}",
            "model": "m",
        }
        config = small(tmp_path, server, generator=generator, panel=panel, pictures=pictures)
        told = safejury_here("generate", config)
    kept = yaml.safe_load((made / "generate.yaml").read_text())
    assert kept["panel"][0]["api_key_env"] == "A_KEY"
    assert kept["generator"]["base_url"] == kept["pictures"]["base_url"] == server.base_url
    assert SECRET not in told
    assert secret_files(made) == []
