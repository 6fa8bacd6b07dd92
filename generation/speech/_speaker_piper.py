"""Speaks with the program Piper, which its license keeps out of this process."""

import os
from collections.abc import Sequence
from pathlib import Path

from ...common import ConfigurationError
from ...common.text import did_you_mean, quoted
from ._program import Failed, find_program, run_program
from ._speaker import NotSpoken, try_voices
from ._speaker_espeak import without_phonemes

_TIMEOUT_S = 300.0
_ENDING = ".onnx"


class PiperSpeaker:
    """Speaks with Piper, without noise, so that recordings are repeatable.

    A voice is a file's name without `.onnx`; `name#3` is the fourth speaker of a voice
    with several.

    Args:
        folder: Where the voices lie, each an `.onnx` beside its `.onnx.json`.
        program: Its name or path; None looks `piper` up.

    Raises:
        ConfigurationError: It, or the folder, is not on this machine.
    """

    def __init__(self, folder: str | Path, program: str | None = None) -> None:
        self._program = find_program(
            "piper",
            program,
            install="install the package piper-tts (`pipx install piper-tts`)",
            setting="speech.program",
        )
        self._folder = Path(folder).expanduser()
        if not self._folder.is_dir():
            raise ConfigurationError(
                f"speech.model {quoted(str(folder))} is not a folder of Piper's voices"
            )

    @property
    def name(self) -> str:
        """`piper`, which has no option to show its version."""
        return "piper"

    @property
    def at_once(self) -> int:
        """One for every two cores: a voice uses several."""
        return max(1, (os.cpu_count() or 1) // 2)

    async def prepare(self, voices: Sequence[str]) -> None:
        """Find the voices, and check that each can say a few words.

        Raises:
            ConfigurationError: One is not in the folder.
        """
        there = sorted(path.name.removesuffix(_ENDING) for path in self._folder.glob(f"*{_ENDING}"))
        for voice in voices:
            name, marked, number = voice.partition("#")
            if name not in there or (marked and not number.isdecimal()):
                raise ConfigurationError(
                    f"Piper's voice {quoted(voice)} is not in {self._folder}"
                    f"{did_you_mean(name, there)}: correct speech.voices, or put {name}{_ENDING} "
                    "there"
                )
        await try_voices(self, voices)

    async def say(self, text: str, voice: str) -> bytes | NotSpoken:
        """Return a recording as a WAV, or why there is none."""
        name, marked, number = voice.partition("#")
        command = [self._program, "-m", self._folder / f"{name}{_ENDING}", "-f", "-"]
        command += ["--noise_scale", "0", "--noise_w", "0"]
        command += ["-s", number] if marked else []
        # A line is a recording of its own.
        line = " ".join(without_phonemes(text).split())
        said = await run_program(command, f"{line}\n", timeout=_TIMEOUT_S)
        return NotSpoken(said.detail) if isinstance(said, Failed) else said

    async def aclose(self) -> None:
        """Do nothing: no program outlives its text."""
