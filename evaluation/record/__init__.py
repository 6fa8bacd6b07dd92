"""Stores a run in SQLite: writing, reading and checking its record."""

from typing import TYPE_CHECKING

from ...common import lazy

if TYPE_CHECKING:
    from ._deliberated import AskedCase, Deliberated, Discussion
    from ._file import (
        FORMAT,
        RECORD,
        RecordMark,
        format_of,
        is_being_written,
        last_written,
        mark_of,
    )
    from ._jury import (
        cases_of,
        cases_sha256,
        decided_by,
        differences_of_juries,
        jury_identity,
        protocol_of,
        recorded_protocol,
        tie_of,
        why_another_jury,
    )
    from ._media import MEDIA, case_in
    from ._meta import Meta
    from ._pages import CasePages, RecordedCase
    from ._reader import RecordReader
    from ._record import Record, open_record
    from ._unchanged import Grow, is_begun
    from .growth import Addition, CasesByQuery, Grown, KeptCase, describe_growth, with_addition
    from .identity import (
        Joined,
        Pruned,
        Shared,
        describe_pruned,
        host_of,
        join_identities,
        known_by_name,
        plain,
        refuse_shared,
        selects_others,
        without_places,
        without_secrets,
    )
    from .integrity import ChangedCase, CheckedCase, Integrity
    from .merging import Merged, MergedRun, merge_runs
    from .postgres import as_copied, database_of, unlike_copy
    from .pruning import hold, is_finished, prune_media
    from .sharing import SharedRun, share_run
    from .stored import (
        RunRecord,
        StoredCall,
        StoredEntry,
        TrialRecord,
        as_kept,
        as_stored,
        stored_call,
        stored_entry,
    )

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_deliberated": ["AskedCase", "Deliberated", "Discussion"],
            "_file": [
                "FORMAT",
                "RECORD",
                "RecordMark",
                "format_of",
                "is_being_written",
                "last_written",
                "mark_of",
            ],
            "integrity": ["ChangedCase", "CheckedCase", "Integrity"],
            "_jury": [
                "cases_of",
                "cases_sha256",
                "decided_by",
                "differences_of_juries",
                "jury_identity",
                "protocol_of",
                "recorded_protocol",
                "tie_of",
                "why_another_jury",
            ],
            "_media": ["MEDIA", "case_in"],
            "_meta": ["Meta"],
            "_pages": ["CasePages", "RecordedCase"],
            "_reader": ["RecordReader"],
            "_record": ["Record", "open_record"],
            "_unchanged": ["Grow", "is_begun"],
            "growth": [
                "Addition",
                "CasesByQuery",
                "Grown",
                "KeptCase",
                "describe_growth",
                "with_addition",
            ],
            "identity": [
                "Joined",
                "Pruned",
                "Shared",
                "describe_pruned",
                "host_of",
                "join_identities",
                "known_by_name",
                "plain",
                "refuse_shared",
                "selects_others",
                "without_places",
                "without_secrets",
            ],
            "merging": ["Merged", "MergedRun", "merge_runs"],
            "postgres": ["as_copied", "database_of", "unlike_copy"],
            "pruning": ["hold", "is_finished", "prune_media"],
            "sharing": ["SharedRun", "share_run"],
            "stored": [
                "RunRecord",
                "StoredCall",
                "StoredEntry",
                "TrialRecord",
                "as_kept",
                "as_stored",
                "stored_call",
                "stored_entry",
            ],
        },
    )

__all__ = [
    "FORMAT",
    "MEDIA",
    "RECORD",
    "Addition",
    "AskedCase",
    "CasePages",
    "CasesByQuery",
    "ChangedCase",
    "CheckedCase",
    "Deliberated",
    "Discussion",
    "Grow",
    "Grown",
    "Integrity",
    "Joined",
    "KeptCase",
    "Merged",
    "MergedRun",
    "Meta",
    "Pruned",
    "Record",
    "RecordMark",
    "RecordReader",
    "RecordedCase",
    "RunRecord",
    "Shared",
    "SharedRun",
    "StoredCall",
    "StoredEntry",
    "TrialRecord",
    "as_copied",
    "as_kept",
    "as_stored",
    "case_in",
    "cases_of",
    "cases_sha256",
    "database_of",
    "decided_by",
    "describe_growth",
    "describe_pruned",
    "differences_of_juries",
    "format_of",
    "hold",
    "host_of",
    "is_begun",
    "is_being_written",
    "is_finished",
    "join_identities",
    "jury_identity",
    "known_by_name",
    "last_written",
    "mark_of",
    "merge_runs",
    "open_record",
    "plain",
    "protocol_of",
    "prune_media",
    "recorded_protocol",
    "refuse_shared",
    "selects_others",
    "share_run",
    "stored_call",
    "stored_entry",
    "tie_of",
    "unlike_copy",
    "why_another_jury",
    "with_addition",
    "without_places",
    "without_secrets",
]
