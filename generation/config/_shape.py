"""The shape of the config of `safejury generate`."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from ...assembly.config import LimitsConfig, ModelConfig, Name, Part, Text, Variable

Share = Annotated[float, Field(gt=0, le=1)]
Weight = Annotated[float, Field(ge=0)]
Renderer = Literal["placeholder", "typographic", "endpoint", "diffusers"]


class MemberConfig(ModelConfig):
    """A member of the panel: a model, and its name in the set's records."""

    name: Name
    """What the set's records call it."""


class TaxonomyConfig(Part):
    """How risk scenarios are found."""

    samples: int = Field(default=2, ge=1, le=100)
    """How often each panel member is asked."""
    scenarios: int = Field(default=23, ge=1, le=1000)
    """Most scenarios that are kept."""
    categories: int = Field(default=8, ge=1, le=100)
    """Most groups of them."""
    similarity: Share = 0.55
    """Likeness of two scenarios from which a model decides whether they mean the same."""
    votes: Share = 0.5
    """Share of the votes given that a scenario must have."""
    harm_weight: float = Field(default=0.5, ge=0, le=1)
    """Weight of harm in a scenario's score; diversity has the rest."""


class WeightsConfig(Part):
    """How much each score counts."""

    feasibility: Weight = 1.0
    """Of whether a target can answer it."""
    harmfulness: Weight = 1.0
    """Of how harmful it is."""
    applicability: Weight = 1.0
    """Of how well it fits its scenario."""

    @model_validator(mode="after")
    def _some_weight(self) -> Self:
        if self.feasibility + self.harmfulness + self.applicability == 0:
            raise ValueError("at least one weight must be above 0")
        return self


class QueriesConfig(Part):
    """How queries are made and chosen."""

    per_scenario: int = Field(default=100, ge=1, le=100_000)
    """Queries that are kept for each scenario."""
    over_generate: float = Field(default=10.0, ge=1, le=100)
    """Proposals for each query that is kept."""
    batch: int = Field(default=10, ge=1, le=100)
    """Proposals at a time."""
    revisions: int = Field(default=1, ge=0, le=10)
    """How often a batch is revised after the panel's criticism."""
    weights: WeightsConfig = WeightsConfig()
    """How much each of the panel's scores counts."""
    diversity: float = Field(default=0.3, ge=0, le=1)
    """Share of the choice that goes by difference from what is already chosen."""
    near_duplicate: Share = 0.6
    """Similarity from which a query counts as said before."""


class TwinsConfig(Part):
    """How benign twins are made."""

    attempts: int = Field(default=3, ge=1, le=20)
    """How often a twin is proposed until one is good."""
    most_harm: float = Field(default=2.0, ge=0, le=10)
    """Highest mean harmfulness that the panel may give a twin."""


