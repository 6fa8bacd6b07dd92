import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from PIL import Image

QueryFile = Callable[..., Path]


@pytest.fixture
def query_file(tmp_path: Path) -> QueryFile:
    """Write lines (mappings as JSON, texts and bytes as they are) to `queries.jsonl`."""

    def write(*lines: Mapping[str, object] | str | bytes) -> Path:
        path = tmp_path / "set" / "queries.jsonl"
        path.parent.mkdir(exist_ok=True)
        parts = [json.dumps(line) if isinstance(line, Mapping) else line for line in lines]
        raw = [part.encode() if isinstance(part, str) else part for part in parts]
        path.write_bytes(b"\n".join(raw) + b"\n")
        return path

    return write


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A small PNG in the folder of `query_file`."""
    path = tmp_path / "set" / "images" / "red.png"
    path.parent.mkdir(parents=True)
    Image.new("RGB", (8, 8), "red").save(path)
    return path
