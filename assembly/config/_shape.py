"""The shape of a run's config."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from ...agents import HUMAN
from ...common import ConfigurationError
from ...datasets import ImageLimits, Parts
from ._part import NO_NUL, ImageFormats, Text, Variable
from ._price import ModelPrice
from ._request import RequestConfig

NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
"""What a run and a target may be called."""
SEAT_NAME = r"^[A-Za-z][A-Za-z0-9_]{0,63}$"
Name = Annotated[str, StringConstraints(pattern=NAME)]
SeatName = Annotated[str, StringConstraints(pattern=SEAT_NAME)]
IntentName = Literal["harmful", "benign"]

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
    python: Text | None = None
    """Interpreter that has vLLM, relative to the config; else that of safejury."""
    port: int | None = Field(default=None, ge=1, le=65535)
    """A free one unless given."""
    start_timeout: float = Field(default=900.0, gt=0)
    """Seconds from the start to the first answer."""
    restarts: int = Field(default=2, ge=0)
    """How often it is started again after it died or hung."""


class _Reached(Part):
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
    top_p: float | None = Field(default=None, gt=0, le=1)
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


class ModelConfig(_Reached):
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


_OF_RESPONSES = {
    *("responses", "format", "map", "categories", "intent", "intent_words", "join", "pictures")
}
"""Keys of a target that say how a file of responses is read."""


class SystemFile(Part):
    """A system prompt in a file."""

    file: Text
    """A text file, relative to the config."""


class TargetConfig(_Reached):
    """A target: a model with a name, or a file of recorded responses."""

    name: Name
    system: Text | SystemFile | None = None
    """The system prompt that it is deployed with; none unless given."""
    responses: Text | None = None
    """A file of responses from any tool, relative to the config."""
    format: Text | None = None
    """The file's format, such as `garak`; told from the content unless given."""
    map: dict[Text, Text] = {}
    """Where in a row is what, such as `response: output.text`."""
    categories: Text | None = None
    """Which scenarios the file's own categories are: a file relative to the config, or the name
    of a loader whose mapping holds."""
    intent: IntentName | None = None
    """Of all questions of the file, whatever it says itself."""
    intent_words: dict[IntentName, list[Text | bool | int | float]] | None = None
    """Further words of the file that mean an intent, such as `benign: [unharmful, 0]`."""
    pictures: Text | None = None
    """The folder in which the pictures lie that the file names, relative to the config."""
    join: Literal["id", "text"] | None = None
    """What says which query a response answers; whatever matches all unless given."""
    function: Text | None = None
    """An async function of your own, as `module:function`."""
    model: Annotated[str, StringConstraints(pattern=NO_NUL)] | None = None
    """As of any model; with `responses:` whose are meant, as the file names it."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        model = self.model if self.responses is None else None  # else it says whose they are
        sources = (model, self.vllm, self.responses, self.function)
        if sum(source is not None for source in sources) != 1:
            raise ValueError("a target has one of `model:`, `vllm:`, `responses:` and `function:`")
        if model == "":
            raise ValueError("`model:` must not be empty")
        if self.responses is not None and (self.base_url or self.api_key_env):
            raise ValueError("a target with recorded responses has no base_url and no api_key_env")
        if (self.responses or self.function) and self.system is not None:
            raise ValueError("`system:` is for a model that is asked: take it out")
        how_read = (self.format, self.map, self.categories, self.join, self.pictures)
        if self.responses is None and (self.says_intent or any(how_read)):
            raise ValueError(
                "`format:`, `map:`, `categories:`, `intent:`, `intent_words:`, `join:` and "
                "`pictures:` say how `responses:` are read: name a file"
            )
        if self.intent is not None and self.intent_words is not None:
            raise ValueError("`intent:` is that of all questions: take `intent_words:` out")
        if self.vllm is not None and (self.base_url or self.api_key_env):
            raise ValueError("a target on `vllm:` has no base_url and no api_key_env")
        return self

    @property
    def says_intent(self) -> bool:
        """Whether it says what the questions of its file are meant for."""
        return self.intent is not None or self.intent_words is not None

    def as_model(self) -> ModelConfig:
        """Return what is said of the model."""
        return ModelConfig.model_validate(
            self.model_dump(
                exclude=_OF_RESPONSES | {"name", "system", "function"}, exclude_unset=True
            )
        )


class JurorConfig(_Reached):
    """A juror: a persona and a model, or a person."""

    persona: Text
    """A bundled persona, a path relative to the config, or `human`."""
    name: SeatName | None = None
    """The seat's name; the persona's unless given."""
    model: Text | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if self.vllm is not None and (self.model or self.base_url or self.api_key_env):
            raise ValueError("a juror on `vllm:` has no model, base_url and api_key_env beside it")
        return self

    @property
    def is_human(self) -> bool:
        """Whether the juror is the person at the terminal."""
        return self.persona == HUMAN

    def as_model(self, default: str | None = None) -> ModelConfig:
        """Return what is said of the model; `default` is the persona's own model.

        Raises:
            ConfigurationError: Neither the juror nor its persona names a model.
        """
        said = self.model_dump(exclude={"name", "persona"}, exclude_unset=True)
        if self.vllm is not None:
            return ModelConfig.model_validate(said)
        if not said.get("model") and default is None:
            raise ConfigurationError(
                f"the juror {self.persona!r} has no model: give it `model:`, and `base_url:` "
                "for a server of your own, or `vllm:` for one that is started"
            )
        return ModelConfig.model_validate({"model": default, **said})


class ProtocolConfig(Part):
    """A protocol: a preset with settings of its own."""

    preset: Literal["vote", "contested", "safebench"] = "contested"
    talk: Literal["never", "contested", "always"] | None = None
    rounds: int | None = Field(default=None, ge=1, le=10)
    rule: Text | None = None
    k: int | None = Field(default=None, ge=1)
    tie: Literal["unsafe", "safe", "no_verdict"] | None = None
    stop: Literal["all", "curtailed"] | None = None
    summary: Literal["never", "discussed", "always"] | None = None
    jurors: int | None = Field(default=None, ge=1)


class JuryConfig(Part):
    """Who judges, and how."""

    jurors: list[JurorConfig] = Field(min_length=1)
    protocol: Literal["vote", "contested", "safebench"] | ProtocolConfig = "contested"
    foreperson: ModelConfig | None = None
    rubric: Text | None = None
    """A Markdown file that says what is judged by, relative to the config; else the bundled
    rubric."""
    max_tokens: int = Field(default=512, ge=16)
    """Cap on the tokens of a ballot."""
    transcriber: Text = "auto"
    """What writes down sounds for jurors that cannot hear: `auto` (what is installed),
    `never`, or a whisper model: its name, or its folder relative to the config."""


class LimitsConfig(Part):
    """What a run may take."""

    concurrency: int = Field(default=32, ge=1, le=10_000)
    """Most calls at a time to one endpoint; twice as many cases are under way."""
    requests_per_minute: int | None = Field(default=None, ge=1)
    """Most calls a minute to one endpoint."""
    max_tokens_total: int | None = Field(default=None, ge=1)
    """Most tokens of all calls together; those of requests count as well."""
    max_cost_usd: float | None = Field(default=None, gt=0)
    """Most US dollars of all calls together."""
    unpriced: Literal["refuse", "allow"] = "refuse"
    """Whether `max_cost_usd` may stand beside models of unknown price, which it does not bind."""
    attempts: int = Field(default=5, ge=1, le=20)
    """Most tries of one call."""
    outage_patience: float | None = Field(default=300.0, ge=0)
    """Seconds for which an endpoint that is down is waited for before the work ends
    unfinished; null waits for none, and each failed call has failed."""


class EndpointLimitsConfig(Part):
    """What one endpoint may get; what it does not say is as for all."""

    concurrency: int | None = Field(default=None, ge=1, le=10_000)
    requests_per_minute: int | None = Field(default=None, ge=1)


class RunLimitsConfig(LimitsConfig):
    """What a run may take."""

    endpoints: dict[Text, EndpointLimitsConfig] = {}
    """Limits of single endpoints, by their `base_url` or LiteLLM's name of a provider."""


