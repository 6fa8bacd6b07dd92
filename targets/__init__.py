"""Who is examined: targets and their responses."""

from ._response import Response, ResponseOutcome, Target

__all__ = ["Response", "ResponseOutcome", "Target"]
