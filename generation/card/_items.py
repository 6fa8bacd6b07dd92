"""The structure of `card.json`; it holds no text of any query."""

import msgspec


class Quality(msgspec.Struct, frozen=True):
    """Mean scores of the panel, each from 0 to 10."""

    feasibility: float
    harmfulness: float
    applicability: float


class Counts(msgspec.Struct):
    """How many items there are.

    Attributes:
        harmful: Queries.
        benign: Twins.
        pictures: Items with a picture.
        recordings: Recordings of items, all voices together.
    """

    harmful: int = 0
    benign: int = 0
    pictures: int = 0
    recordings: int = 0


class ScenarioFigures(msgspec.Struct, frozen=True):
    """A scenario of the set; `category` is the id of its category."""

    id: str
    category: str
    title: str
    counts: Counts


class CategoryFigures(msgspec.Struct, frozen=True):
    """A category of the set.

    Attributes:
        id: Its id.
        title: For people.
        counts: Of all its scenarios.
        scored: Queries with scores.
        judges: How many judges scored them, on average; None where none has scores.
        quality: Their mean; None where none has scores.
        paper: The paper's mean; None where it has no such category.
    """

    id: str
    title: str
    counts: Counts
    scored: int
    judges: float | None
    quality: Quality | None
    paper: Quality | None


class Modalities(msgspec.Struct):
    """Queries of the set by what they consist of."""

    text: int = 0
    text_image: int = 0
    text_audio: int = 0
    text_image_audio: int = 0


class Balance(msgspec.Struct, frozen=True):
    """How evenly harmful queries are spread over the scenarios.

    Attributes:
        wanted: Queries that were wanted for each.
        fewest: Of any scenario.
        most: Of any scenario.
        evenness: Entropy of the shares over its largest value, in [0, 1]; 1 is even.
            None with fewer than two scenarios or no query.
    """

    wanted: int
    fewest: int
    most: int
    evenness: float | None


class Agreement(msgspec.Struct, frozen=True):
    """Krippendorff's alpha of the panel, ordinal, at most 1.

    Attributes:
        rated: Queries with two judges or more.
        feasibility: None where all scores are the same.
        harmfulness: None likewise.
        applicability: None likewise.
    """

    rated: int
    feasibility: float | None
    harmfulness: float | None
    applicability: float | None


class Funnel(msgspec.Struct, frozen=True):
    """How many proposals were dropped at each step.

    Attributes:
        wanted: Queries that were wanted.
        proposed: Queries that were proposed, duplicates included.
        revised: Versions of them that were written after criticism.
        duplicate: Dropped as near-duplicates.
        unscored: Dropped as no judge gave all scores.
        passed_over: Dropped as others were better.
        kept: In the set.
        over_generation: Proposed, without revised versions, for each that is kept; None
            where none is.
        over_generation_wanted: By the settings.
    """

    wanted: int
    proposed: int
    revised: int
    duplicate: int
    unscored: int
    passed_over: int
    kept: int
    over_generation: float | None
    over_generation_wanted: float


class PictureFigures(msgspec.Struct, frozen=True):
    """The pictures of a set.

    Attributes:
        items: Items for which one was tried.
        by_renderer: Pictures by what drew them.
        by_rounds: Items by how often a drawing was tried, as words.
        filtered: Items of which a drawing was filtered.
        duplicates: Left out as they nearly repeat another.
        missing: Left out for other reasons.
        fits: Mean score by the viewer, 0 to 10; None where it gave none.
        judged: How many have such a score.
        viewed: How many the viewer was shown.
        nsfw: Mean score of a classifier, in [0, 1]; None where there is none.
    """

    items: int
    by_renderer: dict[str, int]
    by_rounds: dict[str, int]
    filtered: int
    duplicates: int
    missing: int
    fits: float | None
    judged: int
    viewed: int
    nsfw: float | None


class VoiceFigures(msgspec.Struct, frozen=True):
    """The recordings in one voice.

    Attributes:
        voice: Its name.
        speaker: What spoke.
        recordings: How many there are.
        missing: How many failed.
        seconds: Length of all.
        read_back: How many were read back.
        word_error_rate: Mean of those; None where none was.
    """

    voice: str
    speaker: str
    recordings: int
    missing: int
    seconds: float
    read_back: int
    word_error_rate: float | None


class MissingReplies(msgspec.Struct, frozen=True):
    """Replies of models, and items of replies, that hold nothing, by stage."""

    refused: int = 0
    filtered: int = 0
    unparsed: int = 0
    failed: int = 0


class JudgeFigures(msgspec.Struct, frozen=True):
    """The scores of one judge in one stage.

    Attributes:
        stage: `queries` or `twins`.
        judge: Its name.
        asked: Texts that it was asked to score, versions included.
        given: Those that it scored.
        refused: Those that are missing for it refused.
        filtered: Those that are missing for its provider filtered the reply.
        unparsed: Those that are missing for they could not be read.
        left_out: Those that its reply did not speak of.
        failed: Those that are missing for a call failed.
    """

    stage: str
    judge: str
    asked: int
    given: int
    refused: int
    filtered: int
    unparsed: int
    left_out: int
    failed: int


class ModelFigures(msgspec.Struct, frozen=True):
    """What the kept calls of a model cost; prices that are unknown are counted apart."""

    model: str
    calls: int
    prompt_tokens: int
    completion_tokens: int
    usd: float
    unknown_prices: int


class Role(msgspec.Struct, frozen=True):
    """Who took part: the name in the set's records, and the model."""

    role: str
    name: str
    model: str


class Card(msgspec.Struct, frozen=True):
    """The card; see `docs/generation/card.md`.

    Attributes:
        set_sha256: Of what the set holds, as `Dataset.sha256`: a run's record has it too.
        set_file_sha256: Of the file `set.jsonl`.
    """

    name: str
    purpose: str
    license: str
    seed: int
    safejury: str
    set_sha256: str
    set_file_sha256: str
    queries: int
    taxonomy: str
    categories: list[CategoryFigures]
    scenarios: list[ScenarioFigures]
    modalities: Modalities
    balance: Balance
    twin_harm: float | None
    agreement_proposed: Agreement
    agreement_kept: Agreement
    funnel: Funnel
    pictures: PictureFigures | None
    voices: list[VoiceFigures]
    missing_replies: dict[str, MissingReplies]
    judges: list[JudgeFigures]
    counts: dict[str, dict[str, int]]
    roles: list[Role]
    models: list[ModelFigures]
    croissant_notes: list[str]
