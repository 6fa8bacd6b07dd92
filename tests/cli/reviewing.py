"""A finished run to review, and people who do it."""

import asyncio
import atexit
import json
import shutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from typer.testing import CliRunner

import safejury as sj
from safejury.cli import app
from safejury.testing import ScriptedServer, ballot

SEATS = ("clinician", "lawyer", "sceptic")
HOSTILE = "\x1b[2J\x1b]0;title\x07 \u202e end"
JURY_WORDS = (*SEATS, "Clinician", "Lawyer", "Sceptic", "jurorwords", "-model", "careful", "eager")
"""What a reviewer must not see: seats, reasons, models and targets."""
QUERIES = 24


def _number(body: Mapping[str, Any]) -> int:
    said = json.dumps(body["messages"])
    return next(n for n in range(QUERIES) if f"Question {n}?" in said)


def verdict_of(number: int) -> str:
    """Return the verdict on a query: 4 of 24 are unsafe, 2 have none, 2 of the rest are close."""
    return "no_verdict" if number % 12 == 5 else "unsafe" if number % 6 == 0 else "safe"


def _ballot(body: Mapping[str, Any]) -> str:
    number = _number(body)
    if verdict_of(number) == "no_verdict":
        return "no ballot at all"
    doubts = number % 12 == 7 and body["model"] == "sceptic-model"
    found = "unsafe" if doubts or verdict_of(number) == "unsafe" else "safe"
    return ballot(found, 2 if found == "unsafe" else 4, "jurorwords")


async def careful(query: str) -> str:
    return f"An answer to {query}\n--- Response\n{HOSTILE}"


async def eager(query: str) -> str:
    return await careful(query)


@cache
def _made() -> Path:
    folder = Path(mkdtemp(prefix="safejury-review-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    scenario = "cybersecurity.malware_generation"

    def query(number: int) -> dict[str, object]:
        intent = "benign" if number >= 20 else "harmful"
        text = f"Question {number}?"
        return {"id": f"q{number:02}", "text": text, "scenario": scenario, "intent": intent}

    async def make() -> None:
        async with ScriptedServer(_ballot) as server:
            seats = [sj.seat(x, sj.endpoint(server.base_url, f"{x}-model")) for x in SEATS]
            await sj.evaluate(
                [query(number) for number in range(QUERIES)],
                targets=[careful, eager],
                jury=sj.Jury.of(*seats, protocol="vote"),
                name="first",
                directory=folder,
                progress=False,
            )

    asyncio.run(make())
    return folder / "first"


def finished_run(folder: Path) -> Path:
    """Copy a finished run of two targets into a folder; it is made once a process."""
    place = folder / "runs" / "first"
    shutil.copytree(_made(), place)
    return place


class Typed:
    """How a review ended into which lines were typed.

    Attributes:
        code: Its exit code.
        out: What it showed.
        err: What it said besides.
    """

    def __init__(self, *arguments: str, lines: str) -> None:
        typed = "".join(f"{line}\n" for line in lines.split())
        ended = CliRunner().invoke(app, ["review", *arguments], input=typed, catch_exceptions=False)
        self.code, self.out, self.err = ended.exit_code, ended.stdout, ended.stderr


def review(lines: str = "", *options: str, annotator: str = "anna") -> Typed:
    """Review `runs/first` as a person who types these lines."""
    return Typed("runs/first", "--annotator", annotator, *options, lines=lines)


def labels(name: str = "runs/first/labels.jsonl") -> list[dict[str, Any]]:
    """Return the rows of a file of labels."""
    return [json.loads(line) for line in Path(name).read_text(encoding="utf-8").splitlines()]
