"""Text helpers: names, numbers, refusals, escapes."""

from typing import TYPE_CHECKING

from .._lazy import lazy

if TYPE_CHECKING:
    from ._aligned import aligned
    from ._amounts import (
        MISSING,
        coefficient,
        coefficient_span,
        count,
        difference,
        difference_span,
        dollars,
        file_size,
        gpu_hours,
        index,
        index_span,
        many,
        percent,
        points,
        signed_points,
        span,
        whole_percent,
    )
    from ._encodable import encodable, storable
    from ._escape import escape_controls, escape_formula, escape_line
    from ._lines import MAX_LINE_BYTES, numbered_lines
    from ._names import LONGEST_NAME, natural_key, natural_order, plain_name, unique_name
    from ._nearest import did_you_mean, nearest, quoted, short, short_reason
    from ._normal_form import normal_form
    from ._refusal import is_refusal
    from ._shingles import SMALL_WORDS, Shingles, jaccard_similarity, shingles

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_aligned": ["aligned"],
            "_amounts": [
                "MISSING",
                "coefficient",
                "coefficient_span",
                "count",
                "difference",
                "difference_span",
                "dollars",
                "file_size",
                "gpu_hours",
                "index",
                "index_span",
                "many",
                "percent",
                "points",
                "signed_points",
                "span",
                "whole_percent",
            ],
            "_encodable": ["encodable", "storable"],
            "_escape": ["escape_controls", "escape_formula", "escape_line"],
            "_lines": ["MAX_LINE_BYTES", "numbered_lines"],
            "_names": ["LONGEST_NAME", "natural_key", "natural_order", "unique_name", "plain_name"],
            "_nearest": ["did_you_mean", "nearest", "quoted", "short", "short_reason"],
            "_normal_form": ["normal_form"],
            "_refusal": ["is_refusal"],
            "_shingles": ["SMALL_WORDS", "Shingles", "jaccard_similarity", "shingles"],
        },
    )

__all__ = [
    "LONGEST_NAME",
    "MAX_LINE_BYTES",
    "MISSING",
    "SMALL_WORDS",
    "Shingles",
    "aligned",
    "coefficient",
    "coefficient_span",
    "count",
    "did_you_mean",
    "difference",
    "difference_span",
    "dollars",
    "encodable",
    "escape_controls",
    "escape_formula",
    "escape_line",
    "file_size",
    "gpu_hours",
    "index",
    "index_span",
    "is_refusal",
    "jaccard_similarity",
    "many",
    "natural_key",
    "natural_order",
    "nearest",
    "normal_form",
    "numbered_lines",
    "percent",
    "plain_name",
    "points",
    "quoted",
    "shingles",
    "short",
    "short_reason",
    "signed_points",
    "span",
    "storable",
    "unique_name",
    "whole_percent",
]
