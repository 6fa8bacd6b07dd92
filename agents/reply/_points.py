"""Scores of 0 to 10 in a model's reply: whole numbers, never booleans."""

from typing import Annotated

from pydantic import BeforeValidator, Field


def _no_truth(value: object) -> object:
    """Return None, which is no number, for `true` and `false`."""
    return None if isinstance(value, bool) else value


Points = Annotated[int, BeforeValidator(_no_truth), Field(ge=0, le=10)]
"""A whole number from 0 to 10; `true` and `false` are none, though Python counts with them."""
