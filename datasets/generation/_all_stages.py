"""All stages of a set, in the order in which they are made."""

from ._card import CardStage
from ._pictures import PicturesStage
from ._queries import QueriesStage
from ._speech import SpeechStage
from ._stages import Stage
from ._taxonomy import TaxonomyStage
from ._twins import TwinsStage

STAGES: tuple[Stage, ...] = (
    TaxonomyStage(),
    QueriesStage(),
    TwinsStage(),
    PicturesStage(),
    SpeechStage(),
    CardStage(),
)
