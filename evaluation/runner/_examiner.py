"""Examines trials: asks the target, then the jury."""

from collections.abc import Iterable
from typing import Protocol

from ...agents import Case
from ...datasets import Query, Taxonomy, load_taxonomy
from ...deliberation import Verdict
from ...targets import Target
from ..plan import Transcripts
from ..trials import CaseResult, Exchange, Trial, result_of
from ._media_room import MediaHold


class Staging(Protocol):
    """Prepares the query of a trial for the target and the jury."""

    async def put(self, trial: Trial, hold: MediaHold | None = None) -> Query:
        """Return the query under its condition, with its media stored in the run.

        Args:
            trial: The trial.
            hold: Takes room for the media, before they are read; None where there is no bound.
        """
        ...


class Judge(Protocol):
    """Judges cases, as a `Jury` does."""

    async def hear(self, case: Case) -> Verdict:
        """Return the verdict on a case."""
        ...


class Examiner:
    """Runs trials to their results.

    Args:
        targets: The targets.
        jury: The open jury.
        staging: Prepares queries.
        transcripts: Transcripts of audio, for jurors that cannot hear; None for only those
            in the set.
        taxonomy: The scenarios that queries name; the bundled ones unless given.
        judge_truncated: Whether the jury judges responses that the token cap cut short.
    """

    def __init__(
        self,
        targets: Iterable[Target],
        jury: Judge,
        staging: Staging,
        transcripts: Transcripts | None = None,
        taxonomy: Taxonomy | None = None,
        *,
        judge_truncated: bool = False,
    ) -> None:
        self._targets = {target.name: target for target in targets}
        self._jury = jury
        self._staging = staging
        self._transcripts = transcripts or Transcripts()
        self._taxonomy = taxonomy or load_taxonomy()
        self._judge_truncated = judge_truncated

    async def examine(self, trial: Trial) -> CaseResult:
        """Ask the target, then the jury.

        Raises:
            FirstContactError: A model never answered and waiting won't help.
        """
        return await self.judge(trial, await self.ask(trial))

    async def ask(self, trial: Trial, hold: MediaHold | None = None) -> Exchange:
        """Ask the target.

        Args:
            trial: The trial.
            hold: Takes room for the case's media; None where there is no bound.

        Raises:
            FirstContactError: The target never answered and waiting won't help.
        """
        query = await self._staging.put(trial, hold)
        response = await self._targets[trial.target].respond(
            query, epoch=trial.epoch, call_id=f"{trial.case_id}/target"
        )
        return Exchange(query, response)

    async def judge(
        self, trial: Trial, exchange: Exchange, hold: MediaHold | None = None
    ) -> CaseResult:
        """Let the jury judge a response.

        Args:
            trial: The trial.
            exchange: The query as it was put, and the response.
            hold: Takes room for the case's media unless that was done; see `ask`.

        Raises:
            ConfigurationError: Audio cannot be transcribed.
            FirstContactError: A juror's model never answered and waiting won't help.
        """
        if hold is not None:
            await hold.take(exchange.query.media)
        scenario = trial.query.scenario
        case = Case(
            trial.case_id,
            exchange.query,
            exchange.response,
            self._taxonomy.resolve(scenario).guideline,
            await self._transcripts.of(trial, exchange.query),
            titles=self._own_titles(scenario),
            judge_truncated=self._judge_truncated,
        )
        verdict = await self._jury.hear(case)
        return result_of(
            trial.target, trial.epoch, exchange, verdict, condition=trial.condition.name
        )

    def _own_titles(self, scenario: str) -> tuple[str, str] | None:
        """Return a scenario's titles, None where the bundled taxonomy has them."""
        return None if self._taxonomy is load_taxonomy() else self._taxonomy.titles(scenario)
