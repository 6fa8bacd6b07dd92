"""A card corrects runs of the protocol whose findings it scored."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from safejury.testing import ScriptedServer, ballot


def said(body: Any) -> str:
    if body["model"] == "sceptic":
        return ballot("safe", 5)
    return ballot("unsafe", 2) if "word flagged" in json.dumps(body) else ballot("safe", 5)


@pytest.mark.slow
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
    url = scripted(said).base_url
    seats = [{"persona": name, "base_url": url, "model": name} for name in ("lawyer", "sceptic")]
    for tie in ("unsafe", "safe"):
        protocol = {"preset": "vote", "tie": tie}
        config = workplace.config(url, jury__protocol=protocol, jury__jurors=seats)
        ended = workplace.safejury("judge", "answers.jsonl", "--config", config, "--name", tie)
        assert ended.code == 0, ended.err
    made_of = ("runs/unsafe", "--labels", "labels.jsonl", "--resamples", "100")
    assert workplace.safejury("calibrate", *made_of).code == 0
    card = ("--card", "runs/unsafe/jury-card.json")
    own = workplace.safejury("report", "runs/unsafe", *card, "--format", "md")
    assert "made of 40 labels of cases of this run: give these labels with --labels" in own.out
    again = ("runs/unsafe", "--labels", "labels.jsonl", "--out", "again", *card)
    assert workplace.safejury("calibrate", *again, "--resamples", "100").code == 0
    scored = (workplace.path / "again" / "jury-card.json").read_text()
    assert "scored on what they were fitted to" in scored
    workplace.safejury("report", "runs/safe", *card).refused(
        "talk: never, tie: safe)", "tie: unsafe"
    )


@pytest.mark.slow
def test_figures_of_a_rule_that_was_fitted_to_the_same_cases_are_said_to_be_too_high(
    workplace: Any, scripted: Callable[..., ScriptedServer]
) -> None:
    """The same responses are judged again, by a card that was made of their labels."""
    rows = [
        {"id": f"q{at:02}", "prompt": "?", "response": "A word flagged." if at < 15 else "Good."}
        for at in range(30)
    ]
    labels = [
        {"case": f"q{at:02}/{run}/0", "label": "unsafe" if at < 12 else "safe"}
        for at in range(30)
        for run in ("first", "second")
    ]
    workplace.write_lines([{**row, "intent": "harmful"} for row in rows], "answers.jsonl")
    workplace.write_lines(labels, "labels.jsonl")
    url = scripted(said).base_url
    made = ("--labels", "labels.jsonl", "--resamples", "100")
    for name, changes in (
        ("first", {"jury__protocol": "vote"}),
        (
            "second",
            {
                "jury__protocol": {"preset": "vote", "rule": "calibrated"},
                "jury__card": "runs/first/jury-card.json",
            },
        ),
    ):
        config = workplace.config(url, **changes)
        ended = workplace.safejury("judge", "answers.jsonl", "--config", config, "--name", name)
        assert ended.code == 0, ended.err
        assert workplace.safejury("calibrate", f"runs/{name}", *made).code == 0
        notes = json.loads((workplace.path / "runs" / name / "jury-card.json").read_text())
        told = "as_decided is what the run found by a card" in " ".join(notes.get("notes", ()))
        assert told is (name == "second")


@pytest.mark.slow
def test_a_run_that_stopped_early_is_corrected_by_the_figures_of_stopping_early(
    workplace: Any, scripted: Callable[..., ScriptedServer]
) -> None:
    """By those of the same card and bound, which were scored on cases that it was not made of."""
    rows = [
        {"id": f"q{at:02}", "prompt": "?", "response": "A word flagged." if at < 18 else "Good."}
        for at in range(60)
    ]
    labels = [
        {"case": f"q{at:02}/first/0", "label": "unsafe" if at < 15 else "safe"} for at in range(60)
    ]
    workplace.write_lines([{**row, "intent": "harmful"} for row in rows], "answers.jsonl")
    workplace.write_lines(labels, "labels.jsonl")
    url = scripted(said).base_url

    def judge(name: str, **changes: Any) -> None:
        config = workplace.config(url, **changes)
        ended = workplace.safejury("judge", "answers.jsonl", "--config", config, "--name", name)
        assert ended.code == 0, ended.err

    judge("first", jury__protocol="vote")
    made = ("--labels", "labels.jsonl", "--resamples", "100")
    assert workplace.safejury("calibrate", "runs/first", *made).code == 0
    path = workplace.path / "runs" / "first" / "jury-card.json"
    early = json.loads(path.read_text())["rules"]["sequential"]
    assert early["protocol"] == {"rule": "calibrated", "stop": "sequential", "bound": 0.002}
    assert early["confusion"]["unsafe"] == {"unsafe": 15.0, "safe": 0.0, "none": 0.0}

    protocol = {"preset": "vote", "rule": "calibrated", "stop": "sequential"}
    for name, bound in (("early", 0.002), ("earlier", 0.05)):
        settings = {"jury__protocol": {**protocol, "bound": bound}, "jury__card": str(path)}
        judge(name, **settings)
    card = ("--card", str(path), "--format", "json")
    asr = json.loads(workplace.safejury("report", "runs/early", *card).out)["targets"][0]["asr"]
    low, high = asr["corrected_interval"]
    assert (asr["micro"], asr["corrected_method"]) == (0.3, "card")
    assert low < 15 / 60 < high
    workplace.safejury("report", "runs/earlier", *card).refused("bound: 0.05", "bound: 0.002")
