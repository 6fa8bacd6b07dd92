"""What Pydantic finds wrong with a value, in words for whoever wrote it."""

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from ...common import ConfigurationError
from ...common.text import quoted
from ._model_shape import NAME, SEAT_NAME
from ._part import NO_NUL, VARIABLE

_WHOLE, _NUMBER = "must be a whole number", "must be a number"
_TYPES = {
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "string_type": "must be text, in quotes if need be",
    "string_too_short": "must not be empty",
    "string_unicode": "must be text that UTF-8 can hold",
    "list_type": "must be a list, such as [one, two]",
    "dict_type": "must have keys of its own",
}
_BOUNDS = {
    "greater_than_equal": ("at least", "ge"),
    "greater_than": ("more than", "gt"),
    "less_than_equal": ("at most", "le"),
    "less_than": ("less than", "lt"),
}
_PATTERNS = {
    NAME: "must be letters, digits, dots, dashes and underscores (at most 100, the first a letter "
    "or a digit)",
    SEAT_NAME: "must be letters, digits and underscores (at most 64, the first a letter)",
    VARIABLE: "must be the name of an environment variable",
    NO_NUL: "must not have a NUL character in it",
}
_SELF_EVIDENT = {"must not be empty", _PATTERNS[NO_NUL]}


def in_words(error: ErrorDetails) -> str:
    """Return what is wrong with a value and what it is, such as `must be at least 1, not 0`."""
    kind, limits = error["type"], error.get("ctx", {})
    given: object = error["input"]
    if kind in _BOUNDS:
        words, limit = _BOUNDS[kind]
        said = f"must be {words} {limits[limit]:,.10g}"
    elif kind == "literal_error":
        said = f"must be {limits['expected']}"
    elif kind == "string_pattern_mismatch":
        said = _PATTERNS.get(limits["pattern"], error["msg"])
    elif kind == "value_error":
        return error["msg"].removeprefix("Value error, ")
    else:
        said = _TYPES.get(kind, f"cannot be used ({error['msg']})")
    if isinstance(given, (dict, list)) or said in _SELF_EVIDENT:
        return said
    return f"{said}, not {quoted(given)}"


def refused_option(error: ValidationError, *, model: str) -> ConfigurationError:
    """Return the error of a model that cannot be as the command line describes it.

    Args:
        error: What is wrong with its config.
        model: The option that names it.
    """
    first = error.errors(include_url=False)[0]
    key = str(first["loc"][-1])
    option = {"model": model, "base_url": "--url", "api_key_env": "--api-key-env"}.get(key, key)
    # A key is not shown.
    said = _PATTERNS[VARIABLE] + ", not the key" if key == "api_key_env" else in_words(first)
    return ConfigurationError(f"{option} {said}")
