"""All stages of a set, in the order in which they are made."""

from .card import CardStage
from .pictures import PicturesStage
from .pipeline import Stage
from .queries import QueriesStage, TwinsStage
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
