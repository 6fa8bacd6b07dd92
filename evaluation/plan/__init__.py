"""What a run will do, checked before the first call."""

from typing import TYPE_CHECKING

from ...common import lazy

if TYPE_CHECKING:
    from ._datasets import (
        categories_seen_from_here,
        dataset_label,
        seen_from_here,
        set_seen_from_here,
        write_dataset_left_out,
    )
    from ._estimate import (
        CaseEstimator,
        Purse,
        find_prices,
        missing_keys,
        unbound_note,
        unpriced,
    )
    from ._estimate_words import estimate, hourly_costs, server_lines
    from ._identity import identity_of
    from ._notes import plan_notes
    from ._plan import RunPlan, TargetSpec
    from ._queries import QuerySet
    from ._recorded_files import FROM_FILES, lasting_notes, write_left_out
    from ._recorded_models import open_recorded
    from ._setup import Provided, set_up
    from ._transcription import Transcripts, open_transcripts

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_queries": ["QuerySet"],
            "_datasets": [
                "categories_seen_from_here",
                "dataset_label",
                "seen_from_here",
                "set_seen_from_here",
                "write_dataset_left_out",
            ],
            "_estimate": [
                "CaseEstimator",
                "Purse",
                "find_prices",
                "missing_keys",
                "unbound_note",
                "unpriced",
            ],
            "_estimate_words": ["estimate", "hourly_costs", "server_lines"],
            "_transcription": ["Transcripts", "open_transcripts"],
            "_recorded_files": ["FROM_FILES", "lasting_notes", "write_left_out"],
            "_recorded_models": ["open_recorded"],
            "_identity": ["identity_of"],
            "_notes": ["plan_notes"],
            "_plan": ["RunPlan", "TargetSpec"],
            "_setup": ["Provided", "set_up"],
        },
    )

__all__ = [
    "FROM_FILES",
    "CaseEstimator",
    "Provided",
    "Purse",
    "QuerySet",
    "RunPlan",
    "TargetSpec",
    "Transcripts",
    "categories_seen_from_here",
    "dataset_label",
    "estimate",
    "find_prices",
    "hourly_costs",
    "identity_of",
    "lasting_notes",
    "missing_keys",
    "open_recorded",
    "open_transcripts",
    "plan_notes",
    "seen_from_here",
    "server_lines",
    "set_seen_from_here",
    "set_up",
    "unbound_note",
    "unpriced",
    "write_dataset_left_out",
    "write_left_out",
]
