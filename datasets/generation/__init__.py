"""Makes a set: scenarios, queries, twins, pictures, speech and a card."""

from typing import TYPE_CHECKING

from .._lazy import lazy

if TYPE_CHECKING:
    from ._all_stages import STAGES
    from ._cast import Cast, Member
    from ._estimate import Calls
    from ._folder import SetFolder, check_set_folder
    from ._items import Candidate, Origin, Picture, PictureRound, Score, Speech, Twin
    from ._journal import CallJournal, Spent
    from ._services import Services
    from ._settings import (
        GenerationSettings,
        PictureSettings,
        QuerySettings,
        SpeechSettings,
        TaxonomySettings,
        TwinSettings,
    )
    from ._stages import Stage, make_stages
    from ._workshop import Progress, Workshop
    from .card import CardStage, check_card
    from .dialogues import QueriesStage, TwinsStage
    from .pictures import (
        Drawn,
        NotDrawn,
        PicturesStage,
        Renderer,
        Subject,
        check_pictures,
        open_renderer,
    )
    from .speech import SpeechStage, check_speech, check_voices
    from .taxonomy import Mark, Merge, Proposal, Standing, TaxonomyStage

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "STAGES": "_all_stages",
            "CallJournal": "_journal",
            "Calls": "_estimate",
            "Candidate": "_items",
            "CardStage": "card",
            "Cast": "_cast",
            "Drawn": "pictures",
            "GenerationSettings": "_settings",
            "Mark": "taxonomy",
            "Member": "_cast",
            "Merge": "taxonomy",
            "NotDrawn": "pictures",
            "Origin": "_items",
            "Picture": "_items",
            "PictureRound": "_items",
            "PictureSettings": "_settings",
            "PicturesStage": "pictures",
            "Progress": "_workshop",
            "Proposal": "taxonomy",
            "QueriesStage": "dialogues",
            "QuerySettings": "_settings",
            "Renderer": "pictures",
            "Score": "_items",
            "Services": "_services",
            "SetFolder": "_folder",
            "Speech": "_items",
            "SpeechSettings": "_settings",
            "SpeechStage": "speech",
            "Spent": "_journal",
            "Stage": "_stages",
            "Standing": "taxonomy",
            "Subject": "pictures",
            "TaxonomySettings": "_settings",
            "TaxonomyStage": "taxonomy",
            "Twin": "_items",
            "TwinSettings": "_settings",
            "TwinsStage": "dialogues",
            "Workshop": "_workshop",
            "check_card": "card",
            "check_pictures": "pictures",
            "check_set_folder": "_folder",
            "check_speech": "speech",
            "check_voices": "speech",
            "make_stages": "_stages",
            "open_renderer": "pictures",
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
    "Services",
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
    "check_pictures",
    "check_set_folder",
    "check_speech",
    "check_voices",
    "make_stages",
    "open_renderer",
]
