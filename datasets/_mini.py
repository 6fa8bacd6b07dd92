"""The bundled set: its words travel with the package, its pictures are drawn on first use."""

import hashlib
import os
from pathlib import Path

from ._atomic import replacing
from ._errors import DatasetError
from ._line import parse_line
from ._query import Query
from ._taxonomy import load_taxonomy

_SOURCE = Path(__file__).parent


def mini_file(cache_dir: Path | None = None) -> Path:
    """Return the query file of the bundled set, with every picture beside it.

    Several processes may ask for it at once.

    Args:
        cache_dir: Where to keep it; None means the user's cache folder.

    Raises:
        DatasetError: The cache cannot be written.
    """
    words = (_SOURCE / "mini" / "queries.jsonl").read_bytes()
    folder = (cache_dir or _cache_folder()) / f"mini-{_version(words)}"
    target = folder / "queries.jsonl"
    try:
        for line in words.splitlines():
            _provide_picture(folder, line)
        if not target.exists():
            with replacing(target) as file:
                file.write(words)
    except OSError as error:
        raise DatasetError(
            f"the pictures of 'mini' cannot be written to {folder} ({error.strerror}); "
            "set SAFEJURY_CACHE to a folder that can be written"
        ) from error
    return target


def _provide_picture(folder: Path, line: bytes) -> None:
    entry = parse_line(line, load_taxonomy())
    path = folder / (entry.image or "")
    if path.exists():
        return
    from ._mini_pictures import draw_picture

    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        file.write(draw_picture(Query(entry.id, entry.scenario, entry.text or "", entry.intent)))


def _version(words: bytes) -> str:
    """Name what the pictures depend on: words, titles, drawing code, and Pillow."""
    import PIL
    from PIL import features

    digest = hashlib.sha256(words)
    for name in ("taxonomy.yaml", "_mini_pictures.py", "_motifs.py", "_pen.py"):
        digest.update((_SOURCE / name).read_bytes())
    for part in ("freetype2", "raqm"):
        digest.update(str(features.version(part)).encode())
    digest.update(PIL.__version__.encode())
    return digest.hexdigest()[:12]


def _cache_folder() -> Path:
    if own := os.environ.get("SAFEJURY_CACHE"):
        return Path(own).expanduser()
    shared = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not shared.is_absolute():
        try:
            shared = Path.home() / ".cache"
        except RuntimeError as error:
            raise DatasetError("no home folder is known; set SAFEJURY_CACHE to a folder") from error
    return shared / "safejury"
