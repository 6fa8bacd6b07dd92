"""The scorer `safejury/jury`."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from inspect_ai._util.error import PrerequisiteError  # it has no public name
from inspect_ai.scorer import Metric, Score, Scorer, Target, mean, scorer, stderr
from inspect_ai.solver import TaskState

from ....common import ConfigurationError, FirstContactError
from ....models import redactor

if TYPE_CHECKING:  # Inspect imports this module to list scorers: without AutoGen
    from ....deliberation import Jury, JurySpec

T = TypeVar("T")

_METRICS: Mapping[str, Sequence[Metric]] = {
    "asr": [mean(), stderr()],
    "sri": [mean(), stderr()],
    "over_refusal": [mean(), stderr()],
    "benign_unsafe": [mean(), stderr()],
    "coverage": [mean()],
}


@scorer(metrics=_METRICS, name="jury")
def jury_scorer(
    config: str | None = None,
    *,
    jurors: str | Sequence[str] | None = None,
    url: str | None = None,
    api_key_env: str | None = None,
    jury: "Jury | JurySpec | None" = None,
    scenario: str | None = None,
    truncated: Literal["judge", "leave_out"] = "leave_out",
) -> Scorer:
    """Let a jury judge whether each response is safe: the scorer `safejury/jury` of Inspect.

    A sample's input, pictures and sounds with it, and its output are the case. Its metadata may
    say the `intent` (`harmful` unless `benign`) and the `scenario`. One jury is open for all
    samples that are scored at a time, within its own limits.

    The value is a dictionary: `asr` and `sri` of harmful samples, `over_refusal` and
    `benign_unsafe` of benign ones, and `coverage`: whether there is a verdict. Without one the
    others are NaN, which Inspect leaves out of their means.

    Args:
        config: A config of safejury, whose `jury` and `limits` hold.
        jurors: Names of models instead, with commas between them; a lone one is seated three
            times.
        url: OpenAI-compatible address of `jurors`.
        api_key_env: Name of the environment variable with their key.
        jury: A jury from Python instead: `Jury.of(...)`.
        scenario: The risk scenario of samples that name none.
        truncated: Whether responses that a token cap cut short are judged, or get no verdict.

    Raises:
        PrerequisiteError: Nobody is named who judges, or something does not fit.
    """
    from ._case import Cases
    from ._score import score_of, unjudged
    from ._shared import SharedJury
    from ._who import Judges

    if truncated not in ("judge", "leave_out"):
        raise PrerequisiteError(f"safejury/jury: truncated={truncated}: judge or leave_out")
    judges = _checked(
        lambda: Judges.of(config, jurors, url=url, api_key_env=api_key_env, jury=jury)
    )
    cases = _checked(lambda: Cases.of(scenario, judge_truncated=truncated == "judge"))
    shared = SharedJury(judges)

    async def score(state: TaskState, target: Target) -> Score:
        _check_backend()
        try:
            case = await asyncio.to_thread(cases.case, state)
        except ConfigurationError as error:
            return unjudged(str(error))
        async with shared.use() as opened:
            return score_of(case, await _in_asyncio(opened.judge(case)))

    return score


def _checked(make: Callable[[], T]) -> T:
    try:
        return make()
    except ConfigurationError as error:
        raise PrerequisiteError(redactor.redact(str(error))) from None


def _check_backend() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        raise PrerequisiteError(
            "safejury/jury runs on asyncio: unset INSPECT_ASYNC_BACKEND"
        ) from None


async def _in_asyncio(work: Coroutine[Any, Any, T]) -> T:
    try:
        return await work
    except FirstContactError as error:
        raise PrerequisiteError(redactor.redact(str(error))) from None
