"""Makes a set: scenarios, queries, twins, pictures, speech and a card."""

from typing import TYPE_CHECKING

from .._lazy import lazy

if TYPE_CHECKING:
    from ._all_stages import STAGES
    from ._card import CardStage, check_card
    from ._cast import Cast, Member
    from ._estimate import Calls
    from ._folder import SetFolder
    from ._items import Candidate, Origin, Picture, PictureRound, Score, Speech, Twin
    from ._journal import CallJournal, Spent
    from ._pictures import PicturesStage
    from ._queries import QueriesStage
    from ._renderer import Drawn, NotDrawn, Renderer, Subject
    from ._renderers import open_renderer
    from ._settings import (
        GenerationSettings,
        PictureSettings,
        QuerySettings,
        SpeechSettings,
        TaxonomySettings,
        TwinSettings,
    )
    from ._speech import SpeechStage, check_speech
    from ._stages import Stage, make_stages
    from ._taxonomy import TaxonomyStage
    from ._taxonomy_items import Mark, Merge, Proposal, Standing
    from ._twins import TwinsStage
    from ._workshop import Progress, Workshop

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "STAGES": "_all_stages",
            "CallJournal": "_journal",
            "Calls": "_estimate",
            "Candidate": "_items",
            "CardStage": "_card",
            "Cast": "_cast",
            "Drawn": "_renderer",
            "GenerationSettings": "_settings",
            "Mark": "_taxonomy_items",
            "Member": "_cast",
            "Merge": "_taxonomy_items",
            "NotDrawn": "_renderer",
            "Origin": "_items",
            "Picture": "_items",
            "PictureRound": "_items",
            "PictureSettings": "_settings",
            "PicturesStage": "_pictures",
            "Progress": "_workshop",
            "Proposal": "_taxonomy_items",
            "QueriesStage": "_queries",
            "QuerySettings": "_settings",
            "Renderer": "_renderer",
            "Score": "_items",
            "SetFolder": "_folder",
            "Speech": "_items",
            "SpeechSettings": "_settings",
            "SpeechStage": "_speech",
            "Spent": "_journal",
            "Stage": "_stages",
            "Standing": "_taxonomy_items",
            "Subject": "_renderer",
            "TaxonomySettings": "_settings",
            "TaxonomyStage": "_taxonomy",
            "Twin": "_items",
            "TwinSettings": "_settings",
            "TwinsStage": "_twins",
            "Workshop": "_workshop",
            "check_card": "_card",
            "check_speech": "_speech",
            "make_stages": "_stages",
            "open_renderer": "_renderers",
        },
    )

__all__ = [
    "STAGES",
    "CallJournal",
    "Calls",
    "Candidate",
    "CardStage",
    "Cast",
    "Drawn",
    "GenerationSettings",
    "Mark",
    "Member",
    "Merge",
    "NotDrawn",
    "Origin",
    "Picture",
    "PictureRound",
    "PictureSettings",
    "PicturesStage",
    "Progress",
    "Proposal",
    "QueriesStage",
    "QuerySettings",
    "Renderer",
    "Score",
    "SetFolder",
    "Speech",
    "SpeechSettings",
    "SpeechStage",
    "Spent",
    "Stage",
    "Standing",
    "Subject",
    "TaxonomySettings",
    "TaxonomyStage",
    "Twin",
    "TwinSettings",
    "TwinsStage",
    "Workshop",
    "check_card",
    "check_speech",
    "make_stages",
    "open_renderer",
]
