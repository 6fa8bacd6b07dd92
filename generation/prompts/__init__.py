"""The prompts of the pipeline."""

from ._prompts import prompt_hashes, render

__all__ = [
    "prompt_hashes",
    "render",
]
