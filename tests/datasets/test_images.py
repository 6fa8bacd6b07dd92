"""What pictures are refused, and what of a usable one is sent."""

import hashlib
import random
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import pytest
from PIL import Image

from safejury.common import ConfigurationError, DatasetError
from safejury.datasets import (
    Fitted,
    ImageFitter,
    ImageLimits,
    Media,
    MediaStore,
    load_dataset,
    read_media,
)

QueryFile = Callable[..., Path]


def photo(width: int = 64, height: int = 48) -> Image.Image:
    """Smooth colors: red to the right, blue to the bottom."""
    size = width, height
    gradient = Image.linear_gradient("L")
    across = gradient.rotate(90).resize(size)
    return Image.merge("RGB", (across, Image.new("L", size), gradient.resize(size)))


def speckled(width: int, height: int) -> Image.Image:
    content = random.Random(3).randbytes(3 * width * height)
    return Image.frombytes("RGB", (width, height), content)


def saved(image: Image.Image, path: Path, form: str, **options: object) -> Media:
    image.save(path, form, **options)
    return read_media(path, kind="image")


def animated(path: Path, form: str) -> Media:
    frames = [Image.new("RGB", (20, 10), color) for color in ("red", "lime", "blue")]
    frames[0].save(path, form, save_all=True, append_images=frames[1:], duration=50)
    return read_media(path, kind="image")


def opened(media: Media) -> Image.Image:
    image = Image.open(BytesIO(media.read()))
    image.load()
    return image


def pixel(media: Media, x: float, y: float) -> tuple[int, int, int]:
    """Return the color at a place, in parts of width and height."""
    image = opened(media).convert("RGB")
    place = round(x * (image.width - 1)), round(y * (image.height - 1))
    return cast(tuple[int, int, int], image.getpixel(place))


@pytest.fixture
def store(tmp_path: Path) -> MediaStore:
    return MediaStore(tmp_path / "media")


def fit(store: MediaStore, media: Media, **limits: Any) -> Fitted:
    return ImageFitter(ImageLimits(**limits), store).fit([media])


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WebP", "GIF", "BMP"])
def test_the_bytes_that_were_given_are_the_bytes_that_are_sent(
    form: str, tmp_path: Path, store: MediaStore
) -> None:
    media = saved(photo(), tmp_path / "picture", form)
    fitted = fit(store, media, max_side=64, max_pixels=64 * 48, max_bytes=media.size + 1024)
    assert fitted == Fitted((media,))
    assert not (tmp_path / "media").exists()


