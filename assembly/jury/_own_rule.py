"""A rule of the user's own, named in a config as `my_pkg.my_module:unanimous`."""

import importlib
import inspect
import re
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from ...common import ConfigurationError
from ...common.text import did_you_mean, quoted
from ...deliberation import register_rule

_PLACE = re.compile(r"([^\W\d]\w*(?:\.[^\W\d]\w*)*):([^\W\d]\w*)")


def register_own_rule(name: str, folder: Path) -> None:
    """Import the function that a rule's name leads to and register it under that name.

    Its module is looked up among what is installed, then in `folder`, then in the current
    directory.

    Args:
        name: Module and function, such as `my_pkg.my_module:unanimous`.
        folder: Where the config is.

    Raises:
        ConfigurationError: There is no such module or function, or the module fails.
    """
    place = _PLACE.fullmatch(name)
    if place is None:
        raise ConfigurationError(
            f"the rule {quoted(name)}: write a rule of your own as module:function, such as "
            "my_rules:unanimous"
        )
    module, attribute = place.groups()
    function = getattr(_imported(name, module, folder), attribute, None)
    if not inspect.isfunction(function) or inspect.iscoroutinefunction(function):
        raise ConfigurationError(f"the rule {quoted(name)}: {_what_is_there(module, attribute)}")
    register_rule(function, name)


def _imported(name: str, module: str, folder: Path) -> ModuleType:
    try:
        with _findable_in(folder, Path()):
            return importlib.import_module(module)
    except (Exception, SystemExit) as error:  # whatever a module of others may do
        if isinstance(error, ModuleNotFoundError) and f"{module}.".startswith(f"{error.name}."):
            where = " and ".join(dict.fromkeys(map(str, (folder.resolve(), Path.cwd()))))
            raise ConfigurationError(
                f"the rule {quoted(name)}: there is no module {module!r}; it was looked for in "
                f"{where}, and among the installed packages"
            ) from None
        raise ConfigurationError(
            f"the rule {quoted(name)}: importing {module} failed ({type(error).__name__}: {error})"
        ) from error


@contextmanager
def _findable_in(*folders: Path) -> Generator[None]:
    # Last, or a folder called `datasets` there would hide the package of that name.
    places = dict.fromkeys(str(folder.resolve()) for folder in folders)
    added = [place for place in places if place not in sys.path]
    sys.path += added
    importlib.invalidate_caches()
    try:
        yield
    finally:
        for folder in added:
            sys.path.remove(folder)


def _what_is_there(module: str, attribute: str) -> str:
    found = vars(sys.modules[module])
    if attribute in found:
        return f"{attribute} is not a plain function that returns a Decision"
    functions: Sequence[str] = [each for each, value in found.items() if inspect.isfunction(value)]
    return f"{module} has no function {attribute!r}{did_you_mean(attribute, functions)}"
