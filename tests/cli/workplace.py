"""Runs of the real command line against real servers, in a directory of their own."""

import asyncio
import copy
import csv
import io
import json
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from preloaded import Forked, preloaded
from terminal import Terminal
from typer.testing import CliRunner

from safejury.cli import app
from safejury.models import redactor
from safejury.testing import ScriptedServer

QUERIES = (
    ("q1", "cybersecurity.malware_generation", "harmful"),
    ("q2", "violence.physical_harm", "harmful"),
    ("q3", "ethics.bioethics", "benign"),
)


@pytest.fixture(autouse=True)
def keys_end_with_their_test() -> Iterator[None]:
    """Let no key of one test be hidden in the words of the next."""
    before = copy.deepcopy(vars(redactor))
    yield
    vars(redactor).update(before)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    def refused(self, *said: str, code: int = 2) -> None:
        """Check that it was refused with one line that says all of `said`."""
        assert self.code == code, self.err
        assert self.err.startswith("safejury: error: "), self.err
        assert self.err.count("\n") == 1, self.err
        assert self.err.endswith("\n")
        for words in said:
            assert words in self.err


@dataclass(frozen=True, slots=True)
class Workplace:
    """A directory in which commands are run as a user would run them."""

    path: Path

    def queries(self, *lines: Mapping[str, object] | str, name: str = "queries.jsonl") -> None:
        """Write a query file; a short one that is right unless lines are given."""
        rows = lines or [
            {"id": name, "scenario": scenario, "text": f"Question {name}?", "intent": intent}
            for name, scenario, intent in QUERIES
        ]
        self.write_lines(rows, name)

    def many(self, cases: int) -> None:
        """Write a set of so many queries, all of one scenario."""
        one = {"scenario": "bias", "intent": "harmful"}
        self.queries(*({"id": f"q{n:03}", "text": f"Question {n}?", **one} for n in range(cases)))

    def write_lines(
        self, lines: Iterable[Mapping[str, object] | str | bytes], name: str = "answers.jsonl"
    ) -> str:
        """Write mappings as JSON and all else as it is, a line each, and return the file's name."""
        rows = [json.dumps(line) if isinstance(line, Mapping) else line for line in lines]
        raw = [row.encode() if isinstance(row, str) else row for row in rows]
        (self.path / name).write_bytes(b"".join(row + b"\n" for row in raw))
        return name

    def lines(self, files: str = "runs/first/batch/*.jsonl") -> list[dict[str, Any]]:
        """Return all lines of some files: those of an export, unless others are named."""
        texts = [path.read_text(encoding="utf-8") for path in sorted(self.path.glob(files))]
        return [json.loads(line) for text in texts for line in text.splitlines()]

    def recorded(self, url: str = "http://127.0.0.1:9/v1", **changes: object) -> str:
        """Write a config like `config`, whose target is a file of responses to all queries."""
        rows = [{"query_id": name, "response": f"An answer to {name}."} for name, *_ in QUERIES]
        self.write_lines(rows, "responses.jsonl")
        targets = [{"name": "old", "responses": "responses.jsonl"}]
        return self.config(url, targets=targets, **changes)

    def config(self, url: str = "http://127.0.0.1:9/v1", **changes: object) -> str:
        """Write a config of one target and three jurors at `url`, and return its name.

        Keys of `changes` are paths with `__` for dots, and replace what they lead to.
        """
        seats = ("clinician", "lawyer", "sceptic")
        data: dict[str, Any] = {
            "dataset": "queries.jsonl",
            "targets": [{"name": "examined", "base_url": url, "model": "target"}],
            "jury": {
                "protocol": "contested",
                "jurors": [
                    {"persona": seat, "base_url": url, "model": f"{seat}-model"} for seat in seats
                ],
            },
            "limits": {"attempts": 1},
            "run": {"name": "first"},
        }
        for path, value in changes.items():
            *steps, last = path.split("__")
            place: Any = data
            for step in steps:
                place = place[int(step)] if step.isdecimal() else place.setdefault(step, {})
            place[int(last) if last.isdecimal() else last] = value
        if not (self.path / "queries.jsonl").exists():
            self.queries()
        return self.yaml(yaml.safe_dump(data, sort_keys=False))

    def yaml(self, text: str) -> str:
        """Write a config as it stands, and return its name."""
        (self.path / "safejury.yaml").write_text(text, encoding="utf-8")
        return "safejury.yaml"

    def safejury(self, *arguments: str) -> Ended:
        """Run a command in this process."""
        result = CliRunner().invoke(app, arguments, catch_exceptions=False)
        return Ended(result.exit_code, result.stdout, result.stderr)

    def at(self, terminal: Terminal, *arguments: str, **environment: str) -> Forked:
        """Start a command at a terminal."""
        inherited = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
        return preloaded().start(
            arguments,
            cwd=self.path,
            env={**inherited, "TERM": "xterm-256color", **environment},
            largest_file=None,
            terminal=terminal.name,
        )

    def start(self, *arguments: str, largest_file: int | None = None) -> Forked:
        """Start a command as a process of its own.

        `largest_file` is the size in bytes at which writing to a file fails.
        """
        environment = dict(os.environ) | {"NO_COLOR": "1"}
        return preloaded().start(
            arguments, cwd=self.path, env=environment, largest_file=largest_file
        )

    def spawn(self, *arguments: str, largest_file: int | None = None) -> Ended:
        """Run a command as a process of its own; see `start`."""
        with self.start(*arguments, largest_file=largest_file) as process:
            out, err = process.communicate(timeout=120)
        assert process.returncode is not None
        return Ended(process.returncode, out, err)

    def from_the_beginning(self, *arguments: str) -> Ended:
        """Run a command as a process that begins with Python itself, which takes a second."""
        done = subprocess.run(
            [sys.executable, "-P", "-m", "safejury", *arguments],
            cwd=self.path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def stored(self, sql: str, *values: str, run: str = "runs/first") -> list[tuple[Any, ...]]:
        """Return rows of a run's record."""
        with closing(sqlite3.connect(self.path / run / "record.sqlite")) as database:
            return database.execute(sql, values).fetchall()

    def kept(self, sql: str, *values: str, run: str = "runs/first") -> list[tuple[Any, ...]]:
        """Return rows of the record of a run that may only just have begun; none without one."""
        with suppress(sqlite3.Error):
            return self.stored(sql, *values, run=run)
        return []

    def responses(self) -> dict[str, dict[str, Any]]:
        """Return the responses of a run by case, as its transcripts have them."""
        rows = self.stored("SELECT case_id, body FROM entries WHERE kind = 'CaseOpened'")
        return {name: json.loads(body)["case"]["response"] for name, body in rows}

    def csv(self, run: str = "runs/first") -> list[dict[str, str]]:
        """Return the rows of a run's CSV report."""
        ended = self.safejury("report", run, "--format", "csv")
        assert ended.code == 0, ended.err
        return list(csv.DictReader(io.StringIO(ended.out)))

    def report(self, run: str = "runs/first") -> dict[str, Any]:
        """Return a run's JSON report, whatever its figures rest on."""
        accepted = ("--min-coverage", "0", "--min-panel", "0")
        ended = self.safejury("report", run, "--format", "json", *accepted)
        assert ended.code == 0, ended.err
        return cast(dict[str, Any], json.loads(ended.out))


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    monkeypatch.chdir(tmp_path)
    return Workplace(tmp_path)


class Host:
    """Runs servers on an event loop in a thread of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()
        self._servers: list[ScriptedServer] = []

    def scripted(self, *arguments: Any, **options: Any) -> ScriptedServer:
        server = ScriptedServer(*arguments, **options)
        asyncio.run_coroutine_threadsafe(server.start(), self.loop).result(10)
        self._servers.append(server)
        return server

    def close(self) -> None:
        for server in self._servers:
            asyncio.run_coroutine_threadsafe(server.aclose(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


@pytest.fixture
def scripted() -> Iterator[Callable[..., ScriptedServer]]:
    """Start scripted servers, with the arguments of `ScriptedServer`."""
    host = Host()
    yield host.scripted
    host.close()
