"""What a config says of a model's price."""

from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator


class PriceConfig(BaseModel):
    """US dollars per million tokens, or for the time of a managed server."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    input: float | None = Field(default=None, ge=0)
    """For a million tokens of requests."""
    output: float | None = Field(default=None, ge=0)
    """For a million tokens of replies."""
    cached_input: float | None = Field(default=None, ge=0)
    """For a million tokens of requests that the provider had cached; as `input` unless given."""
    per_gpu_hour: float | None = Field(default=None, ge=0)
    """For each GPU and hour of a `vllm:` server, from its start to its end."""

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        of_tokens = (self.input, self.output, self.cached_input)
        if self.per_gpu_hour is None and (self.input is None or self.output is None):
            raise ValueError("give `input:` and `output:`, or `per_gpu_hour:` of a `vllm:` server")
        if self.per_gpu_hour is not None and any(price is not None for price in of_tokens):
            raise ValueError("`per_gpu_hour:` stands alone: take it out, or the prices of tokens")
        return self


def _free(price: object) -> object:
    """Return what `price: 0` is short for."""
    is_zero = isinstance(price, int | float) and not isinstance(price, bool) and price == 0
    return {"input": 0.0, "output": 0.0} if is_zero else price


ModelPrice = Annotated[PriceConfig | None, BeforeValidator(_free)]
"""What is written as `price:` of a model; 0 is short for one that costs nothing."""
