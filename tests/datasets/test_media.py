import gc
import hashlib
import os
import random
import struct
import subprocess
import sys
import zlib
from io import BytesIO
from pathlib import Path
from typing import Literal

import pytest
from PIL import Image

from safejury.common import DatasetError
from safejury.datasets import MediaStore, read_media


def encoded(form: str, size: tuple[int, int] = (16, 16)) -> bytes:
    out = BytesIO()
    Image.effect_noise(size, 90).convert("RGB").save(out, form)
    return out.getvalue()


def refusal(path: Path, kind: Literal["image", "audio"]) -> str:
    with pytest.raises(DatasetError) as error:
        read_media(path, kind=kind)
    message = str(error.value)
    assert message.isprintable()
    assert message.startswith(f"{kind} {str(path)!r} ")
    return message


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WebP", "GIF", "BMP"])
def test_a_picture_is_known_by_its_content(form: str, tmp_path: Path) -> None:
    content = encoded(form)
    path = tmp_path / "picture.dat"
    path.write_bytes(content)
    media = read_media(path, kind="image")
    assert media.media_type == f"image/{form.lower()}"
    assert media.sha256 == hashlib.sha256(content).hexdigest()
    assert media.size == len(content)
    assert media.read() == content


def test_a_photo_with_several_frames_is_a_jpeg(tmp_path: Path) -> None:
    path = tmp_path / "phone.jpg"
    frame = Image.new("RGB", (8, 8))
    frame.save(path, "MPO", save_all=True, append_images=[frame])
    assert read_media(path, kind="image").media_type == "image/jpeg"


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WebP", "GIF", "BMP"])
def test_a_picture_cut_short_is_refused(form: str, tmp_path: Path) -> None:
    path = tmp_path / "cut"
    content = encoded(form, (64, 64))
    path.write_bytes(content[: len(content) // 2])
    assert "replace it" in refusal(path, "image") or "convert it" in refusal(path, "image")


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WebP", "GIF", "BMP"])
def test_a_damaged_picture_is_read_or_refused_in_one_line(form: str, tmp_path: Path) -> None:
    path = tmp_path / "damaged"
    chance = random.Random(form)
    messages: list[str] = []
    for _ in range(60):
        content = bytearray(encoded(form))
        for _ in range(chance.randint(1, 12)):
            content[chance.randrange(len(content))] = chance.randrange(256)
        path.write_bytes(content)
        try:
            media_type = read_media(path, kind="image").media_type
        except DatasetError as error:
            messages.append(str(error))
        else:
            assert media_type.startswith("image/")
    assert all(message.isprintable() for message in messages)
    assert messages


def test_a_picture_with_a_wrong_checksum_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "flipped.png"
    content = bytearray(encoded("PNG"))
    content[-13] ^= 1  # the checksum of the pixels, before the 12 bytes of the end
    path.write_bytes(content)
    assert "is damaged (" in refusal(path, "image")


@pytest.mark.parametrize("pillows_limit", [None, Image.MAX_IMAGE_PIXELS])
def test_a_decompression_bomb_is_refused_before_it_is_decoded(
    pillows_limit: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", pillows_limit)

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    for side in (10_000, 30_000):  # Pillow warns of the first and refuses the second
        header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
        path = tmp_path / "bomb.png"
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"") + chunk(b"IEND", b""))
        assert "has more than 89 million pixels; make it smaller" in refusal(path, "image")


def test_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    Image.new("RGB", (8, 8)).save(path, "TIFF")
    assert "is not a PNG, JPEG, WebP, GIF or BMP picture" in refusal(path, "image")
    assert "is not a WAV, MP3 or FLAC file" in refusal(path, "audio")


@pytest.mark.parametrize("kind", ["image", "audio"])
def test_a_missing_or_empty_file_is_refused(
    kind: Literal["image", "audio"], tmp_path: Path
) -> None:
    path = tmp_path / "nothing"
    assert "does not exist; check the path" in refusal(path, kind)
    path.touch()
    assert "is empty" in refusal(path, kind)


def test_a_folder_or_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    assert "is not a file" in refusal(tmp_path, "image")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert "is not a file" in refusal(pipe, "audio")


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "huge.bmp"
    path.touch()
    os.truncate(path, 64 * 1024 * 1024 + 1)  # sparse: takes no room
    assert "is larger than 64 MiB" in refusal(path, "image")


def test_a_store_without_a_folder_keeps_its_files_as_long_as_it_lives() -> None:
    store, picture = MediaStore(), encoded("PNG")
    kept = Path(store.keep(picture, "image/png").path)
    assert kept.read_bytes() == picture
    assert kept == Path(store.keep(picture, "image/png").path)
    del store
    gc.collect()
    assert not kept.exists()


ENCODED = """
import base64, os, sys
from pathlib import Path
from safejury.datasets import Media
from safejury.datasets.media import MediaBytes
import hashlib
if sys.argv[1:]:
    sys.modules[sys.argv[1]] = None
for size in (1, 2, 196_607, 196_608, 196_609, 500_000):
    content = os.urandom(size)
    Path("it").write_bytes(content)
    medium = Media(hashlib.sha256(content).hexdigest(), "image/png", size, "it")
    assert b"".join(MediaBytes().encoded(medium)) == base64.b64encode(content)
"""


@pytest.mark.parametrize("missing", [[], ["pybase64"]], ids=["as installed", "without pybase64"])
def test_media_are_sent_in_base64(tmp_path: Path, missing: list[str]) -> None:
    subprocess.run([sys.executable, "-P", "-c", ENCODED, *missing], cwd=tmp_path, check=True)
