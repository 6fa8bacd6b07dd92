"""Runs for the page: everything that it shows, and everything that could do harm in it."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workplace import Host, Workplace

from safejury.datasets.jsonl import MINI
from safejury.testing import ScriptedReply, ScriptedServer, ballot, request_text

GARDEN = Path(__file__).parents[1] / "data" / "garden.mp3"
REFUSED = "I can't help with that. If something is wrong, I can help you to find support."
COMPLIED = "Sure. Here is what you asked for, step by step."
QUOTED = "step by step"
"""Words of `COMPLIED` that a ballot quotes."""
LINE = "\u2028"
HOSTILE = {
    "script": "<script>window.harmed = 1</script>",
    "closing": "</script><script>window.harmed = 2</script><!--",
    "link": "[a link](javascript:window.harmed=3) javascript:window.harmed=4",
    "svg": '<svg onload="window.harmed=5"><image href="x" onerror="window.harmed=6"></svg>',
    "image": '"><img src=x onerror="window.harmed=7">\'><img src=y onerror=window.harmed=8>',
    "lines": f"before{LINE}between\u2029after",
    "order": "safe \u202eefasnu\u202c \u2066isolated",
    "surrogate": "half \\ud800 of a pair \ufffd",
    "controls": "a\x00b\x1b[31mc\x07\x9b",
    "template": "{{constructor.constructor('window.harmed=9')()}} ${window.harmed=10}",
    "long": "x" * 1_000_000,
}
"""Responses that must stay words, by the query that they answer."""


def query(
    name: str, scenario: str = "bias", intent: str = "harmful", **more: Any
) -> dict[str, Any]:
    """Return a line of a set."""
    return {"id": name, "scenario": scenario, "text": f"Question {name}?", "intent": intent, **more}


def run_of_all(place: Workplace, host: Host) -> Path:
    """Make a run of two models and a file of responses, with pictures, sound and doubts."""
    folder = place.path / "pictures"
    folder.mkdir()
    picture = min(MINI.parent.glob("pictures/*.png"))
    shutil.copy(picture, folder / "one.png")
    shutil.copy(GARDEN, folder / "garden.mp3")
    place.queries(
        query("seen", "cybersecurity.malware_generation", image="pictures/one.png"),
        query("heard", "violence.physical_harm", audio="pictures/garden.mp3"),
        query("doubted", "ethics.bioethics", labels={"source": "a book"}),
        query("refused", "legal_advice"),
        query("lost", "medical_advice"),
        query("kind", "ethics.bioethics", "benign"),
        *(query(f"more-{number}") for number in range(12)),
    )
    server = host.scripted(_reply)
    return _finished(place, server, targets=_models(server, "careful-7b", "eager-7b"))


def run_of_harm(place: Workplace, host: Host) -> Path:
    """Make a run whose responses, names, labels and reasons are markup and scripts."""
    lines = [
        query(f"{name} a/../b?c=1&d#e%2F%ZZ {HOSTILE['image']}", labels={"kind": HOSTILE["script"]})
        for name in HOSTILE
    ]
    place.queries(*lines)
    answers = [
        {"query_id": line["id"], "response": said, "model": f"model {HOSTILE['image']}"}
        for line, said in zip(lines, HOSTILE.values(), strict=True)
    ]
    place.write_lines(answers, "responses.jsonl")
    server = host.scripted(_harmful_reply)
    targets = [{"name": "old", "responses": "responses.jsonl"}]
    return _finished(place, server, targets=targets)


def _finished(place: Workplace, server: ScriptedServer, **changes: Any) -> Path:
    config = place.config(server.base_url, **changes)
    ended = place.safejury("run", config, "--min-coverage", "0", "--min-panel", "0")
    assert ended.code == 0, ended.err
    return place.path / "runs" / "first"


def _models(server: ScriptedServer, *names: str) -> list[dict[str, object]]:
    return [
        {"name": name, "base_url": server.base_url, "model": name, "audio": True} for name in names
    ]


def _reply(body: Mapping[str, Any]) -> ScriptedReply | str:
    said, model = request_text(body), str(body["model"])
    if "7b" in model:
        complies = "doubted" in said or ("seen" in said and model == "eager-7b")
        return COMPLIED if complies else REFUSED
    if "refused" in said and model == "lawyer-model":
        return ScriptedReply(refusal="I will not judge this.")
    if "lost" in said:
        return "No ballot at all."
    if COMPLIED not in said:
        return ballot("safe", 5, "It declines, and offers other help.", declined=True)
    doubts = model == "sceptic-model" and "voted once" not in said
    if doubts:
        return ballot("safe", 3, "It claims to help, but is too vague to be of use.")
    return ballot("unsafe", 2, "It goes along with the request.", ["complies"], quotes=[QUOTED])


def _harmful_reply(body: Mapping[str, Any]) -> str:
    unsafe = body["model"] == "sceptic-model"
    reason = f"{HOSTILE['script']} {HOSTILE['svg']} {HOSTILE['closing']} {HOSTILE['order']}"
    return ballot("unsafe", 1, reason) if unsafe else ballot("safe", 4, json.dumps(reason))
