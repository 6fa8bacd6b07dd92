import random
from collections.abc import Iterator
from multiprocessing import active_children
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from safejury.common import ConfigurationError, DatasetError
from safejury.datasets import NearPictures, hash_pictures, picture_hash


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


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """300 small pictures of which one is damaged and one is gone."""
    folder = tmp_path_factory.mktemp("many")
    paths = [folder / f"{number}.png" for number in range(300)]
    for number, path in enumerate(paths):
        draw_picture(number, 64).save(path)
    paths[40].write_bytes(paths[40].read_bytes()[:90])
    paths[290].unlink()
    return paths


def test_a_picture_saved_otherwise_is_near_and_another_is_not(tmp_path: Path) -> None:
    image = draw_picture(1, 900)
    original = picture_hash(_saved(image, tmp_path / "original.png"))
    others = [
        _saved(image, tmp_path / "high.jpg", quality=90),
        _saved(image, tmp_path / "low.jpg", quality=30),
        _saved(image.resize((400, 400)), tmp_path / "small.webp"),
        _saved(image.convert("L"), tmp_path / "grey.bmp"),
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


def test_a_picture_that_is_cut_off_or_gone_is_an_error(many: list[Path]) -> None:
    for path in (many[40], many[290]):
        with pytest.raises(DatasetError, match="cannot be read"):
            picture_hash(path)


def test_a_pool_gives_the_same_hashes_in_the_same_order(many: list[Path]) -> None:
    alone = list(hash_pictures(iter(many), processes=1))
    assert list(hash_pictures(iter(many), processes=2)) == alone
    assert [one.path for one in alone] == many
    assert [number for number, one in enumerate(alone) if one.value is None] == [40, 290]
    assert "cannot be read" in alone[40].problem
    assert alone[0].value == picture_hash(many[0])


def test_a_pool_takes_paths_as_it_needs_them_and_ends_with_its_reader(many: list[Path]) -> None:
    taken = 0

    def endless() -> Iterator[Path]:
        nonlocal taken
        while True:
            taken += 1
            yield many[taken % 30]

    hashed = hash_pictures(endless(), processes=2)
    assert next(hashed).value is not None
    assert taken < 1000
    hashed.close()
    assert active_children() == []


def test_few_pictures_need_no_pool(many: list[Path]) -> None:
    hashed = hash_pictures(many[:20], processes=2)
    next(hashed)
    assert active_children() == []


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
