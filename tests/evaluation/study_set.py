"""A stand-in for SafeBench's files: their shape, harmless words, pictures and sounds of ours."""

import wave
from pathlib import Path

from PIL import Image

TABLES, MINI_TABLES = 23, 10


def write_set(folder: Path, *, rows: int = 1, mini_rows: int = 1) -> Path:
    """Write both parts of the set, with first drawings, and return its folder."""
    _write(folder, "SafeBench_Text", TABLES, rows)
    mini = folder / "minibench_final"
    _write(mini, "text", MINI_TABLES, mini_rows)
    return folder


def _write(folder: Path, text: str, tables: int, rows: int) -> None:
    (folder / text).mkdir(parents=True)
    for table in range(1, tables + 1):
        lines = "".join(
            f"Stand-in question {row} of table {table}?\n" for row in range(1, rows + 1)
        )
        (folder / text / f"{table}.csv").write_text(lines)
        for row in range(1, rows + 1):
            for place, color in (("img", "orange"), ("naive", "teal")):
                path = folder / place / str(table) / f"{row}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.new("RGB", (8 + table, 8 + row), color).save(path)
            for voice, frames in (("male", 800), ("female", 1600)):
                path = folder / f"audio_data_{voice}" / str(table) / f"{row}.wav"
                path.parent.mkdir(parents=True, exist_ok=True)
                with wave.open(str(path), "wb") as sound:
                    sound.setparams((1, 2, 8000, 0, "NONE", "NONE"))
                    sound.writeframes(bytes(frames + 2 * row + 200 * table))
