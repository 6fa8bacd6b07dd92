"""The shape of a run's config."""

from collections.abc import Sequence
from typing import Annotated, Literal, Self
from urllib.parse import parse_qs, urlsplit

from pydantic import AfterValidator, ByteSize, Field, StringConstraints, model_validator

from ...datasets import Parts
from ._jury_shape import JuryConfig
from ._model_shape import ModelConfig, Name, Part, Reached
from ._part import NO_NUL, Day, Text, Variable

IntentName = Literal["harmful", "benign"]

_OF_RESPONSES = {
    *("responses", "format", "map", "categories", "intent", "intent_words", "join", "pictures")
}
"""Keys of a target that say how a file of responses is read."""


class SystemFile(Part):
    """A system prompt in a file."""

    file: Text
    """A text file, relative to the config."""


class FactsConfig(Part):
    """What is known of the model that a target is, by which figures compare targets."""

    family: Text | None = None
    """The family of models that it belongs to, such as `Qwen2-VL`."""
    size_b: float | None = Field(default=None, gt=0)
    """Billions of parameters."""
    backbone: Text | None = None
    """The language model that it was made from, such as `Qwen2-7B`."""
    released: Day | None = None
    """When it was released: a date, or only year and month, or the year."""


class TargetConfig(Reached):
    """A target: a model with a name, or a file of recorded responses."""

    name: Name
    facts: FactsConfig = FactsConfig()
    """What is known of the model beside what its name says, for figures; no result depends on
    it."""
    """What reports call it; unique in the run."""
    system: Text | SystemFile | None = None
    """The system prompt that it is deployed with; none unless given."""
    responses: Text | None = None
    """A file of responses from any tool, relative to the config."""
    format: Text | None = None
    """The file's format, such as `garak`; told from the content unless given."""
    map: dict[Text, Text] = Field(default={})
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
                exclude=_OF_RESPONSES | {"name", "facts", "system", "function"}, exclude_unset=True
            )
        )


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
    """Most calls at a time to this endpoint."""
    requests_per_minute: int | None = Field(default=None, ge=1)
    """Most calls a minute to this endpoint; null for no limit."""


class RunLimitsConfig(LimitsConfig):
    """What a run may take."""

    endpoints: dict[Text, EndpointLimitsConfig] = Field(default={})
    """Limits of single endpoints, by their `base_url` or LiteLLM's name of a provider."""
    media_bytes: ByteSize | None = Field(default=None, ge=1)
    """Most memory that the pictures and sounds of all cases under way take, such as `256 MB`; a
    150th of the machine's unless given, but 64 MB to 1 GB. A case that needs more goes alone."""


def _without_password(url: str) -> str:
    """Refuse an address of a database that is malformed, or holds a password; never show it."""
    try:
        said = urlsplit(url)
        user, _, hosts = said.netloc.rpartition("@")
        ports = [urlsplit(f"//{host}").port for host in hosts.split(",")]
    except ValueError:
        raise ValueError(_DATABASE_URL) from None
    if said.scheme not in ("postgresql", "postgres") or said.fragment or 0 in ports:
        raise ValueError(_DATABASE_URL)
    query = parse_qs(said.query, keep_blank_values=True)
    if ":" in user or query.keys() & {"password", "sslpassword"}:
        raise ValueError(
            "must hold no password: take it out, and give it by PGPASSWORD, ~/.pgpass or the "
            "variable that `password_env:` names"
        )
    if not said.path.strip("/") and "dbname" not in query:
        raise ValueError(_DATABASE_URL)
    several = len(ports) > 1 or any("," in said for said in query.get("host", ()))
    if several and not _WRITTEN_TO & {*query.get("target_session_attrs", ())}:
        raise ValueError(
            "must say which of its hosts is written to: add ?target_session_attrs=read-write"
        )
    return url


