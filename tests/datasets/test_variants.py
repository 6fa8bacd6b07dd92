"""Variants of a query's pictures: what they look like, and that they are always the same."""

import random
from collections import Counter
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import cast

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageStat

from safejury.common import ConfigurationError, DatasetError
from safejury.datasets import (
    IMAGE_VARIANTS,
    Intent,
    Media,
    MediaStore,
    PicturePool,
    Query,
    image_variant,
    read_media,
)

WIDTH, HEIGHT = 96, 64


def scene() -> Image.Image:
    """A red disc at the left of a light ground, a blue bar at the bottom."""
    image = Image.new("RGB", (WIDTH, HEIGHT), "#f0e8d8")
    draw = ImageDraw.Draw(image)
    draw.ellipse((6, 8, 38, 40), fill="#c02020")
    draw.rectangle((0, 54, WIDTH, HEIGHT), fill="#2040c0")
    return image


@pytest.fixture
def picture(tmp_path: Path) -> Media:
    scene().save(tmp_path / "scene.png")
    return read_media(tmp_path / "scene.png", kind="image")


def query(*images: Media, name: str = "q", scenario: str = "ethics.bioethics") -> Query:
    return Query(name, scenario, "What is shown?", Intent.BENIGN, images)


def plain(folder: Path, color: str) -> Media:
    path = folder / f"{color}.png"
    Image.new("RGB", (8, 8), color).save(path)
    return read_media(path, kind="image")


def changed(
    name: str, *images: Media, folder: Path, seed: int = 7, others: PicturePool | None = None
) -> tuple[Media, ...]:
    result = image_variant(name).apply(
        query(*images), seed=seed, store=MediaStore(folder), others=others or PicturePool()
    )
    assert (result.id, result.text) == ("q", "What is shown?")
    return result.images


def seen(media: Media) -> Image.Image:
    image = Image.open(BytesIO(media.read()))
    image.load()
    assert media.media_type == f"image/{(image.format or '').lower()}"
    return image.convert("RGB")


def mean_difference(one: Image.Image, other: Image.Image) -> float:
    """Return the mean difference of a channel, in [0, 255]."""
    return sum(ImageStat.Stat(ImageChops.difference(one, other)).mean) / 3


def edges(image: Image.Image) -> float:
    """Return how sharply neighbors differ: less where there is less detail."""
    width, height = image.size
    left, right = image.crop((0, 0, width - 1, height)), image.crop((1, 0, width, height))
    return sum(ImageStat.Stat(ImageChops.difference(left, right)).rms)


def test_a_request_is_kept_only_where_the_picture_still_says_it(
    picture: Media, tmp_path: Path
) -> None:
    asked = replace(query(picture), underlying_request="Ways to bake bread")
    pool = PicturePool([query(picture), query(plain(tmp_path, "green"), name="other")])
    names = ("original", "none", "black", "white", "noise", "random")
    kept = [
        name
        for name in (*names, "blur", "jpeg:20", "downscale:2", "rotate:90")
        if image_variant(name)
        .apply(asked, seed=7, store=MediaStore(tmp_path), others=pool)
        .underlying_request
    ]
    assert kept == ["original", "blur", "jpeg:20", "downscale:2", "rotate:90"]


def test_the_original_is_the_query_itself(picture: Media, tmp_path: Path) -> None:
    assert changed("original", picture, folder=tmp_path / "media") == (picture,)
    assert changed("none", picture, folder=tmp_path / "media") == ()
    assert not (tmp_path / "media").exists()


@pytest.mark.parametrize(("name", "value"), [("black", 0), ("white", 255)])
def test_black_and_white_have_the_size_of_the_picture(
    name: str, value: int, picture: Media, tmp_path: Path
) -> None:
    (made,) = changed(name, picture, folder=tmp_path)
    assert seen(made).size == (WIDTH, HEIGHT)
    assert seen(made).getextrema() == ((value, value),) * 3


def test_noise_has_all_values_alike_and_nothing_of_the_picture(
    picture: Media, tmp_path: Path
) -> None:
    (made,) = changed("noise", picture, folder=tmp_path)
    assert seen(made).size == (WIDTH, HEIGHT)
    stat = ImageStat.Stat(seen(made))
    assert all(abs(mean - 127.5) < 5 for mean in stat.mean)
    assert all(abs(deviation - 73.9) < 3 for deviation in stat.stddev)  # 256 / sqrt(12)


