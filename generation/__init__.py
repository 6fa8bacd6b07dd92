"""Makes a dataset: scenarios, queries, benign twins, images, speech and a card."""

from typing import TYPE_CHECKING

from ..common import lazy

if TYPE_CHECKING:
    from ._all_stages import STAGES
    from .calls import NamedModel, StageModels
    from .card import CardStage, check_card
    from .items import (
        Candidate,
        GenerationSettings,
        Origin,
        Picture,
        PictureRound,
        PictureSettings,
        QuerySettings,
        Score,
        Speech,
        SpeechSettings,
        TaxonomySettings,
        Twin,
        TwinSettings,
    )
    from .pictures import (
        Drawn,
        NotDrawn,
        PicturesStage,
        Renderer,
        Subject,
        check_pictures,
        open_renderer,
    )
    from .pipeline import (
        CallCosts,
        CallJournal,
        Calls,
        Progress,
        Services,
        SetFolder,
        Stage,
        StageContext,
        check_set_folder,
        make_stages,
    )
    from .queries import (
        QueriesStage,
        TwinsStage,
        query_agents,
    )
    from .speech import SpeechStage, check_speech, check_voices
    from .taxonomy import Mark, Merge, Proposal, Standing, TaxonomyStage

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_all_stages": ["STAGES"],
            "calls": ["StageModels", "NamedModel"],
            "card": ["CardStage", "check_card"],
            "items": [
                "Candidate",
                "GenerationSettings",
                "Origin",
                "Picture",
                "PictureRound",
                "PictureSettings",
                "QuerySettings",
                "Score",
                "Speech",
                "SpeechSettings",
                "TaxonomySettings",
                "Twin",
                "TwinSettings",
            ],
            "pictures": [
                "Drawn",
                "NotDrawn",
                "PicturesStage",
                "Renderer",
                "Subject",
                "check_pictures",
                "open_renderer",
            ],
            "pipeline": [
                "CallJournal",
                "Calls",
                "Progress",
                "Services",
                "SetFolder",
                "CallCosts",
                "Stage",
                "StageContext",
                "check_set_folder",
                "make_stages",
            ],
            "queries": [
                "QueriesStage",
                "TwinsStage",
                "query_agents",
            ],
            "speech": ["SpeechStage", "check_speech", "check_voices"],
            "taxonomy": ["Mark", "Merge", "Proposal", "Standing", "TaxonomyStage"],
        },
    )

__all__ = [
    "STAGES",
    "CallCosts",
    "CallJournal",
    "Calls",
    "Candidate",
    "CardStage",
    "Drawn",
    "GenerationSettings",
    "Mark",
    "Merge",
    "NamedModel",
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
    "Stage",
    "StageContext",
    "StageModels",
    "Standing",
    "Subject",
    "TaxonomySettings",
    "TaxonomyStage",
    "Twin",
    "TwinSettings",
    "TwinsStage",
    "check_card",
    "check_pictures",
    "check_set_folder",
    "check_speech",
    "check_voices",
    "make_stages",
    "open_renderer",
    "query_agents",
]
