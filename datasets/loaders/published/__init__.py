"""Loaders of published datasets, one module each."""

from ._published import ENCODING, refuse_link
from ._xstest import intent_of

__all__ = [
    "ENCODING",
    "intent_of",
    "refuse_link",
]