@pytest.mark.parametrize("orientation", [3, 6])
@pytest.mark.parametrize("mode", ["RGB", "CMYK"])
def test_nothing_but_a_limit_changes_a_photo(
    orientation: int, mode: str, tmp_path: Path, store: MediaStore
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    media = saved(photo().convert(mode), tmp_path / "photo.jpg", "JPEG", exif=exif)
    assert fit(store, media) == Fitted((media,))


@pytest.mark.parametrize(
    ("limits", "size"),
    [
        ({"max_side": 32}, (32, 24)),
        ({"max_pixels": 64 * 48 - 1}, (63, 47)),
        ({"max_pixels": 256}, (18, 14)),
        ({"max_side": 32, "max_pixels": 100}, (11, 8)),
        ({"max_side": 1}, (1, 1)),
    ],
)
def test_a_picture_over_a_limit_is_made_smaller_and_it_is_said(
    limits: dict[str, int], size: tuple[int, int], tmp_path: Path, store: MediaStore
) -> None:
    media = saved(photo(), tmp_path / "photo.png", "PNG")
    fitted = fit(store, media, **limits)
    (made,), (said,) = fitted.images, fitted.changes
    assert (opened(made).size, made.media_type) == (size, "image/png")
    assert said.startswith(f"picture 1 was made smaller, from 64x48 to {size[0]}x{size[1]} pixels")
    assert f"from {media.size} to {made.size} bytes" in said
    for name, value in limits.items():
        assert f"{name.replace('max_', 'max_image_')} {value}" in said
    assert Path(made.path).name == made.sha256 == hashlib.sha256(made.read()).hexdigest()


@pytest.mark.parametrize("form", ["WebP", "GIF", "BMP"])
def test_a_picture_of_a_format_that_the_model_does_not_read_is_made_a_png(
    form: str, tmp_path: Path, store: MediaStore
) -> None:
    media = saved(photo(), tmp_path / "photo", form)
    limits = ImageLimits(formats=("png", "jpeg"))
    fitted = ImageFitter(limits, store).fit([media])
    (made,), (said,) = fitted.images, fitted.changes
    assert made.media_type == "image/png"
    assert opened(made).size == opened(media).size
    assert said.startswith("picture 1 was re-encoded as a PNG")
    assert said.endswith("the limit of the model is image_formats png, jpeg")
    read = ImageLimits(formats=("png", "jpeg", form.lower()))
    assert ImageFitter(read, store).fit([media]) == Fitted((media,))


def test_a_model_reads_what_pictures_are_made_into() -> None:
    with pytest.raises(ConfigurationError, match="must hold png and jpeg"):
        ImageLimits(formats=("webp",))


def test_each_limit_has_a_picture_of_its_own(tmp_path: Path, store: MediaStore) -> None:
    media = saved(photo(), tmp_path / "photo.png", "PNG")
    sizes = [opened(fit(store, media, max_side=side).images[0]).size for side in (32, 16, 32)]
    assert sizes == [(32, 24), (16, 12), (32, 24)]


@pytest.mark.parametrize("form", ["PNG", "JPEG", "BMP"])
def test_a_file_that_is_too_long_is_made_to_fit(
    form: str, tmp_path: Path, store: MediaStore
) -> None:
    media = saved(speckled(200, 150), tmp_path / "long", form)
    fitted = fit(store, media, max_bytes=8000)
    (made,) = fitted.images
    assert made.size <= 8000
    assert made.size > 3000  # no smaller than it must be
    assert (made.media_type, opened(made).format) == ("image/jpeg", "JPEG")
    assert "the limit of the model is max_image_bytes 8000" in fitted.changes[0]


def test_a_shorter_encoding_of_the_same_pixels_is_preferred(
    tmp_path: Path, store: MediaStore
) -> None:
    media = saved(photo(200, 150), tmp_path / "flat.bmp", "BMP")
    (made,) = fit(store, media, max_bytes=20_000).images
    assert made.size <= 20_000 < media.size
    assert opened(made).tobytes() == opened(media).tobytes()


def test_the_least_limit_can_be_met_by_any_picture(tmp_path: Path, store: MediaStore) -> None:
    media = saved(speckled(300, 2), tmp_path / "noise.png", "PNG")
    assert fit(store, media, max_bytes=1024).images[0].size <= 1024
    with pytest.raises(ConfigurationError, match="max_bytes 1023 is too small"):
        ImageLimits(max_bytes=1023)


def test_a_photo_stays_a_jpeg(tmp_path: Path, store: MediaStore) -> None:
    media = saved(photo(), tmp_path / "photo", "JPEG")
    assert fit(store, media, max_side=20).images[0].media_type == "image/jpeg"


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WebP"])
def test_a_photo_that_is_made_smaller_is_turned_upright(
    form: str, tmp_path: Path, store: MediaStore
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # a viewer turns it to the right
    media = saved(photo(), tmp_path / "turned", form, exif=exif)
    fitted = fit(store, media, max_side=32)
    assert opened(fitted.images[0]).size == (24, 32)
    assert "was turned upright, as its EXIF orientation 6 asks" in fitted.changes[0]
    assert "from 48x64 to 24x32 pixels" in fitted.changes[1]
    # Red was at the right and is at the bottom, blue was at the bottom and is at the left.
    red, _, blue = pixel(fitted.images[0], 0.9, 0.9)
    assert red > 150
    assert blue < 100
    assert not opened(fitted.images[0]).getexif()


@pytest.mark.parametrize("form", ["GIF", "PNG", "WebP"])
def test_an_animated_picture_is_cut_to_its_first_frame_and_it_is_said(
    form: str, tmp_path: Path, store: MediaStore
) -> None:
    media = animated(tmp_path / "moving", form)
    fitted = fit(store, media)
    (made,) = fitted.images
    assert fitted.changes[0].startswith("picture 1 was cut to its first frame")
    assert (opened(made).size, made.media_type) == ((20, 10), "image/png")
    assert pixel(made, 0.5, 0.5)[0] > 240
    assert getattr(opened(made), "n_frames", 1) == 1


def test_transparency_and_sixteen_bits_survive_a_resize_as_they_are_seen(
    tmp_path: Path, store: MediaStore
) -> None:
    clear = saved(Image.new("RGBA", (40, 40), (0, 0, 0, 0)), tmp_path / "clear.png", "PNG")
    fitted = fit(store, clear, max_side=20)
    assert pixel(fitted.images[0], 0.5, 0.5) == (255, 255, 255)
    assert "was put on white" in fitted.changes[0]
    gray = saved(Image.new("I;16", (40, 40), 0x8000), tmp_path / "gray.png", "PNG")
    fitted = fit(store, gray, max_side=20)
    assert abs(pixel(fitted.images[0], 0.5, 0.5)[0] - 0x80) <= 1
    assert "from 16 to 8 bits" in fitted.changes[0]


def test_each_of_several_pictures_is_named_by_its_place(tmp_path: Path, store: MediaStore) -> None:
    small = saved(photo(16, 16), tmp_path / "small.png", "PNG")
    large = saved(photo(), tmp_path / "large.png", "PNG")
    fitting = ImageFitter(ImageLimits(max_side=32, max_images=3), store)
    fitted = fitting.fit([small, large, small])
    assert fitted.images[0] == fitted.images[2] == small
    assert [change.partition(" was ")[0] for change in fitted.changes] == ["picture 2"]
    assert fitting.excess([small] * 3) is None
    assert "has 4 pictures and the model takes 3" in (fitting.excess([small] * 4) or "")


def test_a_picture_that_is_known_to_fit_takes_no_thread(tmp_path: Path, store: MediaStore) -> None:
    small = saved(photo(16, 16), tmp_path / "small.png", "PNG")
    large = saved(photo(), tmp_path / "large.png", "PNG")
    fitting = ImageFitter(ImageLimits(max_side=32), store)
    asked = fitting.fitted([small, large])
    with pytest.raises(RuntimeError, match="no running event loop"):
        asked.send(None)  # it would be read there
    fitting.fit([small, large])
    with pytest.raises(StopIteration) as ended:
        fitting.fitted([small]).send(None)
    assert ended.value.value == Fitted((small,))
    with pytest.raises(RuntimeError, match="no running event loop"):
        fitting.fitted([small, large]).send(None)


def test_a_file_that_changed_or_went_is_named(tmp_path: Path, store: MediaStore) -> None:
    media = saved(photo(), tmp_path / "photo.png", "PNG")
    photo().rotate(180).save(media.path, "PNG")
    with pytest.raises(DatasetError, match="changed since the dataset was read"):
        fit(store, media, max_side=20)
    Path(media.path).unlink()
    gone = Media("0" * 64, media.media_type, media.size, media.path)
    with pytest.raises(DatasetError, match="cannot be read: No such file"):
        fit(store, gone, max_side=20)


def png_bomb(path: Path, side: int, *, rows: bytes) -> Path:
    def chunk(name: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(name + data)
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", checksum)

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(rows))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + body + chunk(b"IEND", b""))
    return path


def test_a_bomb_is_refused_in_little_memory(tmp_path: Path) -> None:
    bombs = [png_bomb(tmp_path / "pixels.png", 12_000, rows=bytes(1_000_000))]
    gif = bytearray(b"GIF89a" + struct.pack("<HH", 60_000, 60_000) + bytes(3))
    gif += b"," + struct.pack("<HHHH", 0, 0, 60_000, 60_000) + bytes(1) + b"\x02\x01\x44\x00;"
    (tmp_path / "pixels.gif").write_bytes(gif)
    bombs.append(tmp_path / "pixels.gif")
    tracemalloc.start()
    try:
        for bomb in bombs:
            with pytest.raises(DatasetError, match="more than 89 million pixels; make it smaller"):
                read_media(bomb, kind="image")
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_text_that_unpacks_to_a_lot_is_refused(tmp_path: Path) -> None:
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("Comment", "a" * 2_000_000, zip=True)
    path = tmp_path / "wordy.png"
    photo().save(path, "PNG", pnginfo=info)
    with pytest.raises(DatasetError, match="save it without its metadata"):
        read_media(path, kind="image")


def test_a_jpeg_of_countless_passes_is_refused(tmp_path: Path) -> None:
    out = BytesIO()
    photo().save(out, "JPEG", progressive=True)
    content = out.getvalue()
    scan = content[content.rindex(b"\xff\xda") : -2]
    path = tmp_path / "passes.jpg"
    path.write_bytes(content[:-2] + scan * 600 + content[-2:])
    with pytest.raises(DatasetError, match="more than 500 passes"):
        read_media(path, kind="image")


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    with path.open("wb") as file:
        file.truncate(300 * 1024 * 1024)  # sparse: takes no room
    tracemalloc.start()
    try:
        with pytest.raises(DatasetError, match=r"is larger than 64 MiB; make it smaller"):
            read_media(path, kind="image")
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_content_decides_where_a_name_is_wrong_and_the_set_says_so(
    query_file: QueryFile, tmp_path: Path
) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    for name, form in (("a.png", "JPEG"), ("b.gif", "WebP"), ("c.JPG", "JPEG"), ("d", "BMP")):
        photo().save(folder / name, form)
    common = {"scenario": "ethics.bioethics", "text": "How?", "intent": "benign"}
    names = ["a.png", "b.gif", "c.JPG", "d"]
    dataset = load_dataset(query_file({**common, "id": "q", "images": names}))
    (query,) = dataset
    types = [image.media_type.removeprefix("image/") for image in query.images]
    assert types == ["jpeg", "webp", "jpeg", "bmp"]
    assert dataset.notes == (
        "2 media have a wrong file extension ('a.png' is image/jpeg): the content decides",
    )
