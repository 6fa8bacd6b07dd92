"""Scores how likely a picture is not safe for work."""

import asyncio
import hashlib
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from ...common import ConfigurationError, require
from ...common.text import quoted, short_reason

_PACKAGES = ("transformers", "torch")
_UNSAFE = {"nsfw", "porn", "hentai", "sexy", "explicit", "unsafe", "nude", "sexual"}
_DETAIL_KEPT = 160


class NsfwClassifier:
    """Scores pictures with an image classifier of `transformers`, one at a time in a thread.

    Nothing is downloaded.

    Args:
        model: Folder of a classifier, or the name of one that is in Hugging Face's cache.

    Raises:
        ConfigurationError: A package is missing.

    Attributes:
        name: The folder, or the name.
        identity: All that decides its scores, as far as it is known; see `classifier_identity`.
    """

    def __init__(self, model: str) -> None:
        require("pictures.nsfw_model", *_PACKAGES, instead="leave nsfw_model out")
        self.name = model
        self.identity = classifier_identity(model)
        self._classify: Any = None
        self._thread = ThreadPoolExecutor(1, "nsfw")

    async def score(self, path: Path) -> float:
        """Return the share in [0, 1] that the classifier gives to its unsafe labels.

        Raises:
            ConfigurationError: It cannot be loaded, or none of its labels is known.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._scored, path)

    async def aclose(self) -> None:
        """End the thread; may be called twice."""
        await asyncio.to_thread(self._thread.shutdown, cancel_futures=True)
        self._classify = None

    def _scored(self, path: Path) -> float:
        if self._classify is None:
            self._classify = self._loaded()
        said = cast("list[dict[str, Any]]", self._classify(str(path), top_k=None))
        return min(1.0, sum(float(one["score"]) for one in said if _is_unsafe(str(one["label"]))))

    def _loaded(self) -> Any:
        try:
            folder = self.name
            if not Path(folder).is_dir():
                hub: Any = import_module("huggingface_hub")
                folder = hub.snapshot_download(folder, local_files_only=True)
            pipeline: Any = import_module("transformers").pipeline
            classify = pipeline("image-classification", model=folder)
        except Exception as error:
            raise ConfigurationError(
                f"the classifier {quoted(self.name)} cannot be loaded "
                f"({short_reason(error, _DETAIL_KEPT)}): download it first, or name its folder"
            ) from error
        labels = [str(label) for label in classify.model.config.id2label.values()]
        if not any(map(_is_unsafe, labels)):
            raise ConfigurationError(
                f"the classifier {quoted(self.name)} has the labels {', '.join(labels)}, none of "
                f"which marks unsafe pictures: use one that has one of {', '.join(_UNSAFE)}"
            )
        return classify


def classifier_identity(model: str) -> str:
    """Return a classifier's name, and the hash of all files where it names a folder."""
    folder = Path(model)
    if not folder.is_dir():
        return model
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        digest.update(f"{path.name} {content}\n".encode("utf-8", "surrogateescape"))
    return f"{model} {digest.hexdigest()}"


def _is_unsafe(label: str) -> bool:
    return label.strip().lower() in _UNSAFE