def test_blur_takes_detail_and_keeps_color(picture: Media, tmp_path: Path) -> None:
    names = ("blur:1", "blur", "blur:20")
    made = [seen(changed(name, picture, folder=tmp_path)[0]) for name in names]
    assert all(image.size == (WIDTH, HEIGHT) for image in made)
    detail = [edges(image) for image in (scene(), *made)]
    assert detail == sorted(detail, reverse=True)
    assert detail[1] > 2 * detail[3]
    assert mean_difference(scene().resize((1, 1)), made[1].resize((1, 1))) < 8


def test_a_lower_quality_costs_detail_and_bytes(picture: Media, tmp_path: Path) -> None:
    good, poor = (changed(f"jpeg:{q}", picture, folder=tmp_path)[0] for q in (95, 5))
    assert good.media_type == poor.media_type == "image/jpeg"
    assert seen(poor).size == (WIDTH, HEIGHT)
    assert poor.size < good.size
    assert mean_difference(scene(), seen(good)) < 3 < mean_difference(scene(), seen(poor)) < 40


def test_downscaling_divides_the_sides(picture: Media, tmp_path: Path) -> None:
    assert seen(changed("downscale:4", picture, folder=tmp_path)[0]).size == (24, 16)
    assert seen(changed("downscale:1.5", picture, folder=tmp_path)[0]).size == (64, 43)
    assert seen(changed("downscale:64", picture, folder=tmp_path)[0]).size == (2, 1)


def test_rotation_is_to_the_right_and_cuts_nothing(picture: Media, tmp_path: Path) -> None:
    right = seen(changed("rotate:90", picture, folder=tmp_path)[0])
    assert right.size == (HEIGHT, WIDTH)
    assert mean_difference(right, scene().transpose(Image.Transpose.ROTATE_270)) == 0
    left = seen(changed("rotate:-90", picture, folder=tmp_path)[0])
    assert mean_difference(left, scene().transpose(Image.Transpose.ROTATE_90)) == 0
    tilted = seen(changed("rotate:30", picture, folder=tmp_path)[0])
    assert (tilted.width > WIDTH, tilted.height > HEIGHT) == (True, True)
    assert tilted.getpixel((0, 0)) == (255, 255, 255)


def test_a_variant_is_the_same_each_time_and_kept_once(picture: Media, tmp_path: Path) -> None:
    names = ("black", "noise", "blur:2", "jpeg:20", "downscale:2", "rotate:10")
    for name in names:
        (one,) = changed(name, picture, folder=tmp_path / "one")
        (other,) = changed(name, picture, folder=tmp_path / "other")
        assert one.sha256 == other.sha256
        assert changed(name, picture, folder=tmp_path / "one") == (one,)
    assert len(list((tmp_path / "one").iterdir())) == len(names)


def test_the_seed_and_the_picture_decide_the_noise(picture: Media, tmp_path: Path) -> None:
    scene().rotate(180).save(tmp_path / "other.png")
    other = read_media(tmp_path / "other.png", kind="image")
    noises = [
        changed("noise", media, folder=tmp_path, seed=seed)[0].sha256
        for media in (picture, other)
        for seed in (1, 2)
    ]
    assert len(set(noises)) == 4
    blurs = {changed("blur", picture, folder=tmp_path, seed=s)[0].sha256 for s in (1, 2)}
    assert len(blurs) == 1


def test_all_pictures_of_a_query_are_changed(picture: Media, tmp_path: Path) -> None:
    flat = plain(tmp_path, "green")
    made = changed("white", picture, flat, folder=tmp_path)
    assert [seen(image).size for image in made] == [(WIDTH, HEIGHT), (8, 8)]


def test_variants_show_a_turned_photo_upright_and_the_first_frame(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 8  # a viewer turns it to the left
    scene().save(tmp_path / "turned.jpg", exif=exif, quality=95)
    turned = read_media(tmp_path / "turned.jpg", kind="image")
    for name in ("black", "noise", "blur:0.1", "jpeg:95"):
        assert seen(changed(name, turned, folder=tmp_path)[0]).size == (HEIGHT, WIDTH)
    upright = scene().transpose(Image.Transpose.ROTATE_90)
    shown = seen(changed("downscale:1", turned, folder=tmp_path)[0])
    assert mean_difference(shown, upright) < 5
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "blue")]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    moving = read_media(tmp_path / "moving.gif", kind="image")
    pixel = cast(
        tuple[int, ...], seen(changed("rotate:180", moving, folder=tmp_path)[0]).getpixel((4, 4))
    )
    assert pixel[0] > 240


