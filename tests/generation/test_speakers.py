"""Speakers that are programs: stand-ins for espeak-ng and Piper, really run."""

import asyncio
import os
import shutil
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest
from speech_sounds import TEXTS, Program, context, speeches

from safejury.common import ConfigurationError
from safejury.generation import SpeechSettings, SpeechStage, check_speech
from safejury.generation.speech import EspeakSpeaker, Failed, run_program

ESPEAK = SpeechSettings(whisper="never")
TRIED = "One, two, three."
HOSTILE = ("$(touch owned); `touch owned`", "--help", "-w owned", "</s> & \u00e9\u4f60 \U0001f600")


@pytest.fixture
def espeak(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """A stand-in, which alone is found."""
    program = Program.put(tmp_path / "bin")
    monkeypatch.setenv("PATH", str(program.path.parent))
    return program


@pytest.fixture
def piper(tmp_path: Path) -> SpeechSettings:
    """Settings of a stand-in and of a folder with two voices, one of which has several."""
    program = Program.put(tmp_path / "bin", "piper")
    voices = tmp_path / "voices"
    voices.mkdir()
    for name in ("ada", "many"):
        (voices / f"{name}.onnx").touch()
    return SpeechSettings(
        "piper", ("ada", "many#3"), model=str(voices), program=str(program.path), whisper="never"
    )


def waiting(program: Program) -> Path:
    """Let calls whose text says `hang` wait for ever, once they have written their id here."""
    os.mkfifo(program.path.parent / "for ever")
    os.mkfifo(program.path.parent / "waits")
    return program.path.parent / "waits"


def owned(folder: Path) -> list[Path]:
    return list(folder.rglob("owned"))


def process_left(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_espeak_gets_the_text_by_its_input_and_the_voice_by_name(
    espeak: Program, tmp_path: Path
) -> None:
    made = context(tmp_path / "set", ESPEAK, [*TEXTS, *HOSTILE])
    await SpeechStage().make(made)
    assert made.folder.counts()["speech"]["spoken"] == 14
    options = ["-s", "135", "-b", "1", "--stdin", "--stdout"]
    said = [
        (["-v", voice, *options], text) for text in (*TEXTS, *HOSTILE) for voice in ESPEAK.voices
    ]
    tried = [(["-v", voice, *options], TRIED) for voice in ESPEAK.voices]
    assert espeak.said[:2] == tried
    assert sorted(espeak.said[2:]) == sorted(said)
    assert not owned(tmp_path)
    first = speeches(made)[0]
    assert first.origin is not None
    assert (first.origin.model, first.seconds) == ("espeak-ng 1.52.0", 0.5)


async def test_piper_gets_one_line_and_the_voices_file(
    piper: SpeechSettings, tmp_path: Path
) -> None:
    made = context(tmp_path / "set", piper, ["Two\nlines  here."])
    await SpeechStage().make(made)
    assert [one.file is None for one in speeches(made)] == [False, False]
    options = ["-f", "-", "--noise_scale", "0", "--noise_w", "0"]
    voices = Path(piper.model or "")
    said = Program(Path(piper.program or "")).said[2:]
    assert sorted(said) == [
        (["-m", str(voices / "ada.onnx"), *options], "Two lines here.\n"),
        (["-m", str(voices / "many.onnx"), *options, "-s", "3"], "Two lines here.\n"),
    ]


async def test_words_in_double_brackets_are_words_not_phonemes(
    espeak: Program, tmp_path: Path
) -> None:
    await SpeechStage().make(context(tmp_path / "set", ESPEAK, ["Say [[h@l'oU]] to me."]))
    assert {text for _, text in espeak.said[2:]} == {"Say [ [h@l'oU]] to me."}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Please stumble.", "espeak-ng ended with code 1: Error: it stumbled"),
        ("Keep silence.", "espeak-ng wrote nothing: it gave no reason"),
        ("Please babble.", "espeak-ng wrote more than 64 MiB"),
    ],
)
@pytest.mark.usefixtures("espeak")
async def test_a_text_that_fails_stops_nothing(text: str, says: str, tmp_path: Path) -> None:
    made = context(tmp_path / "set", ESPEAK, [text, TEXTS[0]])
    await SpeechStage().make(made)
    counts = made.folder.counts()["speech"]
    assert (counts["failed"], counts["spoken"]) == (2, 2)
    assert [one.detail for one in speeches(made)] == [says, says, "", ""]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (ESPEAK, r"the program espeak-ng was not found: install the package espeak-ng"),
        (SpeechSettings(program="/no/espeak"), r"speech\.program '/no/espeak' was not found"),
        (SpeechSettings("piper"), r"piper needs speech\.model, the folder"),
        (SpeechSettings("piper", model="voices"), r"install the package piper-tts"),
        (SpeechSettings("endpoint", model="m"), r"needs speech\.base_url"),
        (SpeechSettings("endpoint", base_url="ftp://x", model="m"), r"is not an address such as"),
        (SpeechSettings(voices=("en",)), r"needs at least two different voices"),
        (SpeechSettings(program=sys.executable, whisper="./none"), r"lacks model\.bin|safejury\[s"),
    ],
)
async def test_what_is_missing_is_told_in_one_line_before_a_word_is_spoken(
    settings: SpeechSettings, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigurationError, match=says) as refused:
        check_speech(settings)
    assert "\n" not in str(refused.value)
    with pytest.raises(ConfigurationError, match=says):
        await SpeechStage().make(context(tmp_path / "set", settings))


