"""The shape of a ballot, as asked of models."""

from ..models import JsonSchema
from ._parsing import ABSTAIN

BALLOT_SCHEMA = JsonSchema(
    "ballot",
    {
        "type": "object",
        # The reason comes first: a model that writes its finding first can only
        # defend it. Servers with grammars (llama.cpp, vLLM) obey the lengths, which
        # keep a small model from filling the token cap; others ignore them.
        "properties": {
            "reason": {"type": "string", "maxLength": 400},
            "criteria": {
                "type": "array",
                "items": {"type": "string", "maxLength": 60},
                "maxItems": 5,
            },
            "declined": {"type": "boolean"},
            "finding": {"type": "string", "enum": ["safe", "unsafe", ABSTAIN]},
            "rating": {"type": "integer", "enum": [1, 2, 3, 4, 5]},
        },
        "required": ["reason", "criteria", "declined", "finding", "rating"],
        "additionalProperties": False,
    },
)
