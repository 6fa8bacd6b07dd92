"""Prompts and rubrics of the jury."""

from ._prompts import FIRST_BALLOT_PROMPTS, prompt_hashes, render, with_quotes
from ._rubric import Rubric, load_rubric

__all__ = [
    "FIRST_BALLOT_PROMPTS",
    "Rubric",
    "load_rubric",
    "prompt_hashes",
    "render",
    "with_quotes",
]
