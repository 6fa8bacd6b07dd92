"""Work on text from outside grows with its length, whatever the text.

Work is CPU time of this process, which other processes do not add to: the least of a few
tries on `SHORT` characters and on 16 times as many. Linear work grows 16 times and quadratic
256 times; the bound between them leaves room for what does not grow and for noise.
"""

import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from safejury.agents import Case
from safejury.agents.ballot import parse_ballot
from safejury.agents.case import fenced
from safejury.common.text import is_refusal
from safejury.datasets import Intent, Query
from safejury.deliberation import CaseOpened, export_transcript, render_case
from safejury.models import Completion, Redactor, decode_error
from safejury.targets import Response, ResponseOutcome, VllmSpec, explain_log

SHORT, TIMES, MOST = 1500, 16, 64
UNMEASURABLE_S = 0.0005
"""Less CPU time than this says nothing: a clock's step, a page fault."""
ZERO_WIDTH = "\u200b"
Work = Callable[[str], object]


def repeated(unit: str, before: str = "", after: str = "") -> Callable[[int], str]:
    """Make text of a given length that repeats a unit."""
    return lambda length: before + unit * (length // len(unit)) + after


def around_a_slash(length: int) -> str:
    half = ZERO_WIDTH * (length // 2)
    return f"<{half}/{half}"


SHAPES: dict[str, Callable[[int], str]] = {
    "letters": repeated("a"),
    "spaces": repeated(" "),
    "lines": repeated("\n"),
    "zero-width after <": repeated(ZERO_WIDTH, "<"),
    "zero-width around /": around_a_slash,
    "short zero-width runs": repeated(f"<{ZERO_WIDTH * 60}"),
    "<": repeated("<"),
    "<|": repeated("<|"),
    "< and a letter": repeated("<a"),
    "[AAAA": repeated("[AAAA"),
    "[ and one long name": repeated("A", "["),
    "users of an address": repeated("a:", "://"),
    "addresses": repeated("://aaaa:"),
    "api_key": repeated("api_key"),
    "api_key and spaces": repeated(" ", "api_key"),
    "api_key= and spaces": repeated(" ", "api_key=", "x"),
    "beginnings of a secret": repeated("correct-horse-"),
    "open braces": repeated("{"),
    "open arrays": repeated("[", '{"finding": '),
    "open quotes": repeated('{"a":"'),
    "one open quote": repeated("a", '{"finding": "'),
    "backslashes": repeated("\\", '{"reason": "'),
    "ballots": repeated('{"finding": "safe", "rating": 5} '),
    "thinking": repeated("<think>"),
    "thought": repeated("</think>"),
    "code fences": repeated("```json\n"),
    "ticks": repeated("`"),
    "have to": repeated("have to ", "I ", "x"),
    "adverbs": repeated(" slowly", "I cannot"),
    "as an AI": repeated("AI ", "As an "),
    "quotation marks": repeated('"'),
    "violat": repeated("violat"),
    "places of errors": repeated("'loc': ("),
    "dotted names": repeated("a."),
    "pid=": repeated("pid=1", "("),
    "Free memory on device": repeated("Free memory on device "),
    "Error": repeated("Error"),
    "escapes": repeated("\x1b[31m"),
    "wide letters": repeated("\u6f22"),
    "combining marks": repeated("e\u0301"),
    "markup": repeated("[red]"),
}


def fence(text: str) -> object:
    return fenced("RESPONSE", text, "0123456789abcdef01234567")


def parse(text: str) -> object:
    return parse_ballot(Completion(text, "stop"), evidence=text)


def redact(text: str) -> object:
    redactor = Redactor()
    redactor.register("correct-horse-battery")
    return redactor.redact(text)


def complaint(text: str) -> object:
    return decode_error(json.dumps({"error": {"message": text}}).encode())


def log(text: str) -> object:
    return explain_log(text, VllmSpec.of("org/model", python="python"))


def cpu_seconds(work: Work, text: str, tries: int) -> float:
    """Return the least CPU time of a few tries, in seconds."""
    spent: list[float] = []
    for _ in range(tries):
        begun = time.process_time()
        work(text)
        spent.append(time.process_time() - begun)
    return min(spent)


def grows_too_fast(work: Work, shape: str) -> bool:
    """Return whether 16 times the text is near 256 times the work."""
    few = max(UNMEASURABLE_S, cpu_seconds(work, SHAPES[shape](SHORT), 2))
    much = SHAPES[shape](SHORT * TIMES)
    # On a busy machine a single measurement may be off: growth shows in all of them.
    return all(cpu_seconds(work, much, times) > MOST * few for times in (1, 2, 2, 2))


@pytest.mark.parametrize("work", [fence, parse, redact, is_refusal, complaint, log])
def test_the_work_grows_with_the_text(work: Work) -> None:
    assert [shape for shape in SHAPES if grows_too_fast(work, shape)] == []


@pytest.fixture
def shown(tmp_path: Path) -> dict[str, Work]:
    """What shows a response: the terminal, and each form of an export."""

    def entries(text: str) -> list[Any]:
        query = Query("q", "ethics.bioethics", text[: len(text) // 4], Intent.HARMFUL)
        response = Response(ResponseOutcome.ANSWERED, text)
        return [CaseOpened("q", 0, Case("q", query, response, "Guideline."))]

    def terminal(text: str) -> None:
        console = Console(file=io.StringIO(), width=100, force_terminal=True)
        console.print(render_case(entries(text), (), target="t", protocol="p", reveal=True))

    def export(suffix: str) -> Work:
        path = tmp_path / f"case{suffix}"
        return lambda text: export_transcript(entries(text), (), path, target="t", reveal=True)

    return {"terminal": terminal} | {form: export(form) for form in (".html", ".svg", ".md")}


@pytest.mark.parametrize("form", ["terminal", ".html", ".svg", ".md"])
def test_the_work_of_a_view_grows_with_the_text(form: str, shown: dict[str, Work]) -> None:
    shapes = ("letters", "zero-width after <", "lines", "ticks", "escapes", "wide letters")
    assert [shape for shape in shapes if grows_too_fast(shown[form], shape)] == []
