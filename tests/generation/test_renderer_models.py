"""Renderers that need a model: an images API, and `diffusers`."""

import asyncio
import importlib
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path

import pytest
from picture_stage import Talk, context, fill, make, settings, texts
from PIL import Image

from safejury.common import ConfigurationError, FirstContactError
from safejury.datasets import load_taxonomy
from safejury.generation import (
    Drawn,
    NotDrawn,
    PictureSettings,
    PicturesStage,
    Renderer,
    Subject,
    make_stages,
    open_renderer,
)
from safejury.testing import ScriptedReply, ScriptedServer

SUBJECT = Subject("q1", "How is a lock picked?", load_taxonomy().scenarios[0])
NOBODY = "http://127.0.0.1:9/v1"


def saved(size: tuple[int, int], kind: str = "PNG", mode: str = "RGB") -> bytes:
    file = BytesIO()
    Image.linear_gradient("L").resize(size).convert(mode).save(file, kind)
    return file.getvalue()


@asynccontextmanager
async def endpoint(drawn: bytes | ScriptedReply, size: int = 64) -> AsyncGenerator[Renderer]:
    async with ScriptedServer(pictures=lambda _: drawn) as server:
        wanted = PictureSettings(size=size, base_url=server.base_url, model="painter")
        renderer = open_renderer("endpoint", wanted, concurrency=2)
        try:
            yield renderer
        finally:
            await renderer.aclose()


async def test_an_endpoint_needs_a_description() -> None:
    async with endpoint(saved((64, 64))) as renderer:
        assert renderer.words(SUBJECT) is None


async def test_a_png_is_taken_as_it_comes() -> None:
    content = saved((64, 64))
    async with endpoint(content) as renderer:
        assert await renderer.draw("a door", SUBJECT, 1) == Drawn(content)


@pytest.mark.parametrize(
    ("content", "size"),
    [
        (saved((64, 48), "JPEG"), (64, 48)),
        (saved((64, 64), "WEBP"), (64, 64)),
        (saved((200, 100)), (64, 32)),
        (saved((128, 128), mode="P"), (64, 64)),
        (saved((128, 128), mode="LA"), (64, 64)),
    ],
)
async def test_any_other_picture_becomes_a_png_of_the_size_wanted(
    content: bytes, size: tuple[int, int]
) -> None:
    async with endpoint(content) as renderer:
        made = await renderer.draw("a door", SUBJECT, 1)
    assert isinstance(made, Drawn)
    with Image.open(BytesIO(made.png)) as picture:
        assert (picture.format, picture.size) == ("PNG", size)
        picture.load()


@pytest.mark.parametrize("content", [b"no picture", saved((64, 64))[:90], saved((64, 64), "TIFF")])
async def test_what_is_no_picture_is_not_drawn(content: bytes) -> None:
    async with endpoint(content) as renderer:
        made = await renderer.draw("a door", SUBJECT, 1)
    assert isinstance(made, NotDrawn)
    assert made.outcome == "failed"
    assert not made.passing


@pytest.mark.parametrize("size", [(1, 1), (15, 15), (64, 15), (5000, 1)])
async def test_a_picture_far_below_the_size_wanted_is_not_drawn(size: tuple[int, int]) -> None:
    async with endpoint(saved(size)) as renderer:
        made = await renderer.draw("a door", SUBJECT, 1)
    assert isinstance(made, NotDrawn)
    assert f"has {size[0]}x{size[1]} pixels instead of 64 a side" in made.detail
    async with endpoint(saved((16, 16))) as renderer:
        assert isinstance(await renderer.draw("a door", SUBJECT, 1), Drawn)


