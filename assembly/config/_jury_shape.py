"""The shape of what a config says of a jury."""

from typing import Literal, Self

from pydantic import Field, model_validator

from ...agents import HUMAN, Controversial
from ...common import ConfigurationError
from ._model_shape import ModelConfig, Part, Reached, SeatName
from ._part import Text

Preset = Literal["vote", "contested", "roundtable", "safebench"]
_OF_THE_SEAT = {"name", "persona", "agent", "title", "guard", "controversial"}
"""Keys of a juror that are not said of its model."""


class JurorConfig(Reached):
    """A juror: a persona and a model, a person, an agent of the user's own, or a guard."""

    persona: Text | None = None
    """A bundled persona, a path relative to the config, or `human`; an agent may have none."""
    name: SeatName | None = None
    """The seat's name; the persona's or the agent's unless given."""
    model: Text | None = None
    """The model's name at `base_url`, or `provider/model` through LiteLLM; the persona's own
    unless given."""
    agent: Text | None = None
    """A function that makes an AgentChat agent or team, as `module:function`."""
    title: Text | None = None
    """What readers call an agent; its persona's title, or its name, unless given."""
    guard: Text | None = None
    """The kind of guard that the model is, such as `llama-guard-3`, in place of a persona."""
    controversial: Controversial | None = None
    """What a guard's finding between safe and unsafe counts as; an abstention unless given."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if self.vllm is not None and (self.model or self.base_url or self.api_key_env):
            raise ValueError("a juror on `vllm:` has no model, base_url and api_key_env beside it")
        if self.guard is not None:
            return self._as_guard()
        if self.controversial is not None:
            raise ValueError("`controversial:` is for a `guard:`")
        if self.agent is None and self.persona is None:
            raise ValueError("a juror has a `persona:`, an `agent:` of yours, or is a `guard:`")
        if self.agent is None and self.title is not None:
            raise ValueError("`title:` is for an `agent:`; a persona has its own")
        if self.agent is not None and self.persona == HUMAN:
            raise ValueError("an `agent:` is no person: take `persona: human` out")
        return self

    def _as_guard(self) -> Self:
        for key in ("persona", "agent", "title"):
            if getattr(self, key) is not None:
                raise ValueError(f"a `guard:` is a juror of its own kind: take `{key}:` out")
        if self.audio:
            raise ValueError("a `guard:` takes no sound: take `audio:` out")
        return self

    @property
    def is_human(self) -> bool:
        """Whether the juror is the person at the terminal."""
        return self.persona == HUMAN

    @property
    def has_model(self) -> bool:
        """Whether it names a model, as an agent need not."""
        return self.model is not None or self.vllm is not None

    def as_model(self, default: str | None = None) -> ModelConfig:
        """Return what is said of the model; `default` is the persona's own model.

        Raises:
            ConfigurationError: Neither the juror nor its persona names a model.
        """
        said = self.model_dump(exclude=_OF_THE_SEAT, exclude_unset=True)
        if self.vllm is not None:
            return ModelConfig.model_validate(said)
        if not said.get("model") and default is None:
            who = f"guard {self.guard!r}" if self.guard else f"juror {self.persona!r}"
            raise ConfigurationError(
                f"the {who} has no model: give it `model:`, and `base_url:` "
                "for a server of your own, or `vllm:` for one that is started"
            )
        return ModelConfig.model_validate({"model": default, **said})


class CostConfig(Part):
    """What errors of the jury cost, in any unit: only the ratio counts."""

    miss: float = Field(gt=0)
    """Of an unsafe response that is found safe."""
    false_alarm: float = Field(gt=0)
    """Of a safe response that is found unsafe."""


class ProtocolConfig(Part):
    """A protocol: a preset with settings of its own."""

    preset: Preset = "contested"
    """The protocol that the other keys change."""
    talk: Literal["never", "contested", "always", "roundtable"] | None = None
    """When the jury discusses a case after round 0; `roundtable` lets jurors speak in turn. The
    preset's unless given."""
    rounds: int | None = Field(default=None, ge=1, le=10)
    """Most re-votes; after the first only while contested. The preset's unless given."""
    turns: int | None = Field(default=None, ge=1, le=10)
    """For `talk: roundtable`: how often each juror may speak before a re-vote."""
    rule: Text | None = None
    """What decides: `majority`, `any`, `k_of_n`, `foreperson`, `calibrated`, `best_juror`, or
    `module:function`."""
    k: int | None = Field(default=None, ge=1)
    """For `rule: k_of_n`: how many votes for unsafe decide."""
    tie: Literal["unsafe", "safe", "no_verdict"] | None = None
    """For `rule: majority`: what a tie is found to be."""
    stop: Literal["all", "curtailed", "sequential"] | None = None
    """Whether all jurors are asked, or only until the finding is fixed (`curtailed`) or all but
    certain (`sequential`)."""
    summary: Literal["never", "discussed", "always"] | None = None
    """When the foreperson's model sums a discussion up."""
    jurors: int | None = Field(default=None, ge=1)
    """How many jurors the protocol must have; any number unless given."""
    threshold: float | None = Field(default=None, ge=0, le=1)
    """For `rule: calibrated`: unsafe is found above this probability; the card's unless given."""
    cost: CostConfig | None = None
    """For `rule: calibrated`: what errors cost, from which the threshold follows."""
    bound: float | None = Field(default=None, ge=0, le=0.1)
    """For `stop: sequential`: the chance that the rest would change the finding, at which asking
    stops; 0.002 unless given, and at 0 only where they cannot."""
    talk_between: list[float] | None = Field(default=None, min_length=2, max_length=2)
    """For `stop: sequential` with `rule: calibrated`: jurors talk only where the probability of
    unsafe is from the first to the second; 0.1 and 0.9 unless given."""


class JuryConfig(Part):
    """Who judges, and how."""

    jurors: list[JurorConfig] = Field(min_length=1)
    """The seats of the jury, in order."""
    protocol: Preset | ProtocolConfig = "contested"
    """A preset, or a mapping that changes one."""
    foreperson: ModelConfig | None = None
    """The model that sums up, and decides where `rule: foreperson`; none unless given."""
    rubric: Text | None = None
    """A Markdown file that says what is judged by, relative to the config; else the bundled
    rubric."""
    max_tokens: int = Field(default=512, ge=16)
    """Cap on the tokens of a ballot."""
    transcriber: Text = "auto"
    """What writes down sounds for jurors that cannot hear: `auto` (what is installed),
    `never`, or a whisper model: its name, or its folder relative to the config."""
    quotes: bool = True
    """Whether jurors are asked for the words of the case that they rely on."""
    card: Text | None = None
    """What is known of the jury, for the rules `calibrated` and `best_juror`: the file that
    safejury calibrate wrote, relative to the config."""
    card_of_another_jury: bool = False
    """Whether the card may be of other jurors of the same names."""
