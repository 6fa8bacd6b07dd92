"""By what a run knows a function: where it is, its source, and what it was made with."""

import dis
import functools
import hashlib
import inspect
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import PurePath
from types import CodeType
from typing import Any, cast

from ..models import ModelSpec

_PLAIN = (str, bytes, int, float, complex, Enum, PurePath, type(None))


def function_identity(function: Callable[..., object]) -> dict[str, str]:
    """Return by what a run knows a function: where it is, and a hash of its source.

    What a function within another, a lambda or a `functools.partial` was made with is part of
    the hash where it is plain: text, numbers, models, functions and tuples of these. Of an
    object that can be called it is its class. What a function refers to beside its own lines
    is no part of it.
    """
    named, digest = _known(function, ())
    return {"function": f"{named.__module__}:{named.__qualname__}", "sha256": digest}


def _known(function: Callable[..., object], within: tuple[object, ...]) -> tuple[Any, str]:
    """Return the function or class that has a name and lines, and a hash of what it does.

    Args:
        function: What can be called.
        within: The functions that hold it, so that one that holds itself comes to an end.
    """
    bound: list[object] = []
    inner: Any = function
    while isinstance(inner, functools.partial):
        part = cast("functools.partial[object]", inner)
        bound.append((part.args, tuple(sorted(part.keywords.items()))))
        inner = part.func
    named: Any = inner if hasattr(inner, "__qualname__") else cast(Any, type(inner))
    held: dict[str, object] = {"bound": tuple(bound)} if bound else {}
    if "<" in named.__qualname__ and not isinstance(named, type):
        held |= _made_with(named)
    hashed = hashlib.sha256(_source(named))
    if held:
        words = {name: _words(value, (*within, function)) for name, value in held.items()}
        hashed.update(repr(sorted(words.items())).encode("utf-8", "backslashreplace"))
    return named, hashed.hexdigest()


def _made_with(function: Any) -> dict[str, object]:
    """Return what a function within another, or a lambda, has from where it was made."""
    code = getattr(function, "__code__", None)
    if not isinstance(code, CodeType):
        return {}
    named: dict[str, object] = function.__kwdefaults__ or {}
    defaults = (function.__defaults__ or (), tuple(sorted(named.items())))
    held: dict[str, object] = {"defaults": defaults} if any(defaults) else {}
    counted = set(_rebound(code))  # such as the number of its calls: it differs later
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
        try:
            if name not in counted:
                held[f"free {name}"] = cell.cell_contents
        except ValueError:  # not set yet
            continue
    return held


def _rebound(code: CodeType) -> Iterator[str]:
    for step in dis.get_instructions(code):
        if step.opname == "STORE_DEREF":
            yield step.argval
    for one in code.co_consts:
        if isinstance(one, CodeType):
            yield from _rebound(one)


def _words(value: object, within: tuple[object, ...]) -> object:
    """Return a value as what is the same in another process."""
    if isinstance(value, ModelSpec):
        return _model_words(value)
    if isinstance(value, _PLAIN):
        return repr(value)
    if isinstance(value, tuple):
        return [_words(one, within) for one in cast("tuple[object, ...]", value)]
    if inspect.isroutine(value) or isinstance(value, functools.partial):
        if any(value is one for one in within):
            return "itself"
        named, digest = _known(cast("Callable[..., object]", value), within)
        return (named.__module__, named.__qualname__, digest)
    return type(value).__qualname__  # it may differ from call to call


def _model_words(spec: ModelSpec) -> object:
    """Return what decides a model's replies: neither its key nor how it is reached or paid."""
    place = (spec.base_url, spec.server, spec.api_base, spec.api_version, spec.region)
    return ("model", spec.model, place, spec.json_schema, sorted(spec.modalities), spec.options)


def _source(function: Any) -> bytes:
    code = getattr(inspect.unwrap(function), "__code__", None)
    parts = repr(_parts(code)).encode() if isinstance(code, CodeType) else b""
    try:
        source = inspect.getsource(function).encode()
    except (OSError, TypeError):  # typed at a prompt that keeps no lines
        return parts or _source_of_class(function)
    # Several may stand in one line.
    return source + parts if function.__name__ == "<lambda>" else source


def _source_of_class(named: Any) -> bytes:
    """Return what the methods of a class do."""
    held = sorted(vars(named).items()) if isinstance(named, type) else ()
    methods = ((name, one) for name, one in held if inspect.isfunction(one))
    return b"".join(name.encode() + _source(one) for name, one in methods)


def _parts(code: CodeType) -> list[object]:
    inner = [_parts(one) if isinstance(one, CodeType) else _constant(one) for one in code.co_consts]
    return [code.co_code, code.co_names, inner]


def _constant(value: object) -> object:
    if isinstance(value, frozenset):  # its order differs from process to process
        return sorted(map(repr, cast("frozenset[object]", value)))
    return value
