"""The jury of a config."""

from ._jury_spec import jury_spec, make_protocol
from ._keys import jury_keys, rule_keys
from ._of_models import jury_of_models

__all__ = [
    "jury_keys",
    "jury_of_models",
    "jury_spec",
    "make_protocol",
    "rule_keys",
]
