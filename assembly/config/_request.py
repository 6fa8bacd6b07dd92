"""What a config adds to each request to a model."""

import json
import re
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ...models import RequestOptions
from ._part import Text, Variable

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HTTPS_OWN = {
    "accept",
    "connection",
    "content-length",
    "content-type",
    "host",
    "proxy-authorization",
    "transfer-encoding",
}
_SET_ELSEWHERE = {
    "model": "`model:`",
    "max_tokens": "`run.max_tokens` and `jury.max_tokens`",
    "max_completion_tokens": "`run.max_tokens` and `jury.max_tokens`",
    "temperature": "the model's `temperature:`",
    "top_p": "the model's `top_p:`",
    "seed": "`run.seed`",
    "response_format": "the model's `json_schema:`",
}
_NOBODYS = ("messages", "stream", "stream_options", "n")


class RequestConfig(BaseModel):
    """Further parts of each request to a model."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    stop: Text | list[Text] | None = None
    """Words that end a reply."""
    reasoning_effort: Text | None = None
    """How much a model thinks first, such as `low`, in the provider's words."""
    top_k: int | None = Field(default=None, ge=-1)
    """Sample from this many of the most likely tokens."""
    frequency_penalty: float | None = Field(default=None, ge=-2, le=2)
    """Against tokens that were used often."""
    presence_penalty: float | None = Field(default=None, ge=-2, le=2)
    """Against tokens that were used at all."""
    extra_body: dict[Text, Any] = Field(default={})
    """Whatever else the provider takes in the body of a request, as it stands."""
    headers: dict[Text, Variable] = Field(default={})
    """Further HTTP headers: the names of environment variables that hold their values."""

    @model_validator(mode="after")
    def _sets_what_is_its_own(self) -> Self:
        for name in self.extra_body:
            if name in _NOBODYS:
                raise ValueError(f"`extra_body:` sets {name!r}, which nobody may: take it out")
            if (elsewhere := _SET_ELSEWHERE.get(name)) or name in type(self).model_fields:
                there = elsewhere or f"`request.{name}:`"
                raise ValueError(f"`extra_body:` sets {name!r}: use {there} instead")
        try:
            json.dumps(self.extra_body, allow_nan=False)
        except (TypeError, ValueError):
            raise ValueError("`extra_body:` must be plain JSON: put dates in quotes") from None
        for name in self.headers:
            if not _HEADER.fullmatch(name) or name.lower() in _HTTPS_OWN:
                raise ValueError(f"`headers:` names {name!r}, which cannot be set: take it out")
        return self

    @property
    def options(self) -> RequestOptions:
        """What every request carries of it."""
        named = self.model_dump(exclude={"extra_body", "headers"}, exclude_none=True)
        return RequestOptions.of(named, self.extra_body, self.headers)
