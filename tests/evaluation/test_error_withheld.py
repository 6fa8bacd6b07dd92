"""An endpoint that quotes what it refuses: its words are withheld as the question is."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from safejury.testing import ScriptedReply, ScriptedServer

Start = Callable[..., ScriptedServer]


def _rejected(body: Mapping[str, object]) -> ScriptedReply:
    return ScriptedReply(f"rejected: {body['messages']}", status=400)


def test_an_error_that_quotes_the_question_is_withheld_until_it_is_revealed(
    workplace: Any, scripted: Start
) -> None:
    """On the screen, in exports, in the report and on the page; what to do about it stays."""
    server = scripted(_rejected)
    workplace.queries(
        {"id": "q1", "scenario": "bias", "text": "How to bake a quince?", "intent": "harmful"}
    )
    ended = workplace.safejury("run", workplace.config(server.base_url), "--min-coverage", "0")
    assert ended.code == 0, ended.err
    shown = [ended.out + ended.err]
    shown += [workplace.safejury("show", "runs/first", "q1").out]
    shown += [
        workplace.safejury("report", "runs/first", "--format", form, "--min-coverage", "0").out
        for form in ("table", "md", "json")
    ]
    for name in ("case.md", "case.html", "case.svg"):
        assert workplace.safejury("show", "runs/first", "q1", "--export", name).code == 0
        shown += [(workplace.path / name).read_text("utf-8")]
    assert not [text for text in shown if "quince" in text]
    assert sum("400: [withheld]" in " ".join(text.split()) for text in shown) >= 4
    revealed = workplace.safejury("show", "runs/first", "q1", "--reveal").out
    assert "rejected: " in revealed.replace("\n", " ")
    assert workplace.safejury("report", "runs/first", "--html", "page").code in (0, 3)
    data = "".join(path.read_text("utf-8") for path in (workplace.path / "page").rglob("*.js"))
    assert re.search(r'plain_detail[\\"]+:[\\" ]+target@[^"]+\(400: \[withheld\]\)', data)
