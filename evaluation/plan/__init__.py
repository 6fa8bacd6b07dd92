"""What a run will do, checked before the first call."""

from typing import TYPE_CHECKING

from ...common import lazy

if TYPE_CHECKING:
    from ._datasets import (
        categories_with_absolute_path,
        dataset_label,
        set_with_absolute_paths,
        with_absolute_path,
        write_skipped_items,
    )
    from ._estimate import (
        BudgetPlan,
        CaseEstimator,
        TokenCounter,
        find_prices,
        missing_keys,
        unbound_note,
        unpriced,
    )
    from ._estimate_words import estimate, hourly_costs, server_lines
    from ._identity import Decides, decides_results, decisive_config, identity_of, jury_facts
    from ._notes import card_notes, plan_notes
    from ._plan import CASES_PER_CALL, RunPlan, TargetSpec
    from ._queries import Earlier, QuerySet
    from ._recorded_files import FROM_FILES, lasting_notes, write_skipped_rows
    from ._recorded_models import open_recorded
    from ._setup import Provided, set_up
    from ._transcription import Transcripts, open_transcripts

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_queries": ["Earlier", "QuerySet"],
            "_datasets": [
                "categories_with_absolute_path",
                "dataset_label",
                "with_absolute_path",
                "set_with_absolute_paths",
                "write_skipped_items",
            ],
            "_estimate": [
                "CaseEstimator",
                "BudgetPlan",
                "TokenCounter",
                "find_prices",
                "missing_keys",
                "unbound_note",
                "unpriced",
            ],
            "_estimate_words": ["estimate", "hourly_costs", "server_lines"],
            "_transcription": ["Transcripts", "open_transcripts"],
            "_recorded_files": ["FROM_FILES", "lasting_notes", "write_skipped_rows"],
            "_recorded_models": ["open_recorded"],
            "_identity": [
                "Decides",
                "decides_results",
                "decisive_config",
                "identity_of",
                "jury_facts",
            ],
            "_notes": ["card_notes", "plan_notes"],
            "_plan": ["CASES_PER_CALL", "RunPlan", "TargetSpec"],
            "_setup": ["Provided", "set_up"],
        },
    )

__all__ = [
    "CASES_PER_CALL",
    "FROM_FILES",
    "BudgetPlan",
    "CaseEstimator",
    "Decides",
    "Earlier",
    "Provided",
    "QuerySet",
    "RunPlan",
    "TargetSpec",
    "TokenCounter",
    "Transcripts",
    "card_notes",
    "categories_with_absolute_path",
    "dataset_label",
    "decides_results",
    "decisive_config",
    "estimate",
    "find_prices",
    "hourly_costs",
    "identity_of",
    "jury_facts",
    "lasting_notes",
    "missing_keys",
    "open_recorded",
    "open_transcripts",
    "plan_notes",
    "server_lines",
    "set_up",
    "set_with_absolute_paths",
    "unbound_note",
    "unpriced",
    "with_absolute_path",
    "write_skipped_items",
    "write_skipped_rows",
]
