"""Writes the Croissant metadata of a set, for dataset catalogs."""

import json
import logging
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from ...common import DatasetError
from ..items import GenerationSettings
from ..pipeline import SET, TAXONOMY, SetFolder
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
    "source": "The set and its license.",
}


def write_croissant(folder: SetFolder, settings: GenerationSettings) -> list[str]:
    """Write `croissant.json`, validated by `mlcroissant`.

    Paths in it are relative, so that the folder can be moved.

    Returns:
        What `mlcroissant` recommends, a line each.

    Raises:
        DatasetError: It finds an error.
    """
    package: Any = import_module("mlcroissant")
    with _quiet():
        try:
            metadata = _metadata(package, folder, settings)
        except (package.ValidationError, ValueError) as error:
            said = " ".join(str(error).split())
            path = folder.path / CROISSANT
            raise DatasetError(f"{path}: mlcroissant rejects it: {said}") from error
    content = json.dumps(metadata.to_json(), indent=2, ensure_ascii=False)
    folder.write_bytes(CROISSANT, content.encode())
    # Each begins with what it is about, in brackets: there is but one set.
    return sorted(one.partition("] ")[2] or one for one in metadata.ctx.issues.warnings)


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


def _metadata(package: Any, folder: SetFolder, settings: GenerationSettings) -> Any:
    context = package.Context()
    fields = [
        package.Field(
            ctx=context,
            id=f"queries/{name}",
            name=name,
            description=said,
            data_types=package.DataType.TEXT,
            source=package.Source(
                ctx=context, file_object=SET, extract=package.Extract(ctx=context, column=name)
            ),
        )
        for name, said in _FIELDS.items()
    ]
    queries = package.RecordSet(
        ctx=context,
        id="queries",
        name="queries",
        description="The queries. Pictures and recordings are files beside them.",
        key="queries/id",
        fields=fields,
    )
    return package.Metadata(
        ctx=context,
        name=settings.name,
        description=(
            "Queries that a safe model declines, and harmless twins that it should answer, for "
            f"authorized safety evaluation of models. Purpose: {settings.purpose}"
        ),
        conforms_to=["http://mlcommons.org/croissant/1.0"],
        version=_VERSION,
        license=[settings.license] if settings.license else None,
        distribution=_distribution(package, context, folder, settings),
        record_sets=[queries],
    )


def _distribution(
    package: Any, context: Any, folder: SetFolder, settings: GenerationSettings
) -> list[Any]:
    """Return the files that the set has."""
    lines, yaml = "application/jsonlines", "application/yaml"
    files = [
        (SET, lines, "The queries, one JSON object a line."),
        (PROVENANCE, lines, "Where each query comes from, one JSON object a line."),
    ]
    if settings.taxonomy is not None:
        files.append((TAXONOMY, yaml, "The scenarios that the queries are of."))
    media = [
        (name, kind, f"media/*.{suffix}")
        for name, kind, suffix, wanted in (
            ("pictures", "image/png", "png", settings.pictures),
            ("recordings", "audio/wav", "wav", settings.speech),
        )
        if wanted is not None and next(folder.path.glob(f"media/*.{suffix}"), None) is not None
    ]
    return [
        *(
            package.FileObject(
                ctx=context,
                id=name,
                name=name,
                description=said,
                content_url=name,
                encoding_formats=[kind],
                sha256=folder.hash_of(name),
            )
            for name, kind, said in files
        ),
        *(
            package.FileSet(
                ctx=context,
                id=name,
                name=name,
                description=(
                    f"The {name}, each named by its SHA-256; those that no query names are not "
                    "in use."
                ),
                encoding_formats=[kind],
                includes=[pattern],
            )
            for name, kind, pattern in media
        ),
    ]
