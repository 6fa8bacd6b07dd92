"""Joins queries and twins with their pictures and recordings."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Generic, TypeVar

from ...common import DatasetError
from ...common.text import quoted
from ...datasets import Intent, Media, Query, read_media
from ..items import GenerationSettings, Origin, Picture, Score, Speech, SpeechSettings
from ..pipeline import PICTURES, SPEECH, SetFolder, StageContext, edited_by_hand, set_texts

T = TypeVar("T", Picture, Speech)


@dataclass(frozen=True, slots=True)
class Item:
    """A query or a twin with all that was made for it.

    Attributes:
        id: Its id.
        scenario: Id of its scenario.
        text: What is asked.
        intent: Harmful, or a benign twin.
        origin: Where the text comes from.
        scores: What the judges think of it.
        picture: What became of its picture; None where none was tried.
        speech: What became of its recordings, by voice.
    """

    id: str
    scenario: str
    text: str
    intent: Intent
    origin: Origin
    scores: tuple[Score, ...]
    picture: Picture | None = None
    speech: tuple[Speech, ...] = ()


@dataclass(frozen=True, slots=True)
class Variant:
    """A query of the set, and the recording that speaks it; None without one."""

    id: str
    item: Item
    speech: Speech | None = None


def items(context: StageContext) -> Iterator[Item]:
    """Yield all items of a set, the queries first, reading each file along with the others.

    Pictures and recordings count only where the settings ask for them: what an earlier
    config left in the folder is no part of the set.

    Raises:
        DatasetError: The files are not of one making.
    """
    folder, settings = context.folder, context.settings
    pictures = _AlignedReader(folder, PICTURES, Picture, wanted=settings.pictures is not None)
    speech = _AlignedReader(folder, SPEECH, Speech, wanted=settings.speech is not None)
    for item in set_texts(context):
        yield Item(
            item.id,
            item.scenario,
            item.text,
            item.intent,
            item.origin,
            item.scores,
            next(iter(pictures.take(item.id)), None),
            tuple(speech.take(item.id)),
        )
    pictures.end()
    speech.end()


def variants(context: StageContext) -> Iterator[Variant]:
    """Yield all queries of a set: an item once for each voice that speaks it, else once."""
    slugs = voice_slugs(context.settings.speech)
    for item in items(context):
        spoken = [one for one in item.speech if one.file is not None]
        for one in spoken:
            yield Variant(f"{item.id}.{slugs(one.voice)}", item, one)
        if not spoken:
            yield Variant(item.id, item)


def queries(context: StageContext) -> Iterator[Query]:
    """Yield the set as a query file holds it.

    Raises:
        DatasetError: A picture or recording is missing or damaged.
    """
    folder, source = context.folder.path, source_of(context.settings)
    medium = lru_cache(maxsize=4)(_medium)  # a picture goes with each voice
    for variant in variants(context):
        item, picture, speech = variant.item, variant.item.picture, variant.speech
        drawn = None if picture is None else picture.file
        spoken = None if speech is None else speech.file
        yield Query(
            variant.id,
            item.scenario,
            item.text,
            item.intent,
            () if drawn is None else (medium(folder, drawn, PICTURES),),
            None if spoken is None else medium(folder, spoken, SPEECH),
            source,
        )


def source_of(settings: GenerationSettings) -> str:
    """Return the `source` of each query of a set."""
    # The spelling stays: a source is part of the hash that runs know a set by.
    return f"{settings.name} (licence: {settings.license or 'undecided'})"


def taxonomy_of(context: StageContext) -> str:
    """Return where the set's taxonomy comes from, in words."""
    if context.settings.taxonomy is None:
        return "bundled"
    return "panel's own, edited by hand" if edited_by_hand(context) else "panel's own"


def voice_slugs(settings: SpeechSettings | None) -> Callable[[str], str]:
    """Return a function that turns the name of a voice into a unique part of an id."""
    slugs = dict[str, str]()

    def slug(voice: str) -> str:
        if voice not in slugs:
            plain = re.sub(r"[^a-z0-9]+", "-", voice.casefold()).strip("-") or "voice"
            number, unique = 1, plain
            while unique in slugs.values():
                number += 1
                unique = f"{plain}-{number}"
            slugs[voice] = unique
        return slugs[voice]

    for voice in settings.voices if settings is not None else ():
        slug(voice)
    return slug


class _AlignedReader(Generic[T]):
    """Reads a file whose lines are in the order of the items that they belong to."""

    def __init__(self, folder: SetFolder, name: str, kind: type[T], *, wanted: bool) -> None:
        self._path = folder.path / name
        self._lines: Iterator[T] = folder.read(name, kind) if wanted else iter(())
        self._next = next(self._lines, None)

    def take(self, of: str) -> Sequence[T]:
        """Return the lines that belong to an item."""
        taken: list[T] = []
        while self._next is not None and self._next.of == of:
            taken.append(self._next)
            self._next = next(self._lines, None)
        return taken

    def end(self) -> None:
        """Raise an error if a line belongs to no item."""
        if self._next is not None:
            raise DatasetError(
                f"{self._path}: {quoted(self._next.of)} is not an item of the set, or out "
                f"of order: {_again(self._path.stem)}"
            )


def _medium(folder: Path, name: str, listed_in: str) -> Media:
    kind = "audio" if listed_in == SPEECH else "image"
    stage = Path(listed_in).stem
    try:
        medium = read_media(folder / name, kind=kind)
    except DatasetError as error:
        raise DatasetError(f"{error}; it is listed in {listed_in}: {_again(stage)}") from None
    if medium.sha256 != Path(name).stem:
        raise DatasetError(f"{medium.path}: its content does not match its name: {_again(stage)}")
    return medium


def _again(stage: str) -> str:
    return f"make the stage {stage} again with `--again {stage}`"
