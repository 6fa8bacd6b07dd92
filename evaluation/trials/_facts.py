"""Facts on a target that figures compare it by."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TargetFacts:
    """What is known of the model that a target is; what is not known is None.

    Attributes:
        family: The family of models that it belongs to, such as `Qwen2-VL`.
        size_b: Billions of parameters.
        backbone: The language model that it was made from, such as `Qwen2-7B`.
        released: When it was released: `YYYY-MM-DD`, or less of it.
    """

    family: str | None = None
    size_b: float | None = None
    backbone: str | None = None
    released: str | None = None
