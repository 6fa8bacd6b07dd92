"""Settings of a dataset, and what its stages leave on disk."""

from ._items import OURS, Candidate, Origin, Picture, PictureRound, Score, Speech, Twin
from ._settings import (
    FROM_DESCRIPTIONS,
    GenerationSettings,
    PictureSettings,
    QuerySettings,
    Renderer,
    SpeechSettings,
    TaxonomySettings,
    TwinSettings,
)

__all__ = [
    "FROM_DESCRIPTIONS",
    "OURS",
    "Candidate",
    "GenerationSettings",
    "Origin",
    "Picture",
    "PictureRound",
    "PictureSettings",
    "QuerySettings",
    "Renderer",
    "Score",
    "Speech",
    "SpeechSettings",
    "TaxonomySettings",
    "Twin",
    "TwinSettings",
]