async def test_a_filter_and_a_failure_are_told_apart() -> None:
    filtered = ScriptedReply("no", status=400, code="content_policy_violation")
    async with endpoint(filtered) as renderer:
        made = await renderer.draw("a door", SUBJECT, 1)
        assert isinstance(made, NotDrawn)
        assert made.outcome == "filtered"
    async with endpoint(ScriptedReply("the prompt is too long", status=400)) as renderer:
        made = await renderer.draw("a door", SUBJECT, 1)
        assert isinstance(made, NotDrawn)
        assert (made.outcome, made.passing) == ("failed", False)
        assert "too long" in made.detail
    async with endpoint(ScriptedReply("no such model", status=404)) as renderer:
        with pytest.raises(FirstContactError, match="unknown model"):
            await renderer.draw("a door", SUBJECT, 1)


STUBS = {
    "torch": """
float16, float32 = "half", "single"
class cuda:
    is_available = staticmethod(lambda: False)
class Generator:
    def __init__(self, device):
        self.device = device
    def manual_seed(self, seed):
        self.seed = seed
        return self
""",
    "diffusers": """
import threading
from types import SimpleNamespace
from PIL import Image
started, steps = threading.Event(), []
class Pipeline:
    _interrupt = False
    def set_progress_bar_config(self, disable):
        assert disable
    def to(self, device):
        assert device == "cpu"
        return self
    def __call__(self, prompt, width, height, generator, callback_on_step_end=None):
        if prompt == "too much":
            raise MemoryError("out of memory")
        count = 10**9 if prompt == "for ever" else 3
        for step in range(count):
            started.set()
            callback_on_step_end(self, step, 0, {})
            if self._interrupt:
                break
            steps.append(prompt)
        shade = (generator.seed * 37 + len(prompt)) % 256
        return SimpleNamespace(
            images=[Image.new("RGB", (width, height), (shade, 0, 0))],
            nsfw_content_detected=[prompt == "not safe"],
        )
class AutoPipelineForText2Image:
    @staticmethod
    def from_pretrained(model, torch_dtype, local_files_only):
        assert (torch_dtype, local_files_only) == ("single", True)
        if model == "missing":
            raise OSError("it is not in the cache")
        return Pipeline()
""",
    "transformers": """
calls = []
class Pipeline:
    def __init__(self, labels):
        config = type("Config", (), {"id2label": dict(enumerate(labels))})
        self.model = type("Model", (), {"config": config})
    def __call__(self, path, top_k):
        calls.append(path)
        return [{"label": "NSFW", "score": 0.25}, {"label": "sfw", "score": 0.75}]
def pipeline(task, model):
    assert task == "image-classification"
    return Pipeline(["cat", "dog"] if model.endswith("cats") else ["NSFW", "sfw"])
""",
}


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """Put stand-ins for packages of gigabytes on the path."""
    for name, code in STUBS.items():
        (tmp_path / "stubs" / name).mkdir(parents=True)
        (tmp_path / "stubs" / name / "__init__.py").write_text(code)
    monkeypatch.setattr(sys, "path", [str(tmp_path / "stubs"), *sys.path])
    importlib.invalidate_caches()
    yield
    for name in STUBS:
        sys.modules.pop(name, None)


@pytest.fixture
async def pipeline(installed: None) -> AsyncGenerator[Callable[..., Renderer]]:
    opened: list[Renderer] = []

    def open_one(model: str = "any") -> Renderer:
        wanted = PictureSettings(size=64, model=model)
        opened.append(open_renderer("diffusers", wanted, concurrency=4))
        return opened[-1]

    yield open_one
    for renderer in opened:
        await renderer.aclose()


def test_without_the_package_it_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"pip install .*\[diffusers\]"):
        open_renderer("diffusers", PictureSettings(model="any"), concurrency=1)


async def test_a_pipeline_draws_by_prompt_and_seed(pipeline: Callable[..., Renderer]) -> None:
    renderer = pipeline()
    assert renderer.words(SUBJECT) is None
    made = [
        await renderer.draw(prompt, SUBJECT, seed)
        for prompt, seed in (("a door", 1), ("a door", 1), ("a door", 2), ("a lamp post", 1))
    ]
    assert all(isinstance(one, Drawn) for one in made)
    assert made[0] == made[1]
    assert len(set(made)) == 3


