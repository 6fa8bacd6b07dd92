"""The targets of a config."""

from ._function import function_target, named_function
from ._target_spec import target_spec

__all__ = [
    "function_target",
    "named_function",
    "target_spec",
]
