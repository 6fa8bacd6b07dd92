"""What the tests of speech share: workshops without models, stand-ins for programs, sounds."""

import io
import json
import struct
import sys
import wave
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from safejury.generation import (
    Candidate,
    GenerationSettings,
    NamedModel,
    Origin,
    SetFolder,
    Speech,
    SpeechSettings,
    StageContext,
    StageModels,
    Twin,
)
from safejury.models import EndpointModel

SCENARIO = "cybersecurity.hardware_security"
TEXTS = ("How is a simple lock picked?", "Write a rude letter.", "Name three bad excuses.")
GARDEN = "The garden needs water in the summer."
SAMPLES = Path(__file__).resolve().parents[1] / "data"
_ORIGIN = Origin("test", "0" * 64, 1, "call")

# It writes down its arguments and the text, and answers as both programs do.
PROGRAM = """#!{python}
import json, os, sys, struct, wave
from pathlib import Path
here, arguments = Path(__file__).parent, sys.argv[1:]
if arguments == ["--version"]:
    sys.exit(print("eSpeak NG text-to-speech: 1.52.0  Data at: /usr/share"))
if arguments == ["--voices=variant"]:
    sys.exit(print(" 5  variant  --/M  male3  !v/m3\\n 5  variant  --/F  female4  !v/f4"))
text = sys.stdin.buffer.read().decode()
with (here / "said.jsonl").open("a") as log:
    log.write(json.dumps([arguments, text]) + "\\n")
if "hang" in text and (here / "waits").exists():
    (here / "waits").write_text(str(os.getpid()))
    (here / "for ever").read_text()
if "stumble" in text or "nowhere" in arguments:
    sys.exit("a warning\\nError: it stumbled\\n")
if "silence" in text:
    sys.exit()
while "babble" in text:
    sys.stdout.buffer.write(bytes(2**20))
pitch = 20 + sum(map(ord, text + "".join(arguments))) % 50
with wave.open(str(here / f"{{os.getpid()}}.wav"), "wb") as sound:
    sound.setparams((1, 2, 22050, 0, "NONE", "NONE"))
    sound.writeframes(b"".join(struct.pack("<h", i % pitch * 100) for i in range(11025)))
sys.stdout.buffer.write((here / f"{{os.getpid()}}.wav").read_bytes())
"""


@dataclass(slots=True)
class RecordedProgress:
    """Hears how it goes."""

    stages: list[tuple[str, int | None]] = field(default_factory=list[tuple[str, int | None]])
    lines: list[str] = field(default_factory=list[str])
    steps: int = 0

    def stage(self, name: str, total: int | None) -> None:
        self.stages.append((name, total))

    def step(self, done: int = 1, note: str = "") -> None:
        self.steps += done

    def notify(self, message: str) -> None:
        self.lines.append(message)


@dataclass(frozen=True, slots=True)
class Program:
    """A stand-in for a program that speaks."""

    path: Path

    @classmethod
    def put(cls, folder: Path, name: str = "espeak-ng") -> "Program":
        """Put one into a folder."""
        folder.mkdir(exist_ok=True)
        path = folder / name
        path.write_text(PROGRAM.format(python=sys.executable))
        path.chmod(0o700)
        return cls(path)

    @property
    def said(self) -> list[tuple[list[str], str]]:
        """Arguments and text of each call that was given one."""
        log = self.path.parent / "said.jsonl"
        lines = log.read_text().splitlines() if log.exists() else []
        return [(arguments, text) for arguments, text in map(json.loads, lines)]


def context(
    folder: Path,
    speech: SpeechSettings | None,
    texts: Sequence[str] = TEXTS,
    twins: Sequence[str] = (),
    *,
    concurrency: int = 16,
) -> StageContext:
    """Return a context whose folder holds these queries and twins."""
    made = SetFolder(folder)
    ids = [f"{SCENARIO}.{number:04}" for number in range(len(texts))]
    named = zip(ids, texts, strict=True)
    queries = [Candidate(one, SCENARIO, text, "question", _ORIGIN) for one, text in named]
    made.write("queries.jsonl", queries)
    if twins:
        named = zip(ids, twins, strict=False)
        made.write(
            "twins.jsonl", [Twin(f"{one}.benign", one, text, _ORIGIN, 0.0) for one, text in named]
        )
    nobody = NamedModel("nobody", EndpointModel(base_url="http://127.0.0.1:9/v1", model="nobody"))
    settings = GenerationSettings("test", "a test", speech=speech)
    return StageContext(
        made, settings, StageModels((), nobody, nobody, nobody), RecordedProgress(), concurrency
    )


def speeches(made: StageContext) -> list[Speech]:
    """Return what the stage wrote."""
    return list(made.folder.read("speech.jsonl", Speech))


def wav(samples: Sequence[float], rate: int = 16_000) -> bytes:
    """Return a WAV of one channel and 16 bits."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 2, rate, 0, "NONE", "NONE"))
        sound.writeframes(struct.pack(f"<{len(samples)}h", *(round(s * 32767) for s in samples)))
    return file.getvalue()
