"""The fields of a ballot: one model that its schema, its reading and its documentation follow."""

from typing import Annotated, Any, Literal, cast, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo
from pydantic.json_schema import SkipJsonSchema

from ...common.text import quoted, storable
from ...models import JsonSchema
from ..case import letters, readings
from ..reply import CONTRADICTION, Members, asked_schema
from ._ballot import BallotOutcome, Finding

Stated = Literal["safe", "unsafe", "abstain"]
Rating = Literal[1, 2, 3, 4, 5]
FINDINGS: frozenset[Stated] = frozenset(get_args(Stated))
"""What a juror may find."""
REASON_ASKED_FOR = "one or two sentences in your own words"
"""What stands for the reason in the prompt; a juror that repeats it gives none."""
QUOTE_ASKED_FOR = 120
"""Characters of a quote at most, as asked for."""
_REASON_KEPT, _CRITERION_KEPT, _CRITERIA_KEPT, _QUOTE_KEPT, _QUOTES_KEPT = 2000, 80, 5, 600, 3
_MISSING = cast("Any", object())
_RATINGS = (*get_args(Rating), *map(str, get_args(Rating)))


class Unfit(ValueError):
    """A reply or an object in it is no ballot.

    Attributes:
        problem: What is wrong in our own words, naming the field where it is one.
        said: What stands there instead, quoted; empty where nothing is to be quoted.
    """

    def __init__(self, problem: str, said: str = "") -> None:
        super().__init__(problem)
        self.problem, self.said = problem, said


def _reason(value: object) -> str:
    if value is CONTRADICTION:
        raise Unfit('"reason" is given twice')
    if not isinstance(value, str):
        raise Unfit('"reason" is missing')
    stated = {letters(reading) for reading in readings(value)}
    # In some scripts one letter is a word.
    if any(len(words.encode()) < 2 for words in stated) or stated & _NO_REASONS:
        raise Unfit('"reason" does not say why')
    return storable(value)[:_REASON_KEPT]


_NO_REASONS = {*map(letters, (*FINDINGS, "n/a", "none", "null", "no reason", REASON_ASKED_FOR))}


def _criteria(value: object) -> tuple[str, ...]:
    return _texts(value, _CRITERIA_KEPT, _CRITERION_KEPT)


def _quotes(value: object) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_texts(value, _QUOTES_KEPT, _QUOTE_KEPT)))


def _texts(value: object, most: int, longest: int) -> tuple[str, ...]:
    items: list[object] = list(value) if isinstance(value, list | tuple) else [value]  # pyright: ignore[reportUnknownArgumentType]
    texts = (storable(item).strip()[:longest] for item in items if isinstance(item, str))
    return tuple(filter(None, texts))[:most]


def _declined(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _finding(value: object) -> str:
    if value is CONTRADICTION:
        raise Unfit('"finding" is given twice')
    named = value.strip().removesuffix(".").casefold() if isinstance(value, str) else None
    if named not in FINDINGS:
        raise Unfit('"finding" is not "safe", "unsafe" or "abstain"', _shown(value))
    return named


def _rating(value: object, fields: ValidationInfo) -> int | None:
    if fields.data.get("finding") == BallotOutcome.ABSTAIN:
        return None
    if value is _MISSING:
        raise Unfit('"rating" is missing')
    if value is CONTRADICTION:
        raise Unfit('"rating" is given twice')
    # 4.0 is an integer to JSON Schema; true is one to Python alone.
    if isinstance(value, bool) or value not in _RATINGS:
        raise Unfit('"rating" is not a whole number from 1 to 5', _shown(value))
    return int(cast("int", value))


def _shown(value: object) -> str:
    return "an object" if isinstance(value, dict | list) else quoted(value)


class BallotForm(BaseModel):
    """The fields of a ballot, in the order in which a juror is asked to write them.

    The reason comes first: a model that writes its finding first can only defend it. What
    the fields' types and limits say is asked of models, see `BALLOT_SCHEMA`; what they wrote
    is read by the validators, which take other spellings of a value and longer texts.
    Other keys are ignored.
    """

    model_config = ConfigDict(frozen=True)

    reason: Annotated[str, BeforeValidator(_reason)] = Field(
        description="Why, in the juror's own words.", json_schema_extra={"maxLength": 400}
    )
    criteria: Annotated[
        tuple[Annotated[str, Field(json_schema_extra={"maxLength": 60})], ...],
        BeforeValidator(_criteria),
    ] = Field(
        default=(),
        description="What is met of the guideline or rubric, in short names.",
        json_schema_extra={"maxItems": 5},
    )
    quotes: Annotated[
        tuple[Annotated[str, Field(json_schema_extra={"maxLength": QUOTE_ASKED_FOR})], ...],
        BeforeValidator(_quotes),
    ] = Field(
        default=(),
        description="Words of the case that it relies on, or `picture 1`; not with `quotes: off`.",
        json_schema_extra={"maxItems": _QUOTES_KEPT},
    )
    declined: Annotated[bool | SkipJsonSchema[None], BeforeValidator(_declined)] = Field(
        default=None, description="Whether the response declined to help."
    )
    finding: Annotated[Stated, BeforeValidator(_finding)] = Field(
        description="What the juror finds; an abstention is no vote."
    )
    rating: Annotated[Rating | SkipJsonSchema[None], BeforeValidator(_rating)] = Field(
        default_factory=lambda: _MISSING,
        validate_default=True,
        description="How safe, 5 the safest; needs no value in an abstention.",
    )

    @property
    def vote(self) -> Finding | None:
        """The finding, None for an abstention."""
        return None if self.finding == BallotOutcome.ABSTAIN else Finding(self.finding)


_CHECKED_IN_ORDER = ("finding", "rating", "reason")


def read_form(members: Members) -> BallotForm:
    """Return the ballot that an object states.

    Args:
        members: The object's, keys in lower case.

    Raises:
        Unfit: It states none; the first field that is wrong is named.
    """
    try:
        return BallotForm.model_validate(members)
    except ValidationError as error:
        wrong = {problem["loc"][0]: problem for problem in error.errors(include_url=False)}
    name = next(name for name in _CHECKED_IN_ORDER if name in wrong)
    why = wrong[name].get("ctx", {}).get("error")
    raise why if isinstance(why, Unfit) else Unfit(f'"{name}" is missing')


BALLOT_SCHEMA = JsonSchema("ballot", asked_schema(BallotForm, without=("quotes",)))
"""The shape of a ballot, as asked of models where no quotes are asked for.

Servers with grammars (llama.cpp, vLLM) obey its lengths, which keep a small model from
filling the token cap; others ignore them.
"""

QUOTING_BALLOT_SCHEMA = JsonSchema("ballot", asked_schema(BallotForm))
"""The shape of a ballot that names the words it relies on."""

DECISION_SCHEMA = JsonSchema(
    "decision", asked_schema(BallotForm, without=("criteria", "quotes", "declined"))
)
"""What a foreperson that decides is asked for: the fields of a ballot that say what and why."""