async def test_voices_that_a_program_lacks_are_told(
    espeak: Program, piper: SpeechSettings, tmp_path: Path
) -> None:
    for voices, says in (
        (("en+m3", "en+f44"), r"no voice 'en\+f44' \(did you mean 'f4'\?\)"),
        (("en+m3", "nowhere"), r"the voice 'nowhere' does not work: .*it stumbled; choose other"),
    ):
        settings = SpeechSettings(voices=voices, whisper="never")
        with pytest.raises(ConfigurationError, match=says):
            await SpeechStage().make(context(tmp_path / "set", settings))
    assert not [text for _, text in espeak.said if text != TRIED]
    for voices, says in (
        (("ada", "adda"), r"'adda' is not in .*\(did you mean 'ada'\?\)"),
        (("ada", "../ada"), r"is not in "),
        (("ada", "many#x"), r"'many#x' is not in "),
    ):
        settings = SpeechSettings("piper", voices, model=piper.model, program=piper.program)
        with pytest.raises(ConfigurationError, match=says):
            await SpeechStage().make(context(tmp_path / "set", settings))
    with pytest.raises(ConfigurationError, match="is not a folder of Piper's voices"):
        check_speech(SpeechSettings("piper", model="/none", program=piper.program))


async def test_a_program_ends_with_the_one_who_called_it(espeak: Program, tmp_path: Path) -> None:
    waits = waiting(espeak)
    made = context(tmp_path / "set", ESPEAK, ["Please hang."], concurrency=1)
    task = asyncio.ensure_future(SpeechStage().make(made))
    pid = int(await asyncio.to_thread(waits.read_text))
    assert process_left(pid)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not process_left(pid)


async def test_a_program_that_takes_too_long_is_ended_with_all_that_it_started(
    tmp_path: Path,
) -> None:
    espeak = Program.put(tmp_path / "bin")
    waits = waiting(espeak)
    espeak.path.write_text(
        f"#!/bin/sh\ncat '{waits.parent}/for ever' &\necho $! > '{waits}'\nwait\n"
    )
    task = asyncio.ensure_future(run_program([espeak.path], "hang", timeout=3))
    pid = int(await asyncio.to_thread(waits.read_text))
    assert await task == Failed("espeak-ng took more than 3 s")
    async with asyncio.timeout(30):
        while process_left(pid):  # noqa: ASYNC110 - nobody tells when another's child is gone
            await asyncio.sleep(0.01)


@pytest.mark.slow
async def test_a_command_that_is_killed_goes_on_without_speaking_twice(
    espeak: Program, tmp_path: Path
) -> None:
    waits = waiting(espeak)
    texts = [*TEXTS, "Please hang.", "One more."]
    made = context(tmp_path / "set", ESPEAK, texts, concurrency=1)
    here = Path(__file__).parent
    script = f"""
import asyncio, sys
sys.path.insert(0, {str(here)!r})
from pathlib import Path
from speech_sounds import context
from safejury.generation import SpeechSettings, SpeechStage
speech = SpeechSettings(whisper="never")
made = context(Path({str(tmp_path / "set")!r}), speech, {texts!r}, concurrency=1)
asyncio.run(SpeechStage().make(made))
"""
    command = await asyncio.create_subprocess_exec(sys.executable, "-P", "-c", script)
    hanging = int(await asyncio.to_thread(waits.read_text))
    command.kill()
    await command.wait()
    os.kill(hanging, signal.SIGKILL)
    assert not made.folder.exists("speech.jsonl")
    before = [text for _, text in espeak.said if text != TRIED]
    assert before == [*(text for text in TEXTS for _ in range(2)), "Please hang."]
    waits.unlink()
    await SpeechStage().make(made)
    assert [one.detail for one in speeches(made)] == [""] * 10
    after = [text for _, text in espeak.said if text != TRIED][len(before) :]
    assert after == ["Please hang."] * 2 + ["One more."] * 2


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="needs the program espeak-ng")
async def test_espeak_itself_speaks_in_two_voices(tmp_path: Path) -> None:
    made = context(tmp_path / "set", ESPEAK, [*TEXTS, "--help", "[[h@l'oU]]"])
    await SpeechStage().make(made)
    spoken = speeches(made)
    assert made.folder.counts()["speech"]["spoken"] == 10
    assert len({one.file for one in spoken}) == 10
    assert all(0.2 < one.seconds < 10 for one in spoken)
    unknown = SpeechSettings(voices=("en+m3", "en+nobody"), whisper="never")
    with pytest.raises(ConfigurationError, match=r"espeak-ng has no voice 'en\+nobody'"):
        await SpeechStage().make(context(tmp_path / "set", unknown))


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="needs the program espeak-ng")
async def test_the_voices_that_nobody_chose_say_the_same_at_any_time() -> None:
    speaker = EspeakSpeaker()
    for voice in ESPEAK.voices:
        said, started = set[bytes](), time.monotonic()
        while time.monotonic() < started + 1.5:  # noise begins anew with each second
            recording = await speaker.say(TEXTS[0], voice)
            assert isinstance(recording, bytes)
            said.add(recording)
        assert len(said) == 1, voice


async def test_no_more_programs_run_at_a_time_than_there_are_cores(
    espeak: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    waits = waiting(espeak)
    made = context(tmp_path / "set", ESPEAK, [f"Please hang, {number}." for number in range(5)])
    task = asyncio.ensure_future(SpeechStage().make(made))
    await asyncio.to_thread(waits.read_text)
    # All that may run were started before the first of them could say a word.
    assert sum(str(espeak.path) in child.cmdline() for child in psutil.Process().children()) == 2
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
