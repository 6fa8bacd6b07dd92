"""The jury of a config."""

from typing import TYPE_CHECKING

from ...common import lazy
from ._jury_spec import described_protocol, jury_spec, make_protocol
from ._keys import jury_keys, rule_keys
from ._of_models import jury_of_models

if TYPE_CHECKING:
    from ._open import open_jury

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(__name__, {"_open": ["open_jury"]})

__all__ = [
    "described_protocol",
    "jury_keys",
    "jury_of_models",
    "jury_spec",
    "make_protocol",
    "open_jury",
    "rule_keys",
]
