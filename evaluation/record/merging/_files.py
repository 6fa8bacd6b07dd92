"""Copies the files beside the records of runs: media, transcripts of sounds, lists, configs."""

import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import yaml

from ....common import RecordError
from ....common.files import atomic_write, private_folder, write_error
from ...trials import SKIPPED_ITEMS, SKIPPED_ROWS
from .._media import MEDIA, is_named_by_hash
from ..identity import SELECTS
from ._source import Source

_TRANSCRIPTS = "transcripts"
_CONFIG = "run.yaml"
_LISTS = ("targets", "images", "sound", "voices")


def copy_media(sources: Iterable[Source], directory: Path) -> None:
    """Copy media and transcripts of sounds that a run lacks.

    Raises:
        RecordError: One cannot be copied, or is not what its name says.
    """
    for source in sources:
        for medium in _files(source.directory / MEDIA):
            to = directory / MEDIA / medium.name
            if is_named_by_hash(medium.name) and not to.exists():
                _copy(medium, to, sha256=medium.name)
        for transcript in _files(source.directory / _TRANSCRIPTS):
            private_folder(directory / _TRANSCRIPTS)
            to = directory / _TRANSCRIPTS / transcript.name
            if is_named_by_hash(transcript.stem) and not to.exists():
                _copy(transcript, to)


def write_lists(sources: list[Source], directory: Path) -> None:
    """Write the lists of skipped rows and items; a line that several have counts once.

    Raises:
        RecordError: They cannot be written.
    """
    for name in (SKIPPED_ROWS, SKIPPED_ITEMS):
        folders = dict.fromkeys([directory, *(source.directory for source in sources)])
        kept = [folder / name for folder in folders if (folder / name).is_file()]
        if not kept:
            continue
        try:
            with atomic_write(directory / name, private=True) as file:
                file.writelines(_lines(kept))
        except OSError as error:
            raise write_error(directory / name, error) from None


def write_config(sources: list[Source], directory: Path) -> None:
    """Write the config of all runs together, as far as one can say it.

    Raises:
        RecordError: It cannot be written.
    """
    configs = [found for each in sources if (found := _config(each.directory)) is not None]
    if not configs:
        return
    whole = configs[0]
    for other in configs[1:]:
        for key in _LISTS:
            known = cast("list[object]", whole.get(key) or [])
            more, names = cast("list[object]", other.get(key) or []), [_name(it) for it in known]
            if known or more:
                whole[key] = [*known, *(it for it in more if _name(it) not in names)]
        epochs = [int(each.get("run", {}).get("epochs") or 1) for each in (whole, other)]
        whole["run"] = {**whole.get("run", {}), "epochs": max(epochs)}
    whole["run"] = {**whole.get("run", {}), "name": directory.name}
    sets = {json.dumps([each.get(key) for key in SELECTS]) for each in configs}
    names = ", ".join(source.directory.name for source in sources)
    lead = f"# Merged of {names}.\n"
    if len(sets) > 1:
        lead += "# They asked other queries: name a dataset that has all of them to resume.\n"
    path = directory / _CONFIG
    try:
        with atomic_write(path, private=True) as file:
            file.write(
                f"{lead}{yaml.safe_dump(whole, sort_keys=False, allow_unicode=True)}".encode()
            )
    except OSError as error:
        raise write_error(path, error) from None


def _config(directory: Path) -> dict[str, Any] | None:
    try:
        found: object = yaml.safe_load((directory / _CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return None
    return cast("dict[str, Any]", found) if isinstance(found, dict) else None


def _name(said: object) -> object:
    if isinstance(said, dict):
        return cast("Mapping[str, object]", said).get("name")
    return said


def _files(folder: Path) -> list[Path]:
    """Return the files of a folder; a link may lead anywhere, as a run may come from anybody."""
    with suppress(OSError):
        return sorted(it for it in folder.iterdir() if it.is_file() and not it.is_symlink())
    return []


def _copy(path: Path, to: Path, *, sha256: str | None = None) -> None:
    try:
        with path.open("rb") as file:
            if sha256 is not None and hashlib.file_digest(file, "sha256").hexdigest() != sha256:
                raise RecordError(
                    f"{path}: has other content than its name says: restore it from a copy"
                )
            file.seek(0)
            with atomic_write(to, private=True) as copy:
                shutil.copyfileobj(file, copy)
    except OSError as error:
        raise RecordError(f"{path}: cannot be copied to {to} ({error.strerror}).") from None


def _lines(paths: list[Path]) -> Iterator[bytes]:
    seen = set[bytes]()
    for path in paths:
        with path.open("rb") as file:
            for line in file:
                known = hashlib.blake2b(line.rstrip(), digest_size=12).digest()
                if known not in seen:
                    seen.add(known)
                    yield line if line.endswith(b"\n") else line + b"\n"
