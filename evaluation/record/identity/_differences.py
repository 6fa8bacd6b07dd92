"""Compares the configurations of runs."""

import json
from collections.abc import Iterator
from typing import cast


def differences(old: object, new: object, path: str = "") -> Iterator[str]:
    """Yield one sentence for each difference between plain data.

    Args:
        old: Mappings, lists and scalars, as in JSON.
        new: The same, now.
        path: Path of the data within a larger whole.
    """
    if isinstance(old, dict) and isinstance(new, dict):
        before, after = cast(dict[str, object], old), cast(dict[str, object], new)
        for key in [*before, *(key for key in after if key not in before)]:
            yield from differences(
                before.get(key), after.get(key), f"{path}.{key}" if path else str(key)
            )
    elif isinstance(old, list) and isinstance(new, list):
        yield from _list_differences(cast(list[object], old), cast(list[object], new), path)
    elif old != new:
        yield f"{path} was {_short(cast(object, old))} and is {_short(new)}"


def _list_differences(old: list[object], new: list[object], path: str) -> Iterator[str]:
    if len(old) != len(new):
        yield f"{path} had {len(old)} items and has {len(new)}"
        return
    for index, (before, after) in enumerate(zip(old, new, strict=True)):
        yield from differences(before, after, f"{path}[{index}]")


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."
