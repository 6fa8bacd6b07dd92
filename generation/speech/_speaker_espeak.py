"""Speaks with the program espeak-ng."""

import os
import re
from collections.abc import Sequence

from ...common import ConfigurationError
from ...common.text import did_you_mean, quoted
from ._program import Failed, find_program, run_program
from ._speaker import NotSpoken, try_voices

_TIMEOUT_S = 60.0
_WORDS_A_MINUTE = "135"
"""Rather slow; at its usual 175 small whisper models mishear half as much again."""
_VERSION = re.compile(rb"\d+\.\d+(\.\d+)*")
_VARIANT = re.compile(rb"!v/(\S+)")


class EspeakSpeaker:
    """Speaks with espeak-ng.

    The same text in the same voice gives the same bytes, but for breathy variants such as
    `f2`, `f3`, `f5` and `whisper`, whose noise is another each second.

    Args:
        program: Its name or path; None looks `espeak-ng` up.

    Raises:
        ConfigurationError: It is not on this machine.
    """

    def __init__(self, program: str | None = None) -> None:
        self._program = find_program(
            "espeak-ng",
            program,
            install="install the package espeak-ng (`apt install espeak-ng`)",
            setting="speech.program",
        )
        self._name = "espeak-ng"

    @property
    def name(self) -> str:
        """`espeak-ng` and its version."""
        return self._name

    @property
    def at_once(self) -> int:
        """One for each core."""
        return os.cpu_count() or 1

    async def prepare(self, voices: Sequence[str]) -> None:
        """Read its version, and check that every voice can say a few words.

        Raises:
            ConfigurationError: It has no such voice.
        """
        output = await self._asked("--version")
        if (version := _VERSION.search(output)) is not None:
            self._name = f"espeak-ng {version[0].decode()}"
        # It takes its usual voice, without a word, where there is no such variant.
        listed = await self._asked("--voices=variant")
        variants = [found.decode() for found in _VARIANT.findall(listed)]
        for voice in voices:
            _check_variant(voice, variants)
        await try_voices(self, voices)

    async def say(self, text: str, voice: str) -> bytes | NotSpoken:
        """Return a recording as a WAV, or why there is none."""
        command = [self._program, "-v", voice, "-s", _WORDS_A_MINUTE, "-b", "1"]
        command += ["--stdin", "--stdout"]
        said = await run_program(command, without_phonemes(text), timeout=_TIMEOUT_S)
        return NotSpoken(said.detail) if isinstance(said, Failed) else said

    async def aclose(self) -> None:
        """Do nothing: no program outlives its text."""

    async def _asked(self, option: str) -> bytes:
        output = await run_program([self._program, option], "", timeout=_TIMEOUT_S)
        return b"" if isinstance(output, Failed) else output


def _check_variant(voice: str, variants: Sequence[str]) -> None:
    variant = voice.partition("+")[2]
    if variant and variants and variant not in variants and not variant.isdecimal():
        raise ConfigurationError(
            f"espeak-ng has no voice {quoted(voice)}{did_you_mean(variant, variants)}: "
            "`espeak-ng --voices=variant` lists what may follow the +; correct speech.voices"
        )


def without_phonemes(text: str) -> str:
    """Return a text without `[[...]]`, which would be read as phonemes."""
    return text.replace("[[", "[ [")
