"""Renders pictures with a local `diffusers` pipeline."""

import asyncio
import inspect
import threading
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from io import BytesIO
from typing import Any

from PIL import Image

from ....common import ConfigurationError, require
from ....common.text import quoted, short_reason
from ._renderer import Drawn, NotDrawn, Subject, checked

_PACKAGES = ("diffusers", "torch", "transformers")
_DETAIL_KEPT = 160


class DiffusersRenderer:
    """Draws what a model describes, one picture at a time in a thread of its own.

    It runs on a graphics card where there is one. Nothing is downloaded.

    Args:
        model: Folder of a pipeline, or the name of one that is in Hugging Face's cache.
        size: Width and height in pixels.

    Raises:
        ConfigurationError: A package is missing.
    """

    name = "diffusers"

    def __init__(self, model: str, size: int) -> None:
        require("the renderer diffusers", *_PACKAGES, instead="name another pictures.renderer")
        self.model, self._size = model, size
        self.identity = f"diffusers {model} {size}"
        self._pipeline: Any = None
        self._has_drawn = False
        self._closing = threading.Event()
        self._thread = ThreadPoolExecutor(1, "diffusers")

    def words(self, subject: Subject) -> None:
        """Return None: a model must describe a scene."""

    async def draw(self, prompt: str, subject: Subject, seed: int) -> Drawn | NotDrawn:
        """See `Renderer.draw`."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._drawn, prompt, seed)

    async def aclose(self) -> None:
        """End the thread after the step at hand; may be called twice."""
        self._closing.set()
        await asyncio.to_thread(self._thread.shutdown, cancel_futures=True)
        self._pipeline = None

    def _drawn(self, prompt: str, seed: int) -> Drawn | NotDrawn:
        if self._pipeline is None:
            self._pipeline = self._loaded()
        torch = import_module("torch")
        try:
            made = self._pipeline(
                prompt=prompt,
                width=self._size,
                height=self._size,
                # Drawn on the processor, so that every device begins with the same noise.
                generator=torch.Generator("cpu").manual_seed(seed),
                **self._stoppable(),
            )
            picture: Image.Image = made.images[0]
        except Exception as error:
            what = f"{type(error).__name__}: {short_reason(error, _DETAIL_KEPT)}"
            if not self._has_drawn:
                raise ConfigurationError(
                    f"the pipeline {quoted(self.model)} cannot draw ({what}): "
                    "try a smaller pictures.size or another pictures.model"
                ) from error
            return NotDrawn("failed", what)
        self._has_drawn = True
        if any(getattr(made, "nsfw_content_detected", None) or ()):
            return NotDrawn("filtered", "the pipeline's safety checker blocked the picture")
        file = BytesIO()
        picture.save(file, "PNG")
        return checked(file.getvalue(), self._size)

    def _stoppable(self) -> dict[str, object]:
        """Return the arguments that let the pipeline stop between two steps, if it can."""
        if "callback_on_step_end" not in inspect.signature(self._pipeline.__call__).parameters:
            return {}

        def after_step(
            pipeline: Any, step: int, timestep: object, tensors: dict[str, object]
        ) -> dict[str, object]:
            if self._closing.is_set():
                pipeline._interrupt = True
            return tensors

        return {"callback_on_step_end": after_step}

    def _loaded(self) -> Any:
        torch = import_module("torch")
        device = "cuda" if torch.cuda.is_available() else "cpu"
        kind = torch.float16 if device == "cuda" else torch.float32
        try:
            auto: Any = import_module("diffusers").AutoPipelineForText2Image
            pipeline = auto.from_pretrained(self.model, torch_dtype=kind, local_files_only=True)
            pipeline.set_progress_bar_config(disable=True)
            return pipeline.to(device)
        except Exception as error:
            raise ConfigurationError(
                f"the pipeline {quoted(self.model)} cannot be loaded "
                f"({short_reason(error, _DETAIL_KEPT)}): download it first, or name its folder"
            ) from error
