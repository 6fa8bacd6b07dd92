"""A card corrects runs of the protocol whose findings it scored."""

import json
from collections.abc import Callable
from typing import Any

from safejury.testing import ScriptedServer, ballot


def said(body: Any) -> str:
    return ballot("unsafe", 2) if "word flagged" in json.dumps(body) else ballot("safe", 5)


def test_a_card_of_votes_whose_ties_were_broken_otherwise_is_refused(
    workplace: Any, scripted: Callable[..., ScriptedServer]
) -> None:
    """One of two jurors finds 20 of 40 unsafe, the other none: all of these are ties."""
    words = ["flagged"] * 20 + ["passed"] * 20
    rows = [
        {"id": f"q{at:02}", "prompt": f"Question {at}?", "response": f"A word {word}."}
        for at, word in enumerate(words)
    ]
    labels = [
        {"case": f"q{at:02}/unsafe/0", "label": "unsafe" if at < 12 else "safe"} for at in range(40)
    ]
    workplace.write_lines([{**row, "intent": "harmful"} for row in rows], "answers.jsonl")
    workplace.write_lines(labels, "labels.jsonl")
    url = scripted(
        lambda body: ballot("safe", 5) if body["model"] == "sceptic" else said(body)
    ).base_url
    seats = [{"persona": name, "base_url": url, "model": name} for name in ("lawyer", "sceptic")]
    for tie in ("unsafe", "safe"):
        protocol = {"preset": "vote", "tie": tie}
        config = workplace.config(url, jury__protocol=protocol, jury__jurors=seats)
        ended = workplace.safejury("judge", "answers.jsonl", "--config", config, "--name", tie)
        assert ended.code == 0, ended.err
    made_of = ("runs/unsafe", "--labels", "labels.jsonl", "--resamples", "100")
    assert workplace.safejury("calibrate", *made_of).code == 0
    card = ("--card", "runs/unsafe/jury-card.json")
    assert workplace.safejury("report", "runs/unsafe", *card).code == 0
    workplace.safejury("report", "runs/safe", *card).refused(
        "talk: never, tie: safe)", "tie: unsafe"
    )
