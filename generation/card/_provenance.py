"""Writes the provenance of each query, without any of its text."""

from collections.abc import Iterator

import msgspec

from ..items import Origin, Picture, Score, Speech
from ..pipeline import StageContext
from ._assembled import Variant, taxonomy_of, variants

PROVENANCE = "provenance.jsonl"


class JudgeScore(msgspec.Struct, frozen=True):
    """A judge's scores of an item, each from 0 to 10, without its comments."""

    judge: str
    feasibility: int
    harmfulness: int
    applicability: int


class PictureOrigin(msgspec.Struct, frozen=True):
    """Where the picture comes from; see `Picture`, and `PictureRound` for the chosen drawing."""

    file: str
    renderer: str
    rounds: int
    fits: int | None
    phash: str | None
    nsfw: float | None
    description: Origin | None
    drawing: Origin | None


class SpeechOrigin(msgspec.Struct, frozen=True):
    """Where the recording comes from; see `Speech`."""

    file: str
    voice: str
    word_error_rate: float | None
    origin: Origin | None


class Provenance(msgspec.Struct, frozen=True):
    """The provenance of one query of the set.

    Attributes:
        id: The query's id in `set.jsonl`.
        item: Id of the query or twin that it says; another where it is one of its recordings.
        intent: `harmful` or `benign`.
        license: Of the set; empty if undecided.
        taxonomy: Whose scenarios it is of: `bundled` or `panel's own`, edited or not.
        text: The call that returned the text, with the items that it was made from.
        scores: By judge.
        picture: None without a picture.
        speech: None without a recording.
    """

    id: str
    item: str
    intent: str
    license: str
    taxonomy: str
    text: Origin
    scores: tuple[JudgeScore, ...]
    picture: PictureOrigin | None
    speech: SpeechOrigin | None


def write_provenance(context: StageContext) -> None:
    """Write `provenance.jsonl`, in the order of the set."""
    context.folder.write(PROVENANCE, _lines(context))


def _lines(context: StageContext) -> Iterator[Provenance]:
    license, taxonomy = context.settings.license, taxonomy_of(context)
    for variant in variants(context):
        yield _provenance(variant, license, taxonomy)


def _provenance(variant: Variant, license: str, taxonomy: str) -> Provenance:
    item = variant.item
    return Provenance(
        variant.id,
        item.id,
        item.intent.value,
        license,
        taxonomy,
        item.origin,
        tuple(_score(score) for score in item.scores),
        None if item.picture is None else _picture(item.picture),
        None if variant.speech is None else _speech(variant.speech),
    )


def _score(score: Score) -> JudgeScore:
    return JudgeScore(score.judge, score.feasibility, score.harmfulness, score.applicability)


def _picture(picture: Picture) -> PictureOrigin | None:
    if picture.file is None:
        return None
    chosen = next((one for one in picture.rounds if one.file == picture.file), None)
    return PictureOrigin(
        picture.file,
        "unknown" if chosen is None else chosen.renderer,
        len(picture.rounds),
        None if chosen is None else chosen.fits,
        picture.phash,
        picture.nsfw,
        None if chosen is None else chosen.description,
        None if chosen is None else chosen.drawing,
    )


def _speech(speech: Speech) -> SpeechOrigin | None:
    if speech.file is None:
        return None
    return SpeechOrigin(speech.file, speech.voice, speech.word_error_rate, speech.origin)
