"""What can be under test: models, async functions, files of responses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from ...assembly.models import model_keys
from ...common import ConfigurationError
from ...common.text import plain_name, quoted, unique_name
from ...models import ModelSpec
from ...targets import TargetFunction, function_identity, takes_text
from ._models import model

Source = ModelSpec | TargetFunction | str | Path
"""A model, `provider/model`, an async function, or the path of a file of responses."""


@dataclass(frozen=True, slots=True)
class TargetSpec:
    """A target and what is said of it beside.

    Attributes:
        source: What is asked.
        name: What the run calls it, None for a name made of its source's.
        system: The system prompt that it is deployed with, None for none.
        temperature: How its words are drawn, None for the provider's default.
        top_p: The same.
    """

    source: Source
    name: str | None = None
    system: str | None = None
    temperature: float | None = None
    top_p: float | None = None


def target(
    source: Source,
    *,
    name: str | None = None,
    system: str | None = None,
    temperature: float | None = None,
    top_p: float | None = None,
) -> TargetSpec:
    """Name a target, and say more of it than its source does.

    Args:
        source: A model, `provider/model`, an async function, or the path of a file of
            responses.
        name: What the run calls it; made of the source's name unless given.
        system: The system prompt that it is deployed with.
        temperature: How its words are drawn; the provider's default unless given.
        top_p: The same.
    """
    return TargetSpec(source, name, system, temperature, top_p)


@dataclass(frozen=True, slots=True)
class Targets:
    """Targets as a config has them, and what of them a config cannot hold.

    Attributes:
        keys: What a config says of each.
        provided: The models and functions, by the targets' names.
    """

    keys: list[dict[str, object]]
    provided: dict[str, ModelSpec | TargetFunction]

    @classmethod
    def of(cls, given: Sequence[object] | object) -> "Targets":
        """Return what `evaluate` was given.

        Raises:
            ConfigurationError: Something among it is no target.
        """
        each = list(cast("Sequence[object]", given)) if isinstance(given, list | tuple) else [given]
        if not each:
            raise ConfigurationError("evaluate: targets is empty: name at least one")
        targets = cls([], {})
        for number, one in enumerate(each):
            if isinstance(one, Mapping):
                targets.keys.append(dict(cast("Mapping[str, object]", one)))
            else:
                targets._add(_spec(one, number))
        return targets

    def _add(self, spec: TargetSpec) -> None:
        source = model(spec.source) if isinstance(spec.source, str) else spec.source
        name = spec.name or self._free_name(plain_name(_called(source)) or "target")
        said = {"system": spec.system, "temperature": spec.temperature, "top_p": spec.top_p}
        keys: dict[str, object] = {key: value for key, value in said.items() if value is not None}
        if keys and not isinstance(source, ModelSpec):
            raise ConfigurationError(
                f"target: {', '.join(keys)} of {name!r} is for a model: leave it out of a "
                f"{'file of responses' if isinstance(source, Path) else 'function'}"
            )
        if isinstance(source, ModelSpec):
            keys |= model_keys(source)
            self.provided[name] = source
        elif isinstance(source, Path):
            keys["responses"] = source
        else:
            takes_text(source)  # or says now why it cannot be asked
            keys["function"] = function_identity(source)["function"]
            self.provided[name] = source
        self.keys.append({"name": name, **keys})

    def _free_name(self, wanted: str) -> str:
        """Return a name that no other differs from in its case alone, as a config wants it."""
        taken = {str(keys.get("name", "")).casefold() for keys in self.keys}
        free = unique_name(wanted.casefold(), taken)
        return wanted if free == wanted.casefold() else f"{wanted}{free[len(wanted) :]}"


def _spec(one: object, number: int) -> TargetSpec:
    if isinstance(one, TargetSpec):
        return one
    if isinstance(one, ModelSpec | str | Path) or callable(one):
        return TargetSpec(cast("Source", one))
    raise ConfigurationError(
        f"evaluate: targets[{number}] is {quoted(repr(one))}: give a model (sj.endpoint, "
        "sj.model), an async function, the Path of a file of responses, or a dict with the keys "
        "of a target in a config"
    )


def _called(source: ModelSpec | TargetFunction | Path) -> str:
    if isinstance(source, ModelSpec):
        return source.model.rpartition("/")[2]
    if isinstance(source, Path):
        return source.stem
    return getattr(source, "__name__", type(source).__name__)
