"""Writes a jury as plain data without its secrets, and reads it again."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any, cast, get_args, get_origin, get_type_hints

import msgspec
from pydantic import BaseModel, TypeAdapter, ValidationError

from .. import agents  # an `AgentFactory` is looked up when one is met: with it come teams
from ..common import ConfigurationError, import_named
from ..common.text import quoted
from ..models import ModelSpec, spec_as_data, spec_from_data
from ._jury_spec import JurySpec
from .protocol import RULES, register_rule
from .protocol.card import Cost, JuryCard


def jury_as_data(spec: JurySpec, *, managed: bool = False) -> dict[str, Any]:
    """Return a jury as plain data; of keys and headers it has the environment variables.

    Args:
        spec: The jury.
        managed: Whether who reads it knows the managed servers of this run.

    Raises:
        ConfigurationError: A function has no place where another program finds it, or a secret
            came from no environment variable.
    """
    rule = spec.protocol.rule.name
    if rule not in RULES or RULES[rule].source_sha256 is not None:
        _check_place("rule", rule)
    return cast("dict[str, Any]", _plain(spec, managed))


def jury_from_data(data: object) -> JurySpec:
    """Return the jury that `jury_as_data` returned; its functions are imported.

    Raises:
        ConfigurationError: It is something else, a function is gone, or an environment
            variable that holds a key is not set.
    """
    try:
        spec = _made(JurySpec, data)
        rule = spec.protocol.rule.name
        if rule not in RULES and ":" in rule:
            function: Any = import_named("rule", rule, Path())
            register_rule(function, rule)
        spec.check()
    except (ValidationError, msgspec.ValidationError, TypeError, AttributeError) as error:
        said = " ".join(str(error).split())
        raise ConfigurationError(f"this describes no jury: {quoted(said)}") from None
    return spec


def _plain(value: object, managed: bool) -> object:
    match value:
        case ModelSpec():
            return spec_as_data(value, managed=managed)
        case agents.AgentFactory():
            return _check_place("agent", value.place)
        case BaseModel():
            return value.model_dump(mode="json")
        case Enum():
            return value.value
        case msgspec.Struct():
            return msgspec.to_builtins(value)
        case Path():
            return str(value)
        case None | str() | int() | float():
            return value
        case Mapping():
            held = cast("Mapping[object, object]", value)
            return {str(key): _plain(each, managed) for key, each in held.items()}
        case tuple() | list():
            return [_plain(each, managed) for each in cast("tuple[object, ...]", value)]
        case frozenset():
            return sorted(cast("frozenset[str]", value))
        case _ if is_dataclass(value):
            return {
                field.name: _plain(getattr(value, field.name), managed) for field in fields(value)
            }
        case _:
            raise ConfigurationError(
                f"a {type(value).__name__} of the jury cannot be written as plain data"
            )


def _made(kind: Any, data: object) -> Any:
    """Return plain data as what it is to be."""
    if kind is ModelSpec:
        return spec_from_data(TypeAdapter(dict[str, Any]).validate_python(data))
    if kind is agents.AgentFactory:
        return agents.AgentFactory.of(import_named("agent", str(data), Path()), str(data))
    if kind in (JuryCard, Cost):
        return msgspec.convert(data, kind)
    kinds = get_args(kind)
    if type(None) in kinds and len(kinds) == 2:
        (other,) = (each for each in kinds if each is not type(None))
        return None if data is None else _made(other, data)
    if get_origin(kind) is tuple and kinds[-1] is ...:
        listed = TypeAdapter(list[Any]).validate_python(data)
        return tuple(_made(kinds[0], each) for each in listed)
    if is_dataclass(kind) and isinstance(kind, type):
        hints = get_type_hints(kind, localns=_Agents())
        said = TypeAdapter(dict[str, Any]).validate_python(data)
        if unknown := said.keys() - hints.keys():
            raise TypeError(f"{kind.__name__} has no {', '.join(sorted(unknown))}")
        return kind(**{name: _made(hints[name], value) for name, value in said.items()})
    return TypeAdapter[Any](cast("Any", kind)).validate_python(data)


class _Agents(dict[str, object]):
    """Names of agents that a module imports for its annotations alone."""

    def __missing__(self, name: str) -> object:
        if name not in agents.__all__:
            raise KeyError(name)
        return getattr(agents, name)


def _check_place(what: str, place: str) -> str:
    """Return where a function is, where another program finds it there."""
    if place.startswith("__main__:") or not set("<#").isdisjoint(place):
        raise ConfigurationError(
            f"the {what} {quoted(place)} is a function that no other program could import: put it "
            "into a module of its own"
        )
    return place
