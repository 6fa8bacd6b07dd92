"""A rule of the user's own, named in a config as `my_pkg.my_module:unanimous`."""

import inspect
from pathlib import Path

from ...common import ConfigurationError, import_named
from ...common.text import quoted
from ...deliberation import register_rule


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
    function = import_named("rule", name, folder)
    if not inspect.isfunction(function) or inspect.iscoroutinefunction(function):
        raise ConfigurationError(
            f"the rule {quoted(name)}: {name.partition(':')[2]} is not a plain function that "
            "returns a Decision"
        )
    register_rule(function, name)
