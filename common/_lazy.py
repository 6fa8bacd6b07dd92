"""Imports the modules behind public names when a name is first used.

AutoGen, LiteLLM and plotting cost seconds; a user who asks for `--help` or a
report should not pay for them.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module


def lazy(package: str, exports: Mapping[str, Sequence[str]]) -> Callable[[str], object]:
    """Return a module-level `__getattr__` (PEP 562) that imports names on demand.

    Args:
        package: The `__name__` of the package.
        exports: Modules and packages within it, each with the names that it defines, such
            as `{"_juror": ["Juror"]}`. Where a package of an extra is missing, the error
            names the command that installs it.
    """
    modules = {name: module for module, names in exports.items() for name in names}

    def __getattr__(name: str) -> object:
        try:
            module = modules[name]
        except KeyError:
            raise AttributeError(f"module {package!r} has no attribute {name!r}") from None
        try:
            found = getattr(import_module(f"{package}.{module}"), name)
        except ModuleNotFoundError as error:
            from ._extras import missing_package_error  # only an error needs what it imports

            raise missing_package_error(error) from error
        setattr(sys.modules[package], name, found)  # so that it is looked up here only once
        return found

    return __getattr__
