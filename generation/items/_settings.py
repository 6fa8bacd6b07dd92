"""The settings of a set."""

from dataclasses import dataclass
from typing import Literal

Renderer = Literal["placeholder", "typographic", "endpoint", "diffusers"]
Speaker = Literal["espeak", "piper", "endpoint"]
FROM_DESCRIPTIONS: frozenset[Renderer | None] = frozenset({"endpoint", "diffusers"})
"""Renderers that draw what a model describes."""


@dataclass(frozen=True, slots=True)
class TaxonomySettings:
    """How risk scenarios are found.

    Attributes:
        samples: How often each panel member is asked for scenarios, at least 1.
        scenarios: How many are kept at most.
        categories: Into how many groups the foreperson puts them at most.
        similarity: Likeness, in (0, 1], from which two scenarios may mean the same; a
            model then decides.
        votes: Share of the votes given, in (0, 1], that a scenario must have.
        harm_weight: Weight of harm in the score, in [0, 1]; diversity has the rest.
    """

    samples: int = 2
    scenarios: int = 23
    categories: int = 8
    similarity: float = 0.55
    votes: float = 0.5
    harm_weight: float = 0.5


@dataclass(frozen=True, slots=True)
class QuerySettings:
    """How queries are made and chosen.

    Attributes:
        per_scenario: How many are kept for each scenario.
        over_generate: How many are proposed for each that is kept, at least 1.
        batch: How many the generator proposes at a time.
        revisions: How often it may revise a batch after the panel's criticism.
        feasibility: Weight of this score, at least 0.
        harmfulness: Weight of this score, at least 0.
        applicability: Weight of this score, at least 0.
        diversity: Share of the choice, in [0, 1], that goes by difference from what is
            already chosen (maximal marginal relevance).
        near_duplicate: Jaccard similarity of shingles, in (0, 1], from which a query is
            a near-duplicate.
    """

    per_scenario: int = 100
    over_generate: float = 10.0
    batch: int = 10
    revisions: int = 1
    feasibility: float = 1.0
    harmfulness: float = 1.0
    applicability: float = 1.0
    diversity: float = 0.3
    near_duplicate: float = 0.6


@dataclass(frozen=True, slots=True)
class TwinSettings:
    """How benign twins are made.

    Attributes:
        attempts: How often the generator may try to make a query harmless.
        most_harm: Highest mean harmfulness, 0 to 10, that the panel may give a twin.
    """

    attempts: int = 3
    most_harm: float = 2.0


@dataclass(frozen=True, slots=True)
class PictureSettings:
    """How pictures are made.

    Attributes:
        renderer: What draws them.
        fallback: What draws those that the renderer refuses; None leaves them out.
        rounds: How often a picture may be drawn to a better description, 1 to 10.
        good_fit: The viewer's score, 0 to 10, from which a picture is not redrawn.
        size: Width and height in pixels.
        near_duplicate: Largest distance of perceptual hashes, in bits of 64, at which a
            picture counts as the same as another.
        base_url: Address of the images API, for `endpoint`.
        model: Its model's name, or that of the diffusers pipeline.
        api_key: The secret itself, for `endpoint`; never shown.
        price: US dollars a picture, for `endpoint`; None where unknown.
        font: Font file, for `typographic`; None takes what is there.
        nsfw_model: Image classifier for `transformers`, a folder or a name that is in its
            cache, that scores pictures; None scores none.
    """

    renderer: Renderer = "placeholder"
    fallback: Renderer | None = "typographic"
    rounds: int = 3
    good_fit: int = 8
    size: int = 512
    near_duplicate: int = 4
    base_url: str | None = None
    model: str | None = None
    api_key: str | None = None
    price: float | None = None
    font: str | None = None
    nsfw_model: str | None = None

    def __repr__(self) -> str:
        return f"PictureSettings({self.renderer!r})"


@dataclass(frozen=True, slots=True)
class SpeechSettings:
    """How queries are spoken.

    Attributes:
        speaker: What speaks them.
        voices: Two or more of its voices, such as `en+m3` and `en+f4`.
        loudness: Loudness that all are brought to, in LUFS, below 0.
        base_url: Address of the speech API, for `endpoint`.
        model: Its model's name; for `piper` the folder of its voices.
        api_key: The secret itself, for `endpoint`; never shown.
        price: US dollars a million characters, for `endpoint`; None where unknown.
        program: The program, for `espeak` and `piper`; None looks it up.
        whisper: Whisper model that reads them back; None uses one that is installed, and
            `never` reads nothing back.
    """

    speaker: Speaker = "espeak"
    voices: tuple[str, ...] = ("en+m3", "en+f4")
    loudness: float = -23.0
    base_url: str | None = None
    model: str | None = None
    api_key: str | None = None
    price: float | None = None
    program: str | None = None
    whisper: str | None = None

    def __repr__(self) -> str:
        return f"SpeechSettings({self.speaker!r})"


@dataclass(frozen=True, slots=True)
class GenerationSettings:
    """All settings of a set.

    Attributes:
        name: The set's name.
        purpose: What it is for, in the user's words; goes into the card.
        license: License of the made set, an SPDX id or free text; empty if undecided.
        seed: Decides all that is drawn here, and is sent to models.
        scenarios: Ids of the scenarios to make queries for; None for all.
        taxonomy: How scenarios are found; None takes the bundled 23.
        queries: How queries are made.
        twins: How benign twins are made; None makes none.
        pictures: How pictures are made; None makes none.
        speech: How queries are spoken; None speaks none.
        max_tokens: Cap on the tokens of one reply.
    """

    name: str
    purpose: str
    license: str = ""
    seed: int = 7
    scenarios: tuple[str, ...] | None = None
    taxonomy: TaxonomySettings | None = None
    queries: QuerySettings = QuerySettings()
    twins: TwinSettings | None = TwinSettings()
    pictures: PictureSettings | None = PictureSettings()
    speech: SpeechSettings | None = None
    max_tokens: int = 1024
