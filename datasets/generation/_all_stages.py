"""All stages of a set, in the order in which they are made."""

from ._stages import Stage
from .card import CardStage
from .dialogues import QueriesStage, TwinsStage
from .pictures import PicturesStage
from .speech import SpeechStage
from .taxonomy import TaxonomyStage

STAGES: tuple[Stage, ...] = (
    TaxonomyStage(),
    QueriesStage(),
    TwinsStage(),
    PicturesStage(),
    SpeechStage(),
    CardStage(),
)