_WRITTEN_TO = {"read-write", "primary"}
_DATABASE_URL = "must be the address of a database, such as postgresql://user@host/database"
DatabaseUrl = Annotated[
    str, StringConstraints(min_length=1, pattern=NO_NUL), AfterValidator(_without_password)
]


class RecordConfig(Part):
    """A database that keeps the record of a run which several drivers share."""

    url: DatabaseUrl
    """Its address, such as `postgresql://user@host/database`, without a password."""
    password_env: Variable | None = None
    """The variable that holds the password, where PGPASSWORD or ~/.pgpass do not."""
    lease: float = Field(default=30.0, ge=2, le=3600)
    """Seconds for which a driver that is not heard of keeps the trials that it took."""
    patience: float = Field(default=600.0, ge=0)
    """Seconds for which a database that is away is waited for before the run ends unfinished."""

    @model_validator(mode="before")
    @classmethod
    def _url_alone(cls, said: object) -> object:
        return {"url": said} if isinstance(said, str) else said


class RunConfig(Part):
    """Name and place of a run, and what makes it repeatable."""

    name: Name = "run"
    """What the run and its directory are called."""
    directory: Text = "runs"
    """Relative to the current directory."""
    seed: int = Field(default=7, ge=0, le=2**31 - 1)
    """Sent to models that take one; it also draws in which order jurors are shown and asked."""
    epochs: int = Field(default=1, ge=1)
    """How often each query is put to each target."""
    max_tokens: int = Field(default=1024, ge=1)
    """Cap on the tokens of a response, the same for all targets."""
    truncated: Literal["judge", "leave_out"] = "leave_out"
    """Whether the jury judges responses that the cap cut short, or they get no verdict."""
    cache: Text | None = None
    """A file that keeps answers between runs; none unless named."""
    record: RecordConfig | None = None
    """A PostgreSQL database that keeps the record, for several drivers on one run; SQLite in the
    run's directory unless given."""
    audit_talk: int = Field(default=0, ge=0)
    """On how many of the cases that are discussed the jurors vote twice more, without the talk."""
    engine: Literal["local", "ray"] = "local"
    """What examines the cases: this process, or workers on a Ray cluster."""
    address: Text | None = None
    """Where the cluster is, as `HOST:PORT`; the one of this machine unless given."""
    workers: int | None = Field(default=None, ge=1)
    """How many workers there are; one for each CPU that the cluster has unless given."""


class TelemetryConfig(Part):
    """What is sent by OpenTelemetry while the run goes on; no verdict depends on it."""

    otel: bool = False
    """Whether spans, events and metrics are sent, to where the `OTEL_*` variables say."""
    content: bool | None = None
    """Whether they have words of questions, responses and jurors: unless given, what
    OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT says, which is no by default."""


class SetConfig(Part):
    """A set of another project, and how it is read."""

    loader: Text | None = None
    """The set's format; told from its files unless given."""
    path: Text
    """Where it is, relative to the config."""
    map: dict[str, Text] = Field(default={})
    """Which column of a plain table is what."""
    settings: dict[str, Text] = Field(default={})
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
    voices: list[Text] | None = Field(default=None, min_length=1)
    """Whose recordings `audio` and `audio+text` send, each a condition of its own; the set's one
    unless given."""
    targets: list[TargetConfig] = Field(min_length=1)
    """What is tested."""
    jury: JuryConfig
    """Who judges, and how."""
    limits: RunLimitsConfig = RunLimitsConfig()
    """What the run may take."""
    run: RunConfig = RunConfig()
    """Name and place of the run, and what makes it repeatable."""
    telemetry: TelemetryConfig = TelemetryConfig()
    """What is sent by OpenTelemetry; nothing by default."""

    @model_validator(mode="after")
    def _unique_names(self) -> Self:
        _refuse_twice("target", [target.name.casefold() for target in self.targets])
        return self


def _refuse_twice(what: str, names: Sequence[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two {what}s are named {twice[0]!r}: give each its own name")
