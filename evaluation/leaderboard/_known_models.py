"""Facts on well-known models, by the names that providers, hubs and papers use."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import msgspec

from ...common.files import read_yaml
from ..record import Meta
from ..trials import TargetFacts

_FILE = Path(__file__).with_name("models.yaml")
_DATED = re.compile(r"[-@:](?:20\d{6}|20\d\d-\d\d-\d\d|latest|\d{3})$")
"""A version of a provider's model, such as `-2024-08-06`, `-20240620`, `-002` or `:latest`."""
_QUANTIZED = re.compile(r"[-_](?:awq|gptq(?:[-_]int[48])?|int[48]|fp8|bnb[-_]4bit|gguf)$")
_NOT_COUNTED = re.compile(r"[^a-z0-9]+")


class KnownModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A model of the bundled table.

    Attributes:
        names: What it is called.
        source: Where the facts stand.
        family: See `TargetFacts`.
        size_b: See `TargetFacts`.
        backbone: See `TargetFacts`.
        released: See `TargetFacts`.
        paper: Its row in the table of the SafeBench paper; None where it has none.
    """

    names: tuple[str, ...]
    source: str
    family: str | None = None
    size_b: float | None = None
    backbone: str | None = None
    released: str | None = None
    paper: str | None = None

    @property
    def facts(self) -> TargetFacts:
        """What is known of it."""
        return TargetFacts(self.family, self.size_b, self.backbone, self.released)


def known_model(name: str) -> KnownModel | None:
    """Return the well-known model that is called so, None where none is.

    Args:
        name: As a config, a hub or a file of responses has it, such as
            `openai/gpt-4o-2024-08-06` or `Qwen/Qwen2-VL-7B-Instruct-AWQ`.
    """
    table = _table()
    last = name.casefold().rstrip("/").replace("\\", "/").rpartition("/")[2]
    for part in (last, _QUANTIZED.sub("", last)):
        if found := table.get(_key(part)):
            return found
        if found := table.get(_key(_DATED.sub("", part))):
            # Another version of it: not that of the paper, and released at another time.
            return msgspec.structs.replace(found, released=None, paper=None)
    return None


def known_models() -> tuple[KnownModel, ...]:
    """Return all models of the bundled table."""
    return tuple(dict.fromkeys(_table().values()))


def facts_of(run: Meta, target: str) -> TargetFacts:
    """Return what is known of the model that a target is.

    What the config said comes first, fact by fact; then what the bundled table has of the
    model. A target whose model is not known, as of responses from a file, is looked up by its
    own name.

    Args:
        run: The facts on its run.
        target: The target's name.
    """
    said = run.facts.get(target, TargetFacts())
    known = _model_of(run, target)
    found = TargetFacts() if known is None else known.facts
    return TargetFacts(
        said.family or found.family,
        said.size_b or found.size_b,
        said.backbone or found.backbone,
        said.released or found.released,
    )


def published_name(run: Meta, target: str) -> str | None:
    """Return the row of the paper's table that a target has, None where it has none."""
    known = _model_of(run, target)
    return None if known is None else known.paper


def _model_of(run: Meta, target: str) -> KnownModel | None:
    return known_model(run.models.get(target, target))


@cache
def _table() -> Mapping[str, KnownModel]:
    """Return the models by key.

    Raises:
        ValueError: Two models have a name in common.
    """
    table: dict[str, KnownModel] = {}
    for model in read_yaml(_FILE, tuple[KnownModel, ...], "table of models"):
        for name in model.names:
            if table.setdefault(_key(name), model) is not model:
                raise ValueError(f"{_FILE}: two models are called {name!r}")
    return table


def _key(name: str) -> str:
    return _NOT_COUNTED.sub("", name)
