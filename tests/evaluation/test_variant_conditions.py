"""`voices:` and `images: [naive]`: other media of a set for a query, as conditions of a run."""

import base64
import hashlib
import json
import wave
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from study_set import write_set
from workplace import Workplace

from safejury.testing import ScriptedServer, ballot

Start = Callable[..., ScriptedServer]
VOICES = {"anna": 800, "bert": 1600}


@pytest.fixture
def place(workplace: Workplace) -> Workplace:
    """Two queries with a picture and its first drawing, the first one spoken by two people."""
    rows: list[dict[str, Any]] = []
    for name in ("q1", "q2"):
        for file, color in ((f"{name}.png", "orange"), (f"{name}-first.png", "teal")):
            Image.new("RGB", (20, len(rows) + 10), color).save(workplace.path / file)
        row = {"id": name, "scenario": "bias", "text": f"Question {name}?", "intent": "harmful"}
        rows.append({**row, "image": f"{name}.png", "naive": f"{name}-first.png"})
    for voice, frames in VOICES.items():
        with wave.open(str(workplace.path / f"{voice}.wav"), "wb") as sound:
            sound.setparams((1, 2, 8000, 0, "NONE", "NONE"))
            sound.writeframes(bytes(frames))
    rows[0] |= {"audio": "anna.wav", "voices": {voice: f"{voice}.wav" for voice in VOICES}}
    workplace.queries(*rows)
    return workplace


def reply(body: Mapping[str, Any]) -> str:
    return "An answer." if body["model"] == "target" else ballot("safe", 5)


def sent(server: ScriptedServer) -> list[tuple[str, ...]]:
    """Return hashes of the media of each request to the target, shortened."""
    found = list[tuple[str, ...]]()
    for body in server.requests:
        if body["model"] == "target":
            found.append(tuple(_media(json.loads(json.dumps(body["messages"])))))
    return sorted(found)


def _media(messages: list[dict[str, Any]]) -> Iterator[str]:
    for message in messages:
        content: str | list[dict[str, Any]] = message["content"]
        for part in () if isinstance(content, str) else content:
            if "input_audio" in part:
                yield _digest(part["input_audio"]["data"])
            if "image_url" in part:
                yield _digest(part["image_url"]["url"].partition(",")[2])


def _digest(data: str) -> str:
    return hashlib.sha256(base64.b64decode(data)).hexdigest()[:8]


def _file(place: Workplace, name: str) -> str:
    return hashlib.sha256((place.path / name).read_bytes()).hexdigest()[:8]


def _config(place: Workplace, server: ScriptedServer, **changes: object) -> str:
    target = {"name": "examined", "base_url": server.base_url, "model": "target", "audio": True}
    options: dict[str, Any] = {"jury__transcriber": "never", "jury__protocol": "vote"}
    return place.config(server.base_url, **{"targets": [target], **options, **changes})


def test_each_voice_is_a_condition_of_its_own(place: Workplace, scripted: Start) -> None:
    server = scripted(reply)
    config = _config(place, server, sound=["audio", "audio+text"], voices=["anna", "bert"])
    ended = place.safejury("run", config, "--min-panel", "0")
    assert ended.code == 0, ended.err
    picture = _file(place, "q1.png")
    heard = sorted({name for name in media if name != picture} for media in sent(server))
    assert [*map(sorted, heard)].count([_file(place, "anna.wav")]) == 2
    assert [*map(sorted, heard)].count([_file(place, "bert.wav")]) == 2
    conditions = {
        row[0] for row in place.stored("SELECT json_extract(result, '$.condition') FROM cases")
    }
    assert conditions == {"audio:anna", "audio:bert", "audio+text:anna", "audio+text:bert"}
    assert not place.stored("SELECT 1 FROM entries WHERE body LIKE '%variants%'")
    assert place.safejury("verify", "runs/first").code == 0
    compared = place.safejury(
        *("compare", "runs/first", "--condition", "audio:anna", "--condition", "audio:bert")
    )
    assert compared.code in (0, 2), compared.err


def test_the_first_drawing_is_shown_in_place_of_the_picture(
    place: Workplace, scripted: Start
) -> None:
    server = scripted(reply)
    config = _config(
        place, server, images=["original", "naive"], sound=["text"], dataset="plain.jsonl"
    )
    rows = place.lines("queries.jsonl")
    for row in rows:
        row.pop("audio", None)
        row.pop("voices", None)
    place.write_lines(rows, "plain.jsonl")
    config = _config(place, server, images=["original", "naive"], dataset="plain.jsonl")
    ended = place.safejury("run", config, "--min-panel", "0")
    assert ended.code == 0, ended.err
    files = ("q1.png", "q2.png", "q1-first.png", "q2-first.png")
    assert sent(server) == sorted((_file(place, name),) for name in files)
    again = place.safejury("run", config, "--min-panel", "0")
    assert again.code == 0, again.err
    assert len(sent(server)) == 4


def test_a_voice_is_added_to_a_run(place: Workplace, scripted: Start) -> None:
    server = scripted(reply)
    for voices, requests in ((["anna"], 1), (["anna", "bert"], 2)):
        config = _config(place, server, sound=["audio"], voices=voices)
        ended = place.safejury("run", config, "--min-panel", "0")
        assert ended.code == 0, ended.err
        assert len(sent(server)) == requests


def test_what_a_set_has_not_is_refused(place: Workplace, scripted: Start) -> None:
    server = scripted(reply)
    config = _config(place, server, sound=["audio"], voices=["carl"])
    place.safejury("run", config).refused("'carl'", "it has anna, bert")
    rows = place.lines("queries.jsonl")
    for row in rows:
        del row["naive"]
    place.write_lines(rows, "queries.jsonl")
    config = _config(place, server, images=["naive"])
    place.safejury("run", config).refused("has a first drawing", "take `naive` out")


def test_a_set_without_them_keeps_its_hash(place: Workplace) -> None:
    """So that a run of an earlier version goes on."""
    rows = [
        {"id": "q", "scenario": "bias", "text": "Question?", "intent": "harmful", **more}
        for more in ({}, {"voices": {"anna": "anna.wav"}})
    ]
    from safejury.datasets import load_dataset

    hashes = list[str]()
    for number, row in enumerate(rows):
        name = place.write_lines([row], f"set{number}.jsonl")
        hashes.append(load_dataset(place.path / name).sha256)
    assert hashes[0] == "c64854354b505afdead3f8a85c3e4a485496792199986ca4b3979dfffe2f7b08"
    assert hashes[1] != hashes[0]


def test_both_voices_and_first_drawings_of_the_papers_set(workplace: Workplace) -> None:
    write_set(workplace.path / "set")
    settings = ("--set", "voice=both", "--set", "naive=naive", "--set", "part=mini")
    done = workplace.safejury("datasets", "convert", "safebench:set", "out/set.jsonl", *settings)
    assert done.code == 0, done.err
    rows = workplace.lines("out/set.jsonl")
    assert len(rows) == 10
    for row in rows:
        assert set(row["voices"]) == {"female", "male"}
        files = {row["image"], row["naive"], *row["voices"].values()}
        assert len(files) == 4
        assert all((workplace.path / "out" / file).is_file() for file in files)
    again = workplace.safejury("datasets", "validate", "out/set.jsonl")
    assert again.code == 0, again.err
    assert Path("out/set.jsonl").is_file()