class RunConfig(Part):
    """Name and place of a run, and what makes it repeatable."""

    name: Name = "run"
    directory: Text = "runs"
    """Relative to the current directory."""
    seed: int = Field(default=7, ge=0, le=2**31 - 1)
    epochs: int = Field(default=1, ge=1)
    max_tokens: int = Field(default=1024, ge=1)
    """Cap on the tokens of a response, the same for all targets."""
    truncated: Literal["judge", "leave_out"] = "leave_out"
    """Whether the jury judges responses that the cap cut short, or they get no verdict."""
    cache: Text | None = None
    """A file that keeps answers between runs; none unless named."""


class SetConfig(Part):
    """A set of another project, and how it is read."""

    loader: Text | None = None
    """The set's format; told from its files unless given."""
    path: Text
    """Where it is, relative to the config."""
    map: dict[str, Text] = {}
    """Which column of a plain table is what."""
    settings: dict[str, Text] = {}
    """The loader's own settings."""
    categories: Text | None = None
    """Which scenarios the set's own categories are: a file relative to the config, or the name of
    a loader whose mapping holds."""
    strict: bool = False
    """Refuse the set if an item of it cannot be used."""
    limit: int | None = Field(default=None, ge=1)
    """Read only the first so many items."""


class Config(Part):
    """All of a run's config."""

    dataset: Text | SetConfig = "mini"
    """A bundled set, a JSONL file relative to the config, `LOADER:PATH` or its keys; or
    `responses`: the questions that the targets' files of responses carry themselves."""
    scenarios: list[Text] | None = Field(default=None, min_length=1)
    """Scenario ids to ask about; all unless given."""
    limit: int | None = Field(default=None, ge=1)
    """Ask only this many queries, spread evenly over the set."""
    images: list[Text] = Field(default=["original"], min_length=1)
    """Variants of the pictures, each a condition of its own."""
    sound: list[Parts] = Field(default=["given"], min_length=1)
    """What of a query with sound is sent, each a condition of its own."""
    targets: list[TargetConfig] = Field(min_length=1)
    jury: JuryConfig
    limits: RunLimitsConfig = RunLimitsConfig()
    run: RunConfig = RunConfig()

    @model_validator(mode="after")
    def _unique_names(self) -> Self:
        _refuse_twice("target", [target.name.casefold() for target in self.targets])
        return self


def _refuse_twice(what: str, names: Sequence[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two {what}s are named {twice[0]!r}: give each its own name")
