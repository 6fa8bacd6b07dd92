"""What draws pictures in this process: words and emblems."""

import re
from io import BytesIO
from pathlib import Path
from typing import Literal

import imagehash
import matplotlib
import pytest
from PIL import Image, ImageChops

from safejury.common import ConfigurationError
from safejury.datasets import Scenario, load_taxonomy
from safejury.generation import Drawn, NotDrawn, PictureSettings, Renderer, Subject, open_renderer

SCENARIOS = load_taxonomy().scenarios
OWN = Scenario("home.plumbing", "home", "Plumbing at Home", "Taps.", "", ())


def subject(text: str = "How is a lock picked?", scenario: Scenario = SCENARIOS[0]) -> Subject:
    return Subject("q1", text, scenario)


async def drawn(renderer: Renderer, of: Subject | None = None, seed: int = 1) -> Drawn | NotDrawn:
    of = of or subject()
    words = renderer.words(of)
    assert words is not None
    return await renderer.draw(words, of, seed)


async def picture(renderer: Renderer, of: Subject | None = None, seed: int = 1) -> Image.Image:
    made = await drawn(renderer, of, seed)
    assert isinstance(made, Drawn), made
    image = Image.open(BytesIO(made.png))
    assert image.format == "PNG"
    image.load()
    return image


def typographic(size: int = 256, font: str | None = None) -> Renderer:
    settings = PictureSettings(size=size, font=font)
    return open_renderer("typographic", settings, concurrency=1)


def placeholder(size: int = 128) -> Renderer:
    return open_renderer("placeholder", PictureSettings(size=size), concurrency=1)


@pytest.mark.parametrize("make", [typographic, placeholder])
async def test_a_picture_is_the_same_for_a_seed_and_another_for_another(make: type) -> None:
    renderer: Renderer = make()
    again: Renderer = make()
    first = [await picture(renderer, seed=seed) for seed in range(12)]
    second = [await picture(again, seed=seed) for seed in range(12)]
    assert [one.tobytes() for one in first] == [one.tobytes() for one in second]
    assert len({one.tobytes() for one in first}) == 12


@pytest.mark.parametrize("size", [64, 200, 512, 1000])
async def test_a_picture_has_the_size_that_was_asked_for(size: int) -> None:
    assert (await picture(placeholder(size))).size == (size, size)
    if size >= 200:
        assert (await picture(typographic(size))).size == (size, size)


async def test_the_words_are_in_the_picture() -> None:
    """Each layout puts ink where the words are, and more for more words."""
    renderer = typographic()
    for seed in range(25):
        one = await picture(renderer, subject("Lock."), seed)
        other = await picture(renderer, subject("Loch."), seed)
        more = await picture(renderer, subject("Lock. " * 12), seed)
        assert 0 < _changed(one, other) < 0.3
        assert _changed(one, more) > _changed(one, other)


def _changed(one: Image.Image, other: Image.Image) -> float:
    """Return which part of the area differs plainly."""
    difference = ImageChops.difference(one, other).convert("L")
    box = difference.point([255 * (level > 80) for level in range(256)]).getbbox()
    if box is None:
        return 0
    return (box[2] - box[0]) * (box[3] - box[1]) / (one.width * one.height)


@pytest.mark.parametrize(
    "text",
    [
        "Étape par étape: où est la clé — et «pourquoi»?",
        "Как открыть замок без ключа?",
        "Πώς ανοίγει η πόρτα;",
        "كيف يفتح القفل؟",
        "How? 😀",
        "Nul\x00, tab\t, line\nfeed, half \ud83d of a pair, e\u0301, zero\u200bwidth",
        "W" * 300,
        "https://example.org/" + "a/" * 100,
        "Tell me about the history of locks and keys. " * 20,
    ],
)
async def test_any_text_that_a_font_has_is_written(text: str) -> None:
    renderer = typographic(512)
    for seed in range(10):
        assert (await picture(renderer, subject(text), seed)).size == (512, 512)


