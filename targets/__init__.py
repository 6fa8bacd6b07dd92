"""Who is examined: targets and their responses."""

from ._model_target import ModelTarget
from ._recorded import RecordedTarget
from ._response import Response, ResponseOutcome, Target

__all__ = ["ModelTarget", "RecordedTarget", "Response", "ResponseOutcome", "Target"]
