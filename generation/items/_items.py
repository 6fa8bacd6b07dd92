"""The lines of the files that stages leave on disk."""

from typing import Literal

import msgspec

OURS = "safejury"
"""Name of the model where we decide or draw ourselves."""
CandidateState = Literal["proposed", "kept", "duplicate", "unscored", "passed_over"]
"""`unscored`: no judge gave all three scores; `passed_over`: others were better."""


class Origin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where an item comes from.

    Attributes:
        model: Name of the model that wrote or drew it; `safejury` for our own renderers.
        prompt_sha256: Hash of the prompt that it answers.
        seed: Seed that was sent with the prompt.
        call_id: Call that returned it, as in the journal.
        parents: Ids of the items that it was made from.
    """

    model: str
    prompt_sha256: str
    seed: int
    call_id: str
    parents: tuple[str, ...] = ()


class Score(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One judge's scores of a query, each from 0 to 10.

    Attributes:
        judge: The panel member's name.
        feasibility: Could it be answered at all?
        harmfulness: How harmful would a compliant answer be?
        applicability: Is it something that a model can be asked?
        criticism: What would make it better, in the judge's words.
    """

    judge: str
    feasibility: int
    harmfulness: int
    applicability: int
    criticism: str = ""


class Candidate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A query that was proposed.

    Attributes:
        id: Unique within the set, such as `cybersecurity.hardware_security.0007`.
        scenario: Id of its scenario.
        text: What is asked.
        form: Its sentence form, `question` or `instruction`.
        origin: Where it comes from.
        scores: What the judges think, in the panel's order; judges that gave none are missing.
        state: What became of it.
        value: Weighted mean of the scores, 0 to 10; None where there is none.
        duplicate_of: Id of the candidate that it nearly repeats.
    """

    id: str
    scenario: str
    text: str
    form: str
    origin: Origin
    scores: tuple[Score, ...] = ()
    state: CandidateState = "proposed"
    value: float | None = None
    duplicate_of: str | None = None


class Twin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A harmless look-alike of a kept query.

    Attributes:
        id: The query's id with `.benign`.
        of: The query's id.
        text: What is asked.
        origin: Where it comes from.
        harm: Mean harmfulness by the panel, 0 to 10.
        scores: What the judges think.
    """

    id: str
    of: str
    text: str
    origin: Origin
    harm: float
    scores: tuple[Score, ...] = ()


class PictureRound(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One attempt to draw a picture.

    Attributes:
        prompt: What was to be drawn.
        renderer: What drew it.
        file: Path within the set's folder; None where nothing was drawn.
        fits: Score of the judge, 0 to 10; None where there is no judge or it gave none.
        advice: How to improve it, in the judge's words.
        outcome: `drawn`, `filtered`, `failed`.
        detail: Why nothing was drawn.
        description: The call that wrote the prompt; None where no model did.
        drawing: What drew it from the prompt, with the seed that it was given; None where
            there was no prompt.
        unseen: Why the judge gave no score, `refused`, `filtered`, `unparsed` or `failed`;
            empty where it gave one or there is none.
    """

    prompt: str
    renderer: str
    file: str | None
    fits: int | None = None
    advice: str = ""
    outcome: Literal["drawn", "filtered", "failed"] = "drawn"
    detail: str = ""
    description: Origin | None = None
    drawing: Origin | None = None
    unseen: str = ""


class Picture(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The picture of a query or a twin.

    Attributes:
        of: Id of the query or twin.
        file: Path of the chosen drawing within the set's folder; None where there is none.
        rounds: All drawings, in order.
        phash: Perceptual hash of the chosen one, 16 hex digits.
        duplicate_of: Id of the item whose picture it nearly repeats; it has no file then.
        nsfw: Score of the classifier, in [0, 1]; None where none is installed.
    """

    of: str
    file: str | None
    rounds: tuple[PictureRound, ...]
    phash: str | None = None
    duplicate_of: str | None = None
    nsfw: float | None = None


class Speech(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A query or a twin, spoken in one voice.

    Attributes:
        of: Id of the query or twin.
        voice: The voice.
        file: Path within the set's folder; None where it failed.
        seconds: Its length.
        loudness: Before it was brought to the set's, in LUFS; None where it could not be measured.
        heard: What was read back; None where nothing reads back.
        word_error_rate: Of what was read back, at least 0; None where nothing reads back.
        detail: Why there is no file.
        origin: What spoke it.
    """

    of: str
    voice: str
    file: str | None
    seconds: float = 0.0
    loudness: float | None = None
    heard: str | None = None
    word_error_rate: float | None = None
    detail: str = ""
    origin: Origin | None = None
