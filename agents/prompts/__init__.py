"""Prompts and rubrics of the jury."""

from ._prompts import prompt_hashes, render, with_quotes
from ._rubric import Rubric, load_rubric

__all__ = [
    "Rubric",
    "load_rubric",
    "prompt_hashes",
    "render",
    "with_quotes",
]
