"""The stages of a dataset: run in order, resumed, journaled, kept in its folder."""

from ._context import Progress, StageContext
from ._editable import edited_by_hand, write_taxonomy
from ._estimate import (
    CHARACTERS_PER_TOKEN,
    Calls,
    calls_of,
    items_planned,
    known_taxonomy,
    scenarios_planned,
    tokens,
)
from ._folder import (
    CANDIDATES,
    COUNTS,
    PICTURES,
    QUERIES,
    SET,
    SPEECH,
    TAXONOMY,
    TAXONOMY_LOG,
    TWINS,
    SetFolder,
    check_set_folder,
)
from ._in_order import AHEAD, in_order
from ._journal import CALLS, CallCosts, CallJournal
from ._media_cache import MediaCache
from ._services import Services, finish_once_paid
from ._set_texts import set_texts
from ._stage_counts import StageCounts
from ._stages import Stage, make_stages
from ._temporary import ItemWriter, TemporaryItems

__all__ = [
    "AHEAD",
    "CALLS",
    "CANDIDATES",
    "CHARACTERS_PER_TOKEN",
    "COUNTS",
    "PICTURES",
    "QUERIES",
    "SET",
    "SPEECH",
    "TAXONOMY",
    "TAXONOMY_LOG",
    "TWINS",
    "CallCosts",
    "CallJournal",
    "Calls",
    "ItemWriter",
    "MediaCache",
    "Progress",
    "Services",
    "SetFolder",
    "Stage",
    "StageContext",
    "StageCounts",
    "TemporaryItems",
    "calls_of",
    "check_set_folder",
    "edited_by_hand",
    "finish_once_paid",
    "in_order",
    "items_planned",
    "known_taxonomy",
    "make_stages",
    "scenarios_planned",
    "set_texts",
    "tokens",
    "write_taxonomy",
]
