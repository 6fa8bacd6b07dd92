"""Looks up a value in a row: by column name, or by a path such as `choices.0.text`."""

import re
from functools import lru_cache
from typing import cast

from ._values import Object, as_list, is_object

_PLACE_IN_LIST = re.compile(r"-?[0-9]{1,9}")

MISSING = object()
"""Stands for a value that is not there, which is not the same as null."""


def value_at(values: Object, path: str) -> object:
    """Return the value at a path, `MISSING` if there is none.

    A column of that very name comes first; else the path is steps with dots between
    them, of which a number is a place in a list.
    """
    if path in values:
        return values[path]
    place: object = values
    for step in steps(path):
        if is_object(place):
            place = place.get(step, MISSING)
        elif isinstance(place, list) and _PLACE_IN_LIST.fullmatch(step):
            items = as_list(cast(object, place))
            place = items[int(step)] if -len(items) <= int(step) < len(items) else MISSING
        else:
            return MISSING
    return place


@lru_cache(maxsize=256)
def steps(path: str) -> tuple[str, ...]:
    """Split a path into steps."""
    return tuple(step for step in path.replace("[", ".").replace("]", "").split(".") if step)
