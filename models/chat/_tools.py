"""The tools that a model may call."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as it is offered to a model.

    Attributes:
        name: What the model calls it by.
        description: What it is good for; may be empty.
        parameters: JSON Schema of its arguments as plain data.
        strict: Whether the provider must hold the model to the schema.
    """

    name: str
    description: str
    parameters: Mapping[str, object]
    strict: bool = False


@dataclass(frozen=True, slots=True)
class OneTool:
    """The choice of one tool that the model must call.

    Attributes:
        name: The tool's.
    """

    name: str


ToolChoice = Literal["auto", "required", "none"] | OneTool
"""Whether a model calls a tool if it likes, must call some or one of them, or may not."""
