"""Writes the reference of every key of a config from its Pydantic models."""

import ast
import inspect
import textwrap
import types
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, EnumType
from functools import cache
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from safejury.assembly import Config
from safejury.evaluation.plan import Decides, decides_results
from safejury.generation.config import GenerateConfig

_TYPES = {
    bool: "true or false",
    float: "number",
    int: "integer",
    str: "text",
    Any: "anything",
    type(None): "null",
}
_BOUNDS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
_HEAD = """\
# Configuration

Every key of a run's config and of a config of `safejury generate`, from the code that reads them.
`[]` stands for each item of a list, `{}` for each entry of a mapping. Every key can be set on the
command line as well: `--set limits.concurrency=8`. Unknown keys are refused, with the line.

**Identity** says whether a change makes another run. A run resumes, and skips what is done, only
while all keys of its identity stay as they were; the others may change from one start to the next.
*By its content*: the file may move, but what it holds may not change. *May grow*: more may be
added, and so may further targets; what is judged stays: [a run that grows](../growing.md)."""
_HEAD_OF_GENERATION = """\
# Configuration of generation

What `safejury generate` reads; [making a set](../generation.md) explains it."""
_DECIDES = {
    Decides.YES: "yes",
    Decides.CONTENT: "by its content",
    Decides.NO: "no",
    Decides.GROWS: "may grow",
}


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a config.

    Attributes:
        path: Its place, such as `jury.jurors[].persona`.
        takes: What it takes, in words.
        default: What it is unless given; empty where it must be given.
        about: What it means.
        model: The model of the part that it holds, None where it holds a plain value.
    """

    path: str
    takes: str
    default: str
    about: str
    model: type[BaseModel] | None


def config_page() -> str:
    """Return the page on the keys of a run's config and of a generation's."""
    parts = [
        _HEAD,
        *_sections(Config, with_identity=True),
        _HEAD_OF_GENERATION,
        *_sections(GenerateConfig, with_identity=False),
    ]
    return "\n\n".join(parts) + "\n"


def keys_of(model: type[BaseModel], path: str = "") -> Iterator[Key]:
    """Yield the keys of a model, in their order, without those of its parts."""
    said = _docs(model)
    own = [name for name in model.model_fields if name in model.__annotations__]
    inherited = [name for name in model.model_fields if name not in own]
    for name in (*own, *inherited):
        field = model.model_fields[name]
        kind, part, suffix = _described(field.annotation, field.metadata)
        place = f"{path}.{name}" if path else name
        yield Key(f"{place}{suffix}", kind, _default(field), said.get(name, ""), part)


def _sections(model: type[BaseModel], *, with_identity: bool) -> Iterator[str]:
    waiting: list[tuple[str, type[BaseModel]]] = [("", model)]
    seen = dict[type[BaseModel], str]()
    while waiting:
        path, part = waiting.pop(0)
        seen.setdefault(part, path)
        title = f"`{path}` {{ #{_anchor(model, path)} }}" if path else "Top level"
        yield f"## {title}\n\n{_first_line(part)}"
        keys = list(keys_of(part, path))
        yield _table(model, keys, seen, with_identity=with_identity)
        waiting += [(key.path, key.model) for key in keys if key.model and key.model not in seen]
        for key in keys:
            if key.model is not None:
                seen.setdefault(key.model, key.path)


def _table(
    model: type[BaseModel],
    keys: Sequence[Key],
    seen: dict[type[BaseModel], str],
    *,
    with_identity: bool,
) -> str:
    head = ["key", "type", "default", *(["identity"] if with_identity else []), "meaning"]
    rows = [head, ["---"] * len(head)]
    for key in keys:
        kind = key.takes
        if key.model is not None:
            place = seen.get(key.model, key.path)
            kind = kind.replace("keys", f"[keys of `{place}`](#{_anchor(model, place)})")
        row = [f"`{key.path}`", kind, key.default or "*required*"]
        if with_identity:
            row.append(_identity(key))
        rows.append([_cell(each) for each in (*row, key.about)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _identity(key: Key) -> str:
    if key.model is not None and decides_results(_names(key.path)) is Decides.YES:
        return "its keys"
    return _DECIDES[decides_results(_names(key.path))]


def _anchor(model: type[BaseModel], path: str) -> str:
    return ".".join([model.__name__.lower(), *_names(path)])


def _names(path: str) -> list[str]:
    return path.replace("[]", "").replace("{}", "").split(".")


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return ""
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined or value is None:
        return "none"
    if isinstance(value, BaseModel):
        return "its defaults"
    return f"`{_yaml(value)}`"


def _yaml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(_yaml, value))}]"  # pyright: ignore[reportUnknownArgumentType]
    return f"{value:g}" if isinstance(value, float) else str(value)


def _described(
    annotation: Any, metadata: Sequence[Any] = ()
) -> tuple[str, type[BaseModel] | None, str]:
    """Return what a type takes in words, the model of its part, and what a path adds for it."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _described(args[0], (*args[1:], *metadata))
    if origin is Literal:
        return " | ".join(f"`{each}`" for each in args), None, ""
    if origin in (Union, types.UnionType):
        parts = [_described(each, metadata) for each in args if each is not type(None)]
        words = dict.fromkeys(word for word, _, _ in parts)
        model = next((each for _, each, _ in parts if each is not None), None)
        suffix = next((each for _, _, each in parts if each), "")
        return " or ".join(words), model, suffix
    if origin is list:
        word, model, _ = _described(args[0])
        return f"list of {word}", model, "[]" if model else ""
    if origin is dict:
        word, model, _ = _described(args[1])
        return f"mapping to {word}", model, "{}" if model else ""
    if _is_part(annotation):
        return "keys", annotation, ""
    if isinstance(annotation, EnumType):
        members = cast("Iterable[Enum]", annotation)
        return " | ".join(f"`{each.value}`" for each in members), None, ""
    word = _TYPES.get(annotation, str(annotation))
    return _bounded(word, metadata), None, ""


def _is_part(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _bounded(word: str, metadata: Sequence[Any]) -> str:
    said = [
        f"{sign} {getattr(each, name):g}"
        for each in metadata
        for name, sign in _BOUNDS.items()
        if getattr(each, name, None) is not None
    ]
    return f"{word} {' and '.join(said)}".strip()


def _first_line(model: type[BaseModel]) -> str:
    return inspect.cleandoc(model.__doc__ or "").split("\n\n")[0].replace("\n", " ")


@cache
def _docs(model: type[BaseModel]) -> dict[str, str]:
    """Return the strings that stand below the fields of a model and of its bases."""
    found: dict[str, str] = {}
    for each in reversed(model.__mro__):
        if not issubclass(each, BaseModel) or each is BaseModel:
            continue
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(each))).body
        assert isinstance(tree, ast.ClassDef)
        for field, text in zip(tree.body, tree.body[1:], strict=False):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                match text:
                    case ast.Expr(value=ast.Constant(value=str(said))):
                        found[field.target.id] = inspect.cleandoc(said).replace("\n", " ")
                    case _:
                        pass
    return found