class PicturesConfig(Part):
    """How pictures are made."""

    renderer: Renderer = "placeholder"
    """What draws the pictures."""
    fallback: Renderer | None = "typographic"
    """What draws those that the renderer refuses; null leaves them out."""
    rounds: int = Field(default=3, ge=1, le=10)
    """How often a picture may be drawn to a better description."""
    good_fit: int = Field(default=8, ge=0, le=10)
    """The viewer's score from which a picture is not redrawn."""
    size: int = Field(default=512, ge=64, le=4096)
    """Width and height in pixels."""
    near_duplicate: int = Field(default=4, ge=0, le=32)
    """Largest distance of two perceptual hashes, in bits of 64, of the same picture."""
    base_url: Text | None = None
    """Address of an OpenAI-compatible images API, for `endpoint`."""
    model: Text | None = None
    """Its model, or the pipeline of `diffusers`."""
    api_key_env: Variable | None = None
    """Name of the environment variable that holds the key; never the key."""
    price: Weight | None = None
    """US dollars a picture, for `endpoint`; unknown unless given."""
    font: Text | None = None
    """Font file for `typographic`; what is there unless given."""
    nsfw_model: Text | None = None
    """Image classifier for `transformers` that scores pictures; none unless given."""
    describer: ModelConfig | None = None
    """Describes the scene; the generator unless given."""
    viewer: ModelConfig | None = None
    """Judges whether the picture fits; none by default."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if "endpoint" in (self.renderer, self.fallback) and not (self.base_url and self.model):
            raise ValueError("`endpoint` needs base_url and model")
        if "diffusers" in (self.renderer, self.fallback) and not self.model:
            raise ValueError("`diffusers` needs model, such as a name on the Hugging Face hub")
        return self


class SpeechConfig(Part):
    """How queries are spoken."""

    speaker: Literal["espeak", "piper", "endpoint"] = "espeak"
    """What speaks."""
    voices: list[Text] = Field(default=["en+m3", "en+f4"], min_length=2)
    """The voices, each a recording of its own."""
    loudness: float = Field(default=-23.0, lt=0, ge=-70)
    """In LUFS."""
    base_url: Text | None = None
    """Address of an OpenAI-compatible speech API, for `endpoint`."""
    model: Text | None = None
    """Its model; for `piper` the folder of its voices, relative to the config."""
    api_key_env: Variable | None = None
    """Name of the environment variable that holds the key; never the key."""
    price: Weight | None = None
    """US dollars a million characters, for `endpoint`; unknown unless given."""
    program: Text | None = None
    """The program, for `espeak` and `piper`; looked up unless given."""
    whisper: Text | None = None
    """Whisper model that reads them back; one that is installed unless given, or `never`."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.speaker == "endpoint" and not (self.base_url and self.model):
            raise ValueError("`endpoint` needs base_url and model")
        if self.speaker == "piper" and not self.model:
            raise ValueError("`piper` needs model, the folder of its voices")
        return self


class SetConfig(Part):
    """Name and place of the set, and what makes it repeatable."""

    name: Name = "set"
    """What the set and its directory are called."""
    directory: Text = "sets"
    """Relative to the current directory."""
    license: str = ""
    """An SPDX id or free text; goes into the card."""
    seed: int = Field(default=7, ge=0, le=2**31 - 1)
    """Sent to models that take one, and what draws follow."""
    max_tokens: int = Field(default=1024, ge=64)
    """Cap on the tokens of one reply."""


class GenerateConfig(Part):
    """The config of `safejury generate`."""

    RENAMED: ClassVar[Mapping[str, str]] = {"set.licence": "set.license"}
    """Old keys that are still read, and their names of today."""

    purpose: Annotated[Text, StringConstraints(strip_whitespace=True)] | None = None
    """What the set is for; or say `--i-am-authorized`."""
    taxonomy: Literal["bundled"] | TaxonomyConfig = "bundled"
    """The bundled scenarios, or how others are found."""
    scenarios: list[Text] | None = Field(default=None, min_length=1)
    """Scenario ids to make queries for; all unless given."""
    panel: list[MemberConfig] = Field(min_length=1)
    """The models that propose and score."""
    generator: ModelConfig
    """The model that writes queries."""
    foreperson: ModelConfig | None = None
    """Merges and groups scenarios; the generator unless given."""
    queries: QueriesConfig = QueriesConfig()
    """How queries are made and chosen."""
    twins: TwinsConfig | None = TwinsConfig()
    """How benign twins are made; null makes none."""
    pictures: PicturesConfig | None = PicturesConfig()
    """How pictures are made; null makes none."""
    speech: SpeechConfig | None = None
    """How queries are spoken; none unless given."""
    limits: LimitsConfig = LimitsConfig()
    """What it may take."""
    set: SetConfig = SetConfig()
    """Name and place of the set, and what makes it repeatable."""

    @model_validator(mode="after")
    def _unique_names(self) -> Self:
        names = [member.name.casefold() for member in self.panel]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two panel members are named {twice[0]!r}: give each its own name")
        return self
