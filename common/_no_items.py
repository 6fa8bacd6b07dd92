"""An empty dict as the default of a field."""

from typing import Any


def no_items() -> dict[Any, Any]:
    """Return an empty dict, in a tenth of the time of `dict[str, int]`, which takes an alias."""
    return {}