async def test_what_a_pipeline_blacks_out_is_filtered(pipeline: Callable[..., Renderer]) -> None:
    made = await pipeline().draw("not safe", SUBJECT, 1)
    assert isinstance(made, NotDrawn)
    assert made.outcome == "filtered"


async def test_a_pipeline_that_never_drew_ends_it_and_later_failures_do_not(
    pipeline: Callable[..., Renderer],
) -> None:
    with pytest.raises(ConfigurationError, match="out of memory"):
        await pipeline().draw("too much", SUBJECT, 1)
    renderer = pipeline()
    await renderer.draw("a door", SUBJECT, 1)
    made = await renderer.draw("too much", SUBJECT, 1)
    assert isinstance(made, NotDrawn)
    assert "out of memory" in made.detail


async def test_a_pipeline_that_is_not_there_is_named(pipeline: Callable[..., Renderer]) -> None:
    with pytest.raises(ConfigurationError, match="'missing' cannot be loaded"):
        await pipeline("missing").draw("a door", SUBJECT, 1)


async def test_closing_stops_a_drawing_between_two_steps(
    pipeline: Callable[..., Renderer],
) -> None:
    renderer = pipeline()
    await renderer.draw("a door", SUBJECT, 1)
    started: threading.Event = sys.modules["diffusers"].started
    started.clear()
    drawing = asyncio.create_task(renderer.draw("for ever", SUBJECT, 1))
    await asyncio.to_thread(started.wait)
    drawing.cancel()
    await renderer.aclose()
    assert drawing.cancelled()


async def test_a_classifier_scores_each_picture_once(installed: None, tmp_path: Path) -> None:
    (tmp_path / "judge").mkdir()
    wanted = settings(nsfw_model=str(tmp_path / "judge"))
    async with context(tmp_path / "set", wanted, NOBODY) as shop:
        fill(shop.folder, texts(2))
        first, _ = await make(shop)
        again, _ = await make(shop)
    assert [one.nsfw for one in first] == [0.25] * 4
    assert again == first
    assert len(sys.modules["transformers"].calls) == 4


async def test_another_classifier_in_the_same_folder_scores_anew(
    installed: None, tmp_path: Path
) -> None:
    weights = tmp_path / "judge" / "model.safetensors"
    weights.parent.mkdir()
    weights.write_bytes(b"one")
    wanted = settings(nsfw_model=str(tmp_path / "judge"))
    async with context(tmp_path / "set", wanted, NOBODY) as shop:
        fill(shop.folder, texts(2))
        await make_stages([PicturesStage()], shop)
        weights.write_bytes(b"two")
        await make_stages([PicturesStage()], shop)
        await make_stages([PicturesStage()], shop)
    assert len(sys.modules["transformers"].calls) == 8


async def test_a_classifier_without_a_known_label_is_refused(
    installed: None, tmp_path: Path
) -> None:
    (tmp_path / "cats").mkdir()
    async with context(
        tmp_path / "set", settings(nsfw_model=str(tmp_path / "cats")), NOBODY
    ) as shop:
        fill(shop.folder, texts(1))
        with pytest.raises(ConfigurationError, match="labels cat, dog"):
            await make(shop)


async def test_a_pipeline_is_closed_when_its_stage_ends(
    pipeline: Callable[..., Renderer], tmp_path: Path
) -> None:
    async with (
        ScriptedServer(Talk()) as server,
        context(
            tmp_path / "set", settings(renderer="diffusers", model="any"), server.base_url
        ) as shop,
    ):
        fill(shop.folder, texts(3))
        made, counts = await make(shop)
    assert {one.renderer for picture in made for one in picture.rounds} == {"diffusers"}
    assert counts["missing"] == 0
    assert not [thread for thread in threading.enumerate() if "diffusers" in thread.name]
