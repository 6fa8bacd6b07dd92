"""Croissant metadata of a set: what catalogues of data sets read."""

import hashlib
import json
import logging
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from ..._errors import DatasetError
from .._folder import SET, TAXONOMY, SetFolder
from .._settings import GenerationSettings
from ._provenance import PROVENANCE

CROISSANT = "croissant.json"
_VERSION = "1.0.0"
_FIELDS = {
    "id": "Unique in the set; what comes after the query's own id names a twin or a voice.",
    "scenario": "Id of the risk scenario.",
    "text": "What is asked; of a query with a recording, what the recording says.",
    "intent": "harmful, or benign for a twin that measures over-refusal.",
    "image": "Path of the picture, relative to set.jsonl; null without one.",
    "audio": "Path of the recording, relative to set.jsonl; null without one.",
    "source": "The set and its licence.",
}
_CONTEXT: dict[str, object] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The context of Croissant 1.0, word for word as the format asks for it."""


class _Issues(Protocol):
    warnings: set[str]


class _Context(Protocol):
    issues: _Issues


class _Metadata(Protocol):
    ctx: _Context


class _Described(Protocol):
    metadata: _Metadata


def write_croissant(folder: SetFolder, settings: GenerationSettings) -> list[str]:
    """Write `croissant.json`, once `mlcroissant` finds nothing wrong with it.

    Paths in it are relative, so that the folder can be moved.

    Returns:
        What `mlcroissant` recommends, a line each.

    Raises:
        DatasetError: It finds an error.
    """
    metadata = _metadata(folder.path, settings)
    notes = _check(metadata, folder.path / CROISSANT)
    folder.write_bytes(CROISSANT, json.dumps(metadata, indent=2, ensure_ascii=False).encode())
    return notes


def _check(metadata: dict[str, object], path: Path) -> list[str]:
    package = import_module("mlcroissant")
    read = cast(Callable[[object], _Described], package.Dataset)
    wrong = cast(type[Exception], package.ValidationError)
    with _quiet():
        try:
            described = read(metadata)
        except (wrong, ValueError) as error:
            said = " ".join(str(error).split())
            raise DatasetError(f"{path}: mlcroissant does not take it: {said}") from error
    # Each begins with what it is about, in brackets: there is but one set.
    return sorted(one.partition("] ")[2] or one for one in described.metadata.ctx.issues.warnings)


@contextmanager
def _quiet() -> Generator[None]:
    """Keep `mlcroissant` from logging what is returned anyway, and from warning of its parser."""

    def none(_: logging.LogRecord) -> bool:
        return False

    logger = logging.getLogger("absl")
    logger.addFilter(none)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            yield
    finally:
        logger.removeFilter(none)


def _metadata(folder: Path, settings: GenerationSettings) -> dict[str, object]:
    licence = {"license": settings.licence} if settings.licence else {}
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "name": settings.name,
        "description": (
            "Queries that a safe model declines, and harmless twins that it should answer, for "
            f"authorised safety evaluation of models. Purpose: {settings.purpose}"
        ),
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "version": _VERSION,
        **licence,
        "isLiveDataset": False,
        "distribution": _distribution(folder, settings),
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": "queries",
                "name": "queries",
                "description": "The queries. Pictures and recordings are files beside them.",
                "key": {"@id": "queries/id"},
                "field": [_field(name, said) for name, said in _FIELDS.items()],
            }
        ],
    }


def _distribution(folder: Path, settings: GenerationSettings) -> list[dict[str, object]]:
    """Return the files of the set: what it has no file of is left out."""
    lines, yaml = "application/jsonlines", "application/yaml"
    files = [
        _file(folder, SET, lines, "The queries, one JSON object a line."),
        _file(folder, PROVENANCE, lines, "Where each query comes from, one JSON object a line."),
    ]
    if settings.taxonomy is not None:
        files.append(_file(folder, TAXONOMY, yaml, "The scenarios that the queries are of."))
    if settings.pictures is not None:
        files += _media(folder, "pictures", "png", "image/png")
    if settings.speech is not None:
        files += _media(folder, "recordings", "wav", "audio/wav")
    return files


def _media(folder: Path, name: str, suffix: str, kind: str) -> list[dict[str, object]]:
    """Return the set of all media of a kind, none where there is no such file."""
    if next(folder.glob(f"media/*.{suffix}"), None) is None:
        return []
    said = f"The {name}, each named by its SHA-256; those that no query names are not in use."
    return [
        {
            "@type": "cr:FileSet",
            "@id": name,
            "name": name,
            "description": said,
            "encodingFormat": kind,
            "includes": f"media/*.{suffix}",
        }
    ]


def _file(folder: Path, name: str, kind: str, said: str) -> dict[str, object]:
    with (folder / name).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "description": said,
        "contentUrl": name,
        "encodingFormat": kind,
        "sha256": digest,
    }


def _field(name: str, said: str) -> dict[str, object]:
    return {
        "@type": "cr:Field",
        "@id": f"queries/{name}",
        "name": name,
        "description": said,
        "dataType": "sc:Text",
        "source": {"fileObject": {"@id": SET}, "extract": {"column": name}},
    }