def test_a_random_picture_is_of_another_scenario_where_there_is_one(tmp_path: Path) -> None:
    colors = ("red", "green", "blue", "yellow", "cyan")
    media = {color: plain(tmp_path, color) for color in colors}
    pool = PicturePool(
        [
            query(media["red"], media["green"]),
            query(media["blue"]),
            query(media["yellow"], scenario="violence.physical_harm"),
            query(media["cyan"], scenario="violence.physical_harm"),
        ]
    )
    assert len(pool) == 5
    drawn = Counter[str]()
    for seed in range(40):
        made = changed("random", media["red"], folder=tmp_path, seed=seed, others=pool)
        drawn[made[0].sha256] += 1
    assert drawn.keys() == {media["yellow"].sha256, media["cyan"].sha256}
    two = changed("random", media["red"], media["green"], folder=tmp_path, others=pool)
    assert {image.sha256 for image in two} == drawn.keys()
    assert two == changed("random", media["red"], media["green"], folder=tmp_path, others=pool)


def test_a_random_picture_is_never_the_querys_own(tmp_path: Path) -> None:
    red, green = plain(tmp_path, "red"), plain(tmp_path, "green")
    pool = PicturePool([query(red), *(query(green, name=f"q{n}") for n in range(9))])
    for seed in range(20):
        assert changed("random", red, folder=tmp_path, seed=seed, others=pool) == (green,)
        assert changed("random", green, folder=tmp_path, seed=seed, others=pool) == (red,)
    with pytest.raises(DatasetError, match="'q' cannot be shown a random picture"):
        changed("random", red, folder=tmp_path, others=PicturePool([query(red)]))
    chance = random.Random(1)
    assert pool.other(query(), chance, taken={red.sha256}) == green


def test_one_other_picture_in_a_thousand_is_found(tmp_path: Path) -> None:
    digests = [f"{number:064x}" for number in range(1000)]
    own = tuple(Media(digest, "image/png", 1, digest) for digest in digests)
    rare = plain(tmp_path, "red")
    pool = PicturePool([query(*own), query(rare)])
    assert pool.other(query(*own), random.Random(1)) == rare


def test_a_damaged_picture_is_an_error_of_one_line(picture: Media, tmp_path: Path) -> None:
    Path(picture.path).write_bytes(picture.read()[:200])
    with pytest.raises(DatasetError) as error:
        changed("blur", picture, folder=tmp_path)
    assert str(error.value).isprintable()


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("black", "black"),
        ("blur", "blur:8"),
        ("blur:2.50", "blur:2.5"),
        ("jpeg:020", "jpeg:20"),
        ("rotate:-90", "rotate:-90"),
        ("downscale:4.0", "downscale:4"),
    ],
)
def test_a_variant_has_one_name(written: str, name: str) -> None:
    assert image_variant(written).name == name
    assert image_variant(name) == image_variant(written)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("blak", "no image variant is called 'blak' (did you mean 'black'?); there are original, "),
        ("", "there are original, none, black, white, noise, random, naive, blur[:PIXELS], "),
        ("sepia", "jpeg:QUALITY, downscale:FACTOR, rotate:DEGREES"),
        ("black:3", "the image variant 'black' takes no number: write black"),
        ("original:", "takes no number"),
        ("jpeg", "'jpeg' needs a whole number from 1 to 100: write jpeg:QUALITY"),
        ("jpeg:0", "from 1 to 100"),
        ("jpeg:12.5", "needs a whole number"),
        ("jpeg:nan", "needs a whole number"),
        ("jpeg:x\n", "'jpeg:x' needs a whole number"),
        ("blur:", "needs a number from 0.1 to 1000"),
        ("downscale:0.5", "from 1 to 64: write downscale:FACTOR"),
        ("rotate:inf", "from -360 to 360"),
    ],
)
def test_a_name_that_means_nothing_is_refused(name: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        image_variant(name)
    assert said in str(error.value)
    assert str(error.value).isprintable()


def test_every_variant_that_is_listed_exists() -> None:
    numbers = {"jpeg:QUALITY": "jpeg:20", "downscale:FACTOR": "downscale:2"}
    numbers |= {"rotate:DEGREES": "rotate:5", "blur[:PIXELS]": "blur:3"}
    names = [numbers.get(listed, listed) for listed in IMAGE_VARIANTS]
    assert [image_variant(name).name for name in names] == names
    assert len(names) == 11