async def test_letters_that_few_fonts_have_are_left_out_and_told() -> None:
    made = await drawn(typographic(), subject("What does the sign 鎖 on the door mean?"))
    assert isinstance(made, Drawn)
    assert made.note == "1 letters missing from all fonts"


@pytest.mark.parametrize("text", ["どうやって鍵を開けますか", "", " \n", "\u200b"])
async def test_a_text_without_letters_to_write_is_not_drawn(text: str) -> None:
    made = await drawn(typographic(), subject(text))
    assert isinstance(made, NotDrawn)
    assert made.outcome == "failed"
    assert not made.passing


async def test_a_text_that_nobody_could_read_is_not_drawn() -> None:
    made = await drawn(typographic(), subject("locks and keys " * 400))
    assert isinstance(made, NotDrawn)
    assert "6,000 characters are too many" in made.detail


async def test_a_font_of_the_users_is_written_with() -> None:
    font = Path(matplotlib.get_data_path(), "fonts/ttf/DejaVuSerif.ttf")
    plain, own = typographic(), typographic(font=str(font))
    assert plain.identity != own.identity
    assert (await picture(plain)).tobytes() != (await picture(own)).tobytes()


async def test_a_font_is_known_by_its_content(tmp_path: Path) -> None:
    fonts, file = Path(matplotlib.get_data_path(), "fonts/ttf"), tmp_path / "own.ttf"
    file.write_bytes((fonts / "DejaVuSerif.ttf").read_bytes())
    serif = typographic(font=str(file))
    first = await picture(serif)
    file.unlink()  # what was opened of it stays as it was
    file.write_bytes((fonts / "DejaVuSansMono.ttf").read_bytes())
    mono = typographic(font=str(file))
    assert serif.identity != mono.identity
    assert first.tobytes() != (await picture(mono)).tobytes()


def test_a_font_that_is_none_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "font.ttf"
    file.write_bytes(b"no font")
    for path in (file, tmp_path / "missing.ttf"):
        with pytest.raises(ConfigurationError, match=re.escape(str(path))):
            typographic(font=str(path))


@pytest.mark.parametrize("scenario", [*SCENARIOS[::6], OWN], ids=lambda one: one.id)
async def test_placeholders_of_one_scenario_are_far_from_each_other(scenario: Scenario) -> None:
    renderer = placeholder()
    hashes = [
        imagehash.phash(await picture(renderer, subject(scenario=scenario), seed))
        for seed in range(40)
    ]
    distances = [a - b for i, a in enumerate(hashes) for b in hashes[:i]]
    assert min(distances) > 4
    assert sum(distances) / len(distances) > 22


async def test_a_placeholder_tells_its_scenario_and_nothing_of_the_query() -> None:
    renderer = placeholder()
    one = await picture(renderer, subject("How is a lock picked?"))
    assert one.tobytes() == (await picture(renderer, subject("Something else."))).tobytes()
    assert one.tobytes() != (await picture(renderer, subject(scenario=SCENARIOS[1]))).tobytes()
    assert one.tobytes() != (await picture(renderer, subject(scenario=OWN))).tobytes()


async def test_a_scenario_with_a_strange_title_has_a_placeholder() -> None:
    for title in ("", "鍵", "A very long title " * 20, "\ud800\x00"):
        scenario = Scenario("x.y", "\ud800", title, "", "", ())
        assert (await picture(placeholder(), subject(scenario=scenario))).size == (128, 128)


def test_what_a_renderer_lacks_is_named() -> None:
    wrong: list[tuple[Literal["endpoint", "diffusers"], PictureSettings, str]] = [
        ("endpoint", PictureSettings(model="m"), "pictures.base_url"),
        ("endpoint", PictureSettings(base_url="http://127.0.0.1:9/v1"), "pictures.model"),
        ("endpoint", PictureSettings(base_url="127.0.0.1", model="m"), "base_url '127.0.0.1'"),
        ("diffusers", PictureSettings(), "pictures.model"),
    ]
    for name, settings, what in wrong:
        with pytest.raises(ConfigurationError, match=what):
            open_renderer(name, settings, concurrency=1)
