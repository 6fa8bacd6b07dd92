"""Makes a case of the state of a sample in Inspect."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from inspect_ai.model import ModelOutput
from inspect_ai.solver import TaskState

from ....agents import Case, case_of_turns
from ....common import ConfigurationError
from ....datasets import (
    UNCATEGORISED,
    Intent,
    Media,
    MediaKind,
    MediaStore,
    Taxonomy,
    load_taxonomy,
    read_media,
)
from ....datasets.media import data_in
from ....datasets.query import read_parts
from ....datasets.tables import RowError, before_last, split_asked
from ....targets import ResponseOutcome

_OUTCOMES = {
    "content_filter": ResponseOutcome.FILTERED,
    "max_tokens": ResponseOutcome.TRUNCATED,
    "model_length": ResponseOutcome.TRUNCATED,
}


@dataclass(frozen=True, slots=True)
class Cases:
    """Makes cases of samples.

    Attributes:
        scenario: The scenario of samples that name none.
        judge_truncated: Whether responses that were cut short are judged.
        media: Keeps their pictures and sounds.
        taxonomy: The scenarios that can be named.
    """

    scenario: str
    judge_truncated: bool
    media: MediaStore
    taxonomy: Taxonomy

    @classmethod
    def of(cls, scenario: str | None, *, judge_truncated: bool) -> "Cases":
        """Return what makes cases, by the names of the scorer's arguments.

        Raises:
            ConfigurationError: There is no such scenario.
        """
        taxonomy = load_taxonomy()
        named = UNCATEGORISED if scenario is None else taxonomy.resolve(scenario)
        return cls(named.id, judge_truncated, MediaStore(), taxonomy)

    def case(self, state: TaskState) -> Case:
        """Return the case of a sample: what was asked, and what was answered.

        Raises:
            ConfigurationError: Its messages cannot be read, or a medium is not there.
        """
        about: dict[str, Any] = state.metadata or {}
        if about.get("texts") == "withheld":
            raise ConfigurationError(
                "its texts are withheld: write the log with safejury export --reveal"
            )
        scenario = self._scenario(about)
        given = state.input
        put = [{"role": "user", "content": given}] if isinstance(given, str) else _plain(given)
        try:
            asked, since = split_asked(put, _plain(state.messages))
            asked = read_parts(asked, self._medium)
        except RowError as error:
            raise ConfigurationError(str(error)) from None
        output: ModelOutput = state.output
        turns, _ = before_last(since)
        case = case_of_turns(
            f"{state.sample_id}",
            str(state.model),
            asked,
            output.completion,
            turns,
            scenario=scenario,
            guideline=self.taxonomy.resolve(scenario).guideline,
        )
        return self._completed(case, state, output, about)

    def _completed(
        self, case: Case, state: TaskState, output: ModelOutput, about: dict[str, Any]
    ) -> Case:
        outcome = _outcome(output)
        intent = Intent.BENIGN if about.get("intent") == Intent.BENIGN else Intent.HARMFUL
        assumed = about.get("intent") not in set(Intent)
        response = replace(
            case.response,
            outcome=outcome,
            detail=output.error,
            finish_reason=None if output.empty else output.stop_reason,
            provider_model=output.model or None,
        )
        return replace(
            case,
            id=f"{state.sample_id}/{state.model}/{state.epoch - 1}",
            query=replace(case.query, intent=intent, intent_assumed=assumed),
            response=response,
            judge_truncated=self.judge_truncated,
        )

    def _scenario(self, about: dict[str, Any]) -> str:
        named = about.get("scenario")
        if not isinstance(named, str):
            return self.scenario
        try:
            return self.taxonomy.resolve(named).id
        except ConfigurationError:
            return self.scenario  # a word of the task's own

    def _medium(self, place: str, kind: MediaKind) -> Media:
        place = place.removeprefix("file://")
        content = data_in(place, kind)
        if content is None:
            return read_media(Path(place), kind=kind)
        return read_media(Path(self.media.keep(content, kind).path), kind=kind)


def _outcome(output: ModelOutput) -> ResponseOutcome:
    if output.empty:
        return ResponseOutcome.ERROR
    outcome = _OUTCOMES.get(output.stop_reason, ResponseOutcome.ANSWERED)
    blank = not output.completion.strip()
    return ResponseOutcome.ERROR if outcome is ResponseOutcome.ANSWERED and blank else outcome


def _plain(messages: Any) -> list[object]:
    return [message.model_dump() for message in messages]
