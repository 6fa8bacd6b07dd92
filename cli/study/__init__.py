"""Commands that read runs."""

from ._verify import verify

__all__ = [
    "verify",
]
