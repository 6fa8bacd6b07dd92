"""Code of the user's own that a config names as `module:name`."""

import importlib
import inspect
import re
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from ._errors import ConfigurationError
from .text import did_you_mean, quoted

_PLACE = re.compile(r"([^\W\d]\w*(?:\.[^\W\d]\w*)*):([^\W\d]\w*)")


def import_named(what: str, name: str, folder: Path) -> object:
    """Import what a name leads to.

    Its module is looked up among what is installed, then in `folder`, then in the current
    directory.

    Args:
        what: What it is for, such as `rule`, for errors.
        name: Module and name, such as `my_pkg.my_module:unanimous`.
        folder: Where the config is.

    Raises:
        ConfigurationError: There is no such module or name, or the module fails.
    """
    place = _PLACE.fullmatch(name)
    shown = f"the {what} {quoted(name)}"
    if place is None:
        article = "an" if what[0] in "aeiou" else "a"
        raise ConfigurationError(
            f"{shown}: write {article} {what} of your own as module:function, such as "
            f"my_{what}s:mine"
        )
    module, attribute = place.groups()
    found = vars(_imported(shown, module, folder))
    if attribute not in found:
        functions: Sequence[str] = [key for key, one in found.items() if inspect.isfunction(one)]
        raise ConfigurationError(
            f"{shown}: {module} has no function {attribute!r}{did_you_mean(attribute, functions)}"
        )
    return found[attribute]


def _imported(shown: str, module: str, folder: Path) -> ModuleType:
    try:
        with _findable_in(folder, Path()):
            return importlib.import_module(module)
    except (Exception, SystemExit) as error:  # whatever a module of others may do
        if isinstance(error, ModuleNotFoundError) and f"{module}.".startswith(f"{error.name}."):
            where = " and ".join(dict.fromkeys(map(str, (folder.resolve(), Path.cwd()))))
            raise ConfigurationError(
                f"{shown}: there is no module {module!r}; it was looked for in "
                f"{where}, and among the installed packages"
            ) from None
        raise ConfigurationError(
            f"{shown}: importing {module} failed ({type(error).__name__}: {error})"
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
