"""The shape of what a config says of a model, and of all its parts."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from ...datasets import ImageLimits
from ._part import ImageFormats, Text, Variable
from ._price import ModelPrice
from ._request import RequestConfig

NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
"""What a run and a target may be called."""
SEAT_NAME = r"^[A-Za-z][A-Za-z0-9_]{0,63}$"
Name = Annotated[str, StringConstraints(pattern=NAME)]
SeatName = Annotated[str, StringConstraints(pattern=SEAT_NAME)]

WAY_KEYS = ("connect_timeout", "ca_file", "verify_tls", "proxy")
"""Keys that say how an address is reached."""
LITELLM_KEYS = ("api_base", "api_version", "region")
"""Keys that say where a provider is reached through LiteLLM."""


class Part(BaseModel):
    """A part of a config: no unknown keys, no guessed types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class VllmConfig(Part):
    """A vLLM server that is started for the run, and stopped after it."""

    model: Text
    """Name on the Hugging Face hub, or a folder relative to the config."""
    gpus: int | None = Field(default=None, ge=0)
    """How many GPUs it takes; 0 is the CPU."""
    args: dict[str, Any] = {}
    """vLLM's own options without their dashes."""
    env: dict[Variable, str | int | float] = {}
    """Environment variables of the server."""
    python: Text | None = None
    """Interpreter that has vLLM, relative to the config; else that of safejury."""
    port: int | None = Field(default=None, ge=1, le=65535)
    """A free one unless given."""
    start_timeout: float = Field(default=900.0, gt=0)
    """Seconds from the start to the first answer."""
    restarts: int = Field(default=2, ge=0)
    """How often it is started again after it died or hung."""


class Reached(Part):
    """How a model is reached, whoever uses it."""

    vllm: VllmConfig | None = None
    """A server of our own for it, instead of `base_url`."""
    base_url: Text | None = None
    """An OpenAI-compatible address."""
    api_key_env: Variable | None = None
    """Name of the environment variable that holds the key; never the key."""
    api_base: Text | None = None
    """Another address of a `provider/model` than the provider's own."""
    api_version: Text | None = None
    """The version of a provider's API, as Azure wants one."""
    region: Text | None = None
    """Where a provider runs the model, as Bedrock, SageMaker and Vertex AI want it."""
    request: RequestConfig | None = None
    """What each request says beside what all models are asked."""
    temperature: float | None = Field(default=None, ge=0, le=2)
    """0 to 2. Jurors and the foreperson are at 0 unless given; a target is left at its server's
    own."""
    top_p: float | None = Field(default=None, gt=0, le=1)
    """Sample from the most likely tokens that together have this probability."""
    timeout: float = Field(default=120.0, gt=0)
    """Seconds for one call."""
    connect_timeout: float = Field(default=10.0, gt=0)
    """Seconds for the connection to `base_url`, within `timeout`."""
    ca_file: Text | None = None
    """PEM file of certificates that `base_url` may have, relative to the config."""
    verify_tls: bool = True
    """Whether the certificate of `base_url` is checked."""
    proxy: Text | None = None
    """Address of an HTTP proxy on the way to `base_url`; else the environment's."""
    images: bool = True
    """Whether the model takes pictures."""
    max_image_side: int | None = Field(default=None, ge=16)
    """Most pixels of a picture's longer side; a larger one is made smaller."""
    max_image_pixels: int | None = Field(default=None, ge=256)
    """Most pixels of a picture; one with more is made smaller."""
    max_image_bytes: int | None = Field(default=None, ge=1024)
    """Longest file of a picture; a longer one is encoded anew, and made smaller if it must."""
    max_images: int | None = Field(default=None, ge=1)
    """Most pictures of one query; one with more is not put."""
    image_formats: ImageFormats | None = None
    """Formats that the model reads, png and jpeg among them; others are sent as PNG."""
    audio: bool = False
    """Whether the model takes sound."""
    json_schema: Literal["auto", "never"] = "auto"
    """`never` asks for JSON in words from the start."""
    price: ModelPrice = None
    """What its tokens cost, or the time of its `vllm:` server; 0 is short for one that costs
    nothing."""

    @property
    def image_limits(self) -> ImageLimits:
        """What the model takes of pictures."""
        return ImageLimits(
            self.max_image_side,
            self.max_image_pixels,
            self.max_image_bytes,
            self.max_images,
            tuple(self.image_formats) if self.image_formats else None,
        )

    @model_validator(mode="after")
    def _way_to_an_address(self) -> Self:
        way = [key for key in WAY_KEYS if key in self.model_fields_set]
        if way and self.base_url is None:
            raise ValueError(
                f"`{way[0]}:` is for a model with a base_url; for others, set HTTPS_PROXY and "
                "SSL_CERT_FILE in the environment"
            )
        if self.ca_file is not None and not self.verify_tls:
            raise ValueError("`ca_file:` is of no use beside `verify_tls: false`: drop one")
        for key in LITELLM_KEYS:
            if getattr(self, key) is not None and (self.base_url or self.vllm):
                raise ValueError(
                    f"`{key}:` is for a `provider/model` that LiteLLM reaches: drop it, or "
                    "base_url and vllm"
                )
        if self.vllm is None and self.price is not None and self.price.per_gpu_hour is not None:
            raise ValueError(
                "`price.per_gpu_hour:` is for a model with `vllm:`, whose server the run starts: "
                "give `input:` and `output:`"
            )
        if self.vllm is not None and self.request is not None and self.request.headers:
            raise ValueError("a model on `vllm:` has no `request.headers:`: its server is ours")
        return self


class ModelConfig(Reached):
    """A model: a name, and where it is reached; or a server of our own for it."""

    model: Text | None = None
    """`provider/model` for LiteLLM, `embedded/smollm2`, or the name at `base_url`."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.model is None) == (self.vllm is None):
            raise ValueError("give it either `model:` or `vllm:`")
        if self.vllm is not None and (self.base_url or self.api_key_env):
            raise ValueError("a model on `vllm:` has no base_url and no api_key_env")
        return self
