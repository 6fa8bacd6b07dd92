"""Public names whose modules are imported when first used.

AutoGen, LiteLLM and plotting cost seconds; a user who asks for `--help` or a
report should not pay for them.
"""

from collections.abc import Callable, Mapping
from importlib import import_module


def lazy(package: str, exports: Mapping[str, str]) -> Callable[[str], object]:
    """Return a module-level `__getattr__` (PEP 562).

    Args:
        package: The `__name__` of the package.
        exports: Public name to the submodule that defines it, such as
            `{"Juror": "_juror"}`. Where a package of an extra is missing, the error names
            the command that installs it.
    """

    def __getattr__(name: str) -> object:
        try:
            module = exports[name]
        except KeyError:
            raise AttributeError(f"module {package!r} has no attribute {name!r}") from None
        try:
            return getattr(import_module(f"{package}.{module}"), name)
        except ModuleNotFoundError as error:
            from ._extras import explained  # only an error needs what it imports

            raise explained(error) from error

    return __getattr__
