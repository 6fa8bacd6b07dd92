"""Spares commands a package that another one loads, and that nothing here uses."""

import sys
from importlib.machinery import ModuleSpec


def spare_requests() -> None:
    """Let AutoGen's `jsonref` do without `requests`, which is a twentieth of a run's start.

    It would fetch schemas of other hosts with it, and does so with `urllib` where it is missing.
    Whoever else asks for `requests` gets it.
    """
    if _Spared not in map(type, sys.meta_path):
        sys.meta_path.insert(0, _Spared())


class _Spared:
    """A finder that finds nothing, and refuses `requests` while `jsonref` is being loaded."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if name == "requests":
            asking = sys.modules.get("jsonref")
            if asking is not None and not hasattr(asking, "JsonRef"):
                raise ModuleNotFoundError(name, name=name)
        return None
