"""The journal of a set: what is paid for is kept, or the command ends at once."""

import json
import os
import signal
import stat
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from dialogue_script import Body, Reply, Script
from generate_cli import safejury, served, start, write_config

from safejury.testing import ScriptedReply

pytestmark = pytest.mark.slow

ONE = ["ethics.bioethics"]
MANY = {"per_scenario": 10, "over_generate": 3}


def test_a_full_disk_ends_the_command_and_no_kept_call_is_made_again(tmp_path: Path) -> None:
    with served(Script("say it plainly")) as server:
        config = write_config(
            tmp_path,
            server.base_url,
            scenarios=ONE,
            queries=MANY,
            panel=[{"name": "one", "base_url": server.base_url, "model": "one"}],
            pictures=None,
            limits={"concurrency": 1},
        )
        arguments = ("generate", config, "--until", "twins")
        child = start(tmp_path, *arguments, largest_file=34 * 1024)
        _, told = child.communicate(timeout=170)
        assert child.returncode == 2, told
        assert "calls.sqlite: a call cannot be saved" in told.splitlines()[-1]
        assert "Traceback" not in told
        made = len(server.requests)
        safejury(tmp_path, *arguments)
    asked = Counter(json.dumps(body, sort_keys=True) for body in server.requests)
    assert len(asked) > made
    # That which could not be kept, and with it the batches under way.
    assert sum(asked.values()) - len(asked) <= 4


def test_a_journal_that_is_damaged_is_named_and_nothing_is_asked(tmp_path: Path) -> None:
    with served(Script()) as server:
        config = write_config(tmp_path, server.base_url, scenarios=ONE, pictures=None)
        arguments = ("generate", config, "--until", "twins")
        safejury(tmp_path, *arguments)
        asked = len(server.requests)
        calls = tmp_path / "sets" / "made" / "calls.sqlite"
        whole = calls.read_bytes()
        for damaged in (whole[:4096] + b"\xa5" * (len(whole) - 4096), b"junk" * 2000):
            calls.write_bytes(damaged)
            _, told = safejury(tmp_path, *arguments, code=2)
            assert "calls.sqlite: calls cannot be read" in told.splitlines()[-1]
            assert "Traceback" not in told
        assert len(server.requests) == asked


def test_files_are_their_owners_alone_from_the_first_call_on(tmp_path: Path) -> None:
    scoring = threading.Event()

    def reply(body: Body) -> Reply:
        if "Score each request" not in json.dumps(body):
            return Script()(body)
        scoring.set()
        return ScriptedReply(hang=True)

    made = tmp_path / "sets" / "made"
    before = os.umask(0o022)
    try:
        with served(reply) as server:
            config = write_config(tmp_path, server.base_url, scenarios=ONE)
            child = start(tmp_path, "generate", config)
            assert scoring.wait(60)
            child.send_signal(signal.SIGKILL)
            child.communicate(timeout=60)
    finally:
        os.umask(before)
    paths = list(made.rglob("*"))
    assert {"calls.sqlite-wal", "unfinished"} <= {path.name for path in paths}
    for path in (made, *paths):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_what_lost_and_killed_calls_were_charged_outlives_the_process(
    tmp_path: Path,
) -> None:
    """A limit covers one call that no reply comes to, whatever becomes of the processes."""
    for killed in (False, True):
        with served(ScriptedReply(hang=True)) as server:
            one = {"base_url": server.base_url, "timeout": 60 if killed else 0.3}
            folder = tmp_path / str(killed)
            folder.mkdir()
            config = write_config(
                folder,
                server.base_url,
                scenarios=ONE,
                panel=[{"name": "one", "model": "one", **one}],
                generator={"model": "writer", **one},
                pictures=None,
                limits={"concurrency": 1, "attempts": 1, "max_tokens_total": 3_000},
            )
            arguments = ("generate", config, "--until", "queries")
            if killed:
                child = start(folder, *arguments)
                while not server.requests:
                    assert child.poll() is None
                    time.sleep(0.02)
                child.kill()
                child.communicate(timeout=60)
            else:
                safejury(folder, *arguments, code=3)
            assert len(server.requests) == 1
            _, told = safejury(folder, *arguments, code=3)
            assert "limits.max_tokens_total of 3,000 does not cover" in told
            assert len(server.requests) == 1
