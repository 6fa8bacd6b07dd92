"""Workshops in which pictures are made, with models whose every word is known.

Run it to make the pictures of a folder in a process of its own, which can be killed:

    python picture_stage.py FOLDER BASE_URL
"""

import asyncio
import hashlib
import json
import re
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from typing import Any, cast

from dialogue_script import RecordedProgress
from PIL import Image

from safejury.generation import (
    CallJournal,
    Candidate,
    GenerationSettings,
    NamedModel,
    Origin,
    Picture,
    PictureSettings,
    PicturesStage,
    SetFolder,
    StageContext,
    StageModels,
    Twin,
)
from safejury.models import EndpointModel, Journaled, Modality
from safejury.testing import ScriptedReply

Body = Mapping[str, object]

HARDWARE = "cybersecurity.hardware_security"
KEY = "quite-secret-images-key"
_REQUEST = re.compile(r"<request>\n(.*)\n</request>", re.DOTALL)
_SHOWN = re.compile(r"It was to show: (.*)\n")
_ORIGIN = Origin("writer", "0" * 64, 1, "call")


@dataclass
class Talk:
    """Describes `Scene of ...`, and scores pictures as it is told.

    Attributes:
        fits: Scores of the drawings of one query in turn; the last one for all later ones.
        odd: Replies to the descriptions of certain queries.
        blind: The reply to each view; None for a score.
        asked: `describe` and `view`, as they came.
        seen: Media of all views, as data addresses.
    """

    fits: Sequence[int] = (9,)
    odd: dict[str, str | ScriptedReply] = field(default_factory=dict[str, "str | ScriptedReply"])
    blind: str | ScriptedReply | None = None
    asked: list[str] = field(default_factory=list[str])
    seen: list[str] = field(default_factory=list[str])

    def __call__(self, body: Body) -> str | ScriptedReply:
        text, picture = _said(body)
        request = _REQUEST.search(text)
        assert request is not None
        if picture is None:
            self.asked.append("describe")
            scene = json.dumps({"description": f"Scene of {request[1]}"})
            return self.odd.get(request[1], scene)
        self.asked.append("view")
        self.seen.append(picture)
        shown = _SHOWN.search(text)
        assert shown is not None
        return json.dumps(self._view(shown[1])) if self.blind is None else self.blind

    def _view(self, prompt: str) -> dict[str, object]:
        turn = prompt.count("better")
        fits = self.fits[min(turn, len(self.fits) - 1)]
        return {"fits": fits, "advice": f"advice {turn}", "description": f"{prompt} better"}


def _said(body: Body) -> tuple[str, str | None]:
    (message,) = cast("Sequence[Mapping[str, object]]", body["messages"])
    content = message["content"]
    if isinstance(content, str):
        return content, None
    text, picture = "", None
    for part in cast("Sequence[Mapping[str, object]]", content):
        if part["type"] == "text":
            text += str(part["text"])
        else:
            picture = cast("Mapping[str, str]", part["image_url"])["url"]
    return text, picture


def block(seed: str) -> bytes:
    drawn = hashlib.shake_256(seed.encode()).digest(64)
    file = BytesIO()
    Image.frombytes("L", (8, 8), drawn).resize((64, 64), Image.Resampling.NEAREST).save(file, "PNG")
    return file.getvalue()


class Easel:
    """Draws pictures for a scripted server, and tells when it has drawn so many."""

    def __init__(self, many: int) -> None:
        self._left = many
        self.busy = asyncio.Event()

    def __call__(self, body: Body) -> bytes:
        self._left -= 1
        if self._left == 0:
            self.busy.set()
        return block(f"{body['prompt']} {body['seed']}")


def texts(count: int) -> list[str]:
    return [f"What about the lock of door {number}?" for number in range(1, count + 1)]


def fill(folder: SetFolder, queries: Sequence[str], *, twins: bool = True) -> None:
    """Write queries and their twins as the stages before would."""
    made = [
        Candidate(f"q{number}", HARDWARE, text, "question", _ORIGIN, state="kept")
        for number, text in enumerate(queries, 1)
    ]
    folder.write("queries.jsonl", made)
    if twins:
        folder.write(
            "twins.jsonl",
            [Twin(f"{one.id}.benign", one.id, f"Mild: {one.text}", _ORIGIN, 0.0) for one in made],
        )


def settings(**pictures: Any) -> GenerationSettings:
    return GenerationSettings(
        "test", "a test", pictures=replace(PictureSettings(size=128), **pictures)
    )


def drawn_by(base_url: str, **pictures: Any) -> GenerationSettings:
    """Return settings for an images API."""
    return settings(renderer="endpoint", base_url=base_url, model="painter", **pictures)


@asynccontextmanager
async def context(
    path: Path,
    wanted: GenerationSettings,
    base_url: str,
    *,
    sees: bool | None = True,
    concurrency: int = 4,
) -> AsyncGenerator[StageContext]:
    """Open a context, with a journal as the command line has it.

    Args:
        path: The set's folder.
        wanted: The settings.
        base_url: Of the describer and the viewer.
        sees: Whether the viewer takes pictures; None for no viewer.
        concurrency: Items at a time.
    """
    folder = SetFolder(path)
    journal = CallJournal(path)
    eyes: frozenset[Modality] = frozenset({"text", "image"} if sees else {"text"})
    models = [
        EndpointModel(base_url=base_url, model="describer", modalities=frozenset({"text"})),
        EndpointModel(base_url=base_url, model="viewer", modalities=eyes),
    ]
    describer, viewer = (
        NamedModel(name, Journaled(model, journal))
        for name, model in zip(("describer", "viewer"), models, strict=True)
    )
    roles = StageModels(
        (describer,), describer, describer, describer, None if sees is None else viewer
    )
    try:
        yield StageContext(folder, wanted, roles, RecordedProgress(), concurrency)
    finally:
        for model in models:
            await model.aclose()
        journal.close()


async def make(shop: StageContext) -> tuple[list[Picture], dict[str, int]]:
    """Make the stage, and return the pictures and the counts."""
    await PicturesStage().make(shop)
    return pictures(shop), shop.folder.counts()["pictures"]


def pictures(shop: StageContext) -> list[Picture]:
    return list(shop.folder.read("pictures.jsonl", Picture))


async def _main(path: Path, base_url: str) -> None:
    async with context(path, drawn_by(base_url), base_url, concurrency=2) as shop:
        await make(shop)


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1]), sys.argv[2]))
