"""Checks a server's model before it is started."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from ...common import ConfigurationError
from ...common.text import quoted
from ._spec import VllmSpec

_CONFIGS = ("config.json", "params.json")  # the second is Mistral's own
_WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".gguf", ".tensors")
_INDEX = "model.safetensors.index.json"
_POINTER = b"version https://git-lfs"
_DIGITS = 8


def check_model(spec: VllmSpec) -> None:
    """Check that the files of a model in a folder are complete.

    Raises:
        ConfigurationError: It is not there, or files are missing; the message names
            them.
    """
    folder = spec.folder
    if folder is None:
        return
    if folder.is_file() and folder.suffix == ".gguf":
        return
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise ConfigurationError(
            f"the model {quoted(str(folder))} {what}; give a folder with config.json and weights, "
            "or a name on the Hugging Face hub"
        )
    try:
        missing = _missing(folder, dict(spec.args).get("load-format") != "dummy")
    except OSError as error:
        missing = f"cannot be read ({error.strerror})"
    if missing is not None:
        raise ConfigurationError(
            f"the model {quoted(str(folder))} {missing}; fetch the model again or name another "
            "folder"
        )


def _missing(folder: Path, needs_weights: bool) -> str | None:
    weights = [path for path in sorted(folder.iterdir()) if path.suffix in _WEIGHTS]
    has_config = any((folder / name).is_file() for name in _CONFIGS)
    if not has_config and not any(path.suffix == ".gguf" for path in weights):
        return "has no config.json"
    if not needs_weights:
        return None
    if not weights:
        return "has no weights (*.safetensors, *.bin or *.gguf)"
    if absent := sorted(_listed(folder / _INDEX) - {path.name for path in weights}):
        more = f" and {len(absent) - 1} more" if len(absent) > 1 else ""
        return f"lacks {absent[0]}{more}, which {_INDEX} lists"
    for path in weights:
        with path.open("rb") as file:
            if file.read(len(_POINTER)) == _POINTER:
                return f"holds a Git LFS pointer instead of {path.name} (run `git lfs pull`)"
    return None


def _listed(index: Path) -> set[str]:
    """Return the names of the weight files in an index, none if it is unreadable."""
    try:
        content: object = json.loads(index.read_bytes())
    except (OSError, ValueError):
        return set()
    files = cast("Mapping[str, object]", content).get("weight_map") if _is_map(content) else None
    return set(map(str, cast("Mapping[str, object]", files).values())) if _is_map(files) else set()


def _is_map(value: object) -> bool:
    return isinstance(value, dict)


def model_identity(spec: VllmSpec) -> str:
    """Return a name for the model that does not depend on its server's address.

    It enters the keys of caches and journals, so it ends in a digest of what else
    decides the answers: the arguments, and for a folder the files in it.
    """
    parts: list[object] = sorted(spec.args, key=str)
    folder = spec.folder
    if folder is not None and folder.is_dir():
        for path in sorted(folder.iterdir()):
            if path.is_file():
                stat = path.stat()
                parts.append((path.name, stat.st_size, stat.st_mtime_ns))
    if not parts:
        return f"{spec.served_name}@vllm"
    digest = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
    return f"{spec.served_name}@vllm-{digest[:_DIGITS]}"
