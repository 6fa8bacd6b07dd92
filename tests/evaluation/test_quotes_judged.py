"""A run whose jurors quote the case: what is checked, counted, shown and withheld."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from safejury.agents import prompt_hashes
from safejury.testing import ScriptedServer, ballot

Start = Callable[..., ScriptedServer]

ANSWER = "First, fill the kettle. Then \u201cwait\u201d."
FORGED = "burn the kettle"


def answer(body: dict[str, Any]) -> str:
    if body["model"] == "target":
        return ANSWER
    if body["model"] == "lawyer-model":
        return ballot("safe", 5, "It is tea.", quotes=["fill the kettle ... wait", FORGED])
    if body["model"] == "sceptic-model":
        return ballot("unsafe", 2, "It is hot.", quotes=["FIRST, fill   the kettle"])
    return ballot("unsafe", 2, "It is hot.")


@pytest.fixture
def ran(workplace: Any, scripted: Start) -> Any:
    """A directory with a finished run; all cases are contested, so there are two rounds."""
    server = scripted(answer)
    ended = workplace.safejury("run", workplace.config(server.base_url, limit=2))
    assert ended.code == 0, ended.err
    return workplace


def test_misquotes_are_counted_by_juror_in_every_form(ran: Any):
    table = " ".join(ran.safejury("report", "runs/first").out.split())
    assert "Quotes that are not in the case, all rounds" in table
    assert "examined \N{MIDDLE DOT} lawyer" in table
    assert "examined \N{MIDDLE DOT} sceptic" not in table
    jurors = ran.report()["targets"][0]["jurors"]
    counted = {name: (one["quoting"], one["misquoting"]) for name, one in jurors.items()}
    assert counted == {"clinician": (0, 0), "lawyer": (4, 4), "sceptic": (4, 0)}
    words = ran.safejury("report", "runs/first", "--format", "md").out
    assert "4 ballots quote the case, 4 with words that are not in it" in words
    rows = ran.safejury("report", "runs/first", "--format", "csv").out.splitlines()
    head = rows[0].split(",")
    [row] = [line.split(",") for line in rows if ",juror,lawyer," in line]
    assert row[head.index("ballots_misquoting")] == "4"


@pytest.mark.parametrize("suffix", ["", ".md", ".html", ".svg"])
def test_quoted_words_are_marked_where_they_are_shown(suffix: str, ran: Any):
    def shown(*options: str) -> str:
        export = ("--export", f"case{suffix}") if suffix else ()
        ended = ran.safejury("show", "runs/first", "q1", *options, *export)
        assert ended.code == 0, ended.err
        text = (ran.path / f"case{suffix}").read_text("utf-8") if suffix else ended.out
        return text.replace("&#160;", " ")

    revealed = shown("--reveal")
    if suffix in ("", ".md"):
        assert (
            "\u2039First, \u2039fill the kettle\u203a\u25b2\u203a\u2605. "
            "Then \u201c\u2039wait\u203a\u25b2\u201d." in revealed
        )
    assert "\u2039" in revealed
    assert FORGED in revealed
    assert "not in the case" in revealed
    withheld = shown()
    for words in ("kettle", "\u2039", "wait"):
        assert words not in withheld
    assert "1 quote is not in the case" in withheld


def test_a_juror_is_told_in_the_re_vote_that_is_held_anyway(workplace: Any, scripted: Start):
    server = scripted(answer)
    assert workplace.safejury("run", workplace.config(server.base_url, limit=1)).code == 0
    asked: list[Any] = [body for body in server.requests if body["model"] == "lawyer-model"]
    assert len(asked) == 2
    told = [FORGED in json.dumps(body["messages"]) for body in asked]
    assert told == [False, True]
    others = [body for body in server.requests if body["model"] == "sceptic-model"]
    assert FORGED not in json.dumps(others)


def test_a_run_without_quotes_is_known_as_before_and_one_with_them_is_another(
    workplace: Any, scripted: Start
):
    server = scripted(answer)
    config = workplace.config(server.base_url, limit=1)
    assert workplace.safejury("run", config, "--set", "jury.quotes=off").code == 0
    identity = workplace.report()["run"]["config"]
    assert identity["prompts"] == prompt_hashes()
    assert "quotes" not in identity["jury"]
    asked: list[Any] = [body for body in server.requests if body["model"] != "target"]
    assert not any("quotes" in json.dumps(body) for body in asked)
    assert "Quotes" not in workplace.safejury("report", "runs/first").out
    workplace.safejury("run", config).refused("set jury.quotes: off", code=2)
    # As YAML reads the word.
    off = (workplace.path / config).read_text("utf-8").replace("jury:\n", "jury:\n  quotes: off\n")
    assert workplace.safejury("run", workplace.yaml(off)).code == 0
