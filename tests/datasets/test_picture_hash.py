import random
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from safejury.common import ConfigurationError, DatasetError
from safejury.datasets import NearPictures, picture_hash


def draw_picture(seed: int, side: int = 300) -> Image.Image:
    draw = random.Random(seed)
    image = Image.new("RGB", (side, side), "white")
    pen = ImageDraw.Draw(image)
    for _ in range(14):
        left, top = draw.randrange(side), draw.randrange(side)
        right, bottom = left + draw.randrange(20, 160), top + draw.randrange(20, 160)
        shade = (draw.randrange(256), draw.randrange(256), draw.randrange(256))
        pen.ellipse((left, top, right, bottom), fill=shade)
    return image


def _apart(first: int, second: int) -> int:
    return (first ^ second).bit_count()


def _saved(image: Image.Image, path: Path, quality: int = 75) -> Path:
    image.save(path, quality=quality)
    return path


def test_a_picture_saved_otherwise_is_near_and_another_is_not(tmp_path: Path) -> None:
    image = draw_picture(1, 900)
    original = picture_hash(_saved(image, tmp_path / "original.png"))
    others = [
        _saved(image, tmp_path / "high.jpg", quality=90),
        _saved(image, tmp_path / "low.jpg", quality=30),
        _saved(image.resize((400, 400)), tmp_path / "small.webp"),
        _saved(image.convert("L"), tmp_path / "gray.bmp"),
        _saved(image.quantize(64), tmp_path / "palette.gif"),
    ]
    assert max(_apart(original, picture_hash(path)) for path in others) <= 4
    assert 0 <= original < 2**64
    hashes = [
        picture_hash(_saved(draw_picture(seed), tmp_path / f"{seed}.png")) for seed in range(20)
    ]
    seen = NearPictures(8)
    assert not [seed for seed, value in enumerate(hashes) if seen.add(str(seed), value)]


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"no picture", "is not a PNG"), (b"\x89PNG\r\n\x1a\n" + bytes(40), "x.png"), (b"", "is not")],
)
def test_what_is_no_picture_is_an_error(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=reason) as caught:
        picture_hash(path)
    assert str(path) in str(caught.value)


def test_a_picture_that_is_cut_off_or_gone_is_an_error(tmp_path: Path) -> None:
    cut = _saved(draw_picture(40, 64), tmp_path / "cut.png")
    cut.write_bytes(cut.read_bytes()[:90])
    for path in (cut, tmp_path / "gone.png"):
        with pytest.raises(DatasetError, match="cannot be read"):
            picture_hash(path)


@pytest.mark.parametrize("distance", [0, 4, 8])
def test_near_pictures_are_what_comparing_all_finds(distance: int) -> None:
    draw = random.Random(distance)
    bases = [draw.getrandbits(64) for _ in range(40)]
    values = [
        draw.choice(bases) ^ sum({1 << draw.randrange(64) for _ in range(draw.randrange(8))})
        for _ in range(600)
    ]
    seen, kept = NearPictures(distance), list[tuple[int, str]]()
    for number, value in enumerate(values):
        nearest = min(kept, key=lambda one: _apart(one[0], value), default=None)
        expected = nearest[1] if nearest and _apart(nearest[0], value) <= distance else None
        assert seen.add(str(number), value) == expected
        if expected is None:
            kept.append((value, str(number)))
    assert len(seen) == len(kept) >= 40


def test_the_extremes_of_a_hash_are_hashes() -> None:
    seen = NearPictures(0)
    assert seen.add("all", 2**64 - 1) is None
    assert seen.add("none", 0) is None
    assert seen.add("again", 2**64 - 1) == "all"


@pytest.mark.parametrize("distance", [-1, 33])
def test_a_distance_out_of_range_is_an_error(distance: int) -> None:
    with pytest.raises(ConfigurationError, match="near_duplicate"):
        NearPictures(distance)
