"""Hears the cases of a jury card again, and tests each juror."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from ....agents import Ballot, BallotCall, BallotOutcome, Finding
from ....assembly.models import ManagedServers, open_models
from ....common import in_parallel
from ....datasets import MediaStore
from ....deliberation import decide
from ._checks import Check, record_check
from ._compare import JurorCheck, Key, Rates, compare
from ._journal import BallotJournal, alone
from ._plan import CheckPlan
from ._sample import Said, SampledCase

_MOST_LOST = 0.1
"""Share of a juror's ballots without which a check says nothing of it."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A jury card, checked.

    Attributes:
        plan: What was checked.
        jurors: What became of each juror.
        before: How well the jury's rule agreed with the labels of the cases.
        now: How well it does.
        check: What was recorded; None where too many ballots were lost.
    """

    plan: CheckPlan
    jurors: tuple[JurorCheck, ...]
    before: Rates
    now: Rates
    check: Check | None

    @property
    def moved(self) -> tuple[JurorCheck, ...]:
        """The jurors that moved."""
        return tuple(one for one in self.jurors if one.moved)

    @property
    def unheard(self) -> tuple[JurorCheck, ...]:
        """The jurors of which too many ballots were lost."""
        return tuple(one for one in self.jurors if is_unheard(one))

    @property
    def flagged(self) -> float | None:
        """Share of the run's harmful cases that were found unsafe; None where none was found."""
        said = self.plan.sample.flagged
        total = sum(said.values())
        return said.get("unsafe", 0) / total if total else None


def is_unheard(juror: JurorCheck) -> bool:
    """Return whether too many ballots of a juror were lost to say anything of it."""
    return juror.lost > _MOST_LOST * (juror.cases + juror.lost)


async def check_card(
    plan: CheckPlan,
    *,
    notify: Callable[[str], None],
    now: datetime | None = None,
) -> Checked:
    """Hear the cases of a card again, test each juror, and record it beside the card.

    Canceling it is safe: ballots that were cast are kept, and the same call goes on.

    Args:
        plan: What is checked.
        notify: Is told what happens, a line each.
        now: The time now, unless it is the clock's.

    Raises:
        ConfigurationError: Nothing can be written beside the card.
        FirstContactError: A model never answered.
        OutageError: An endpoint stayed down.
        RecordError: Another check of the card is under way.
    """
    with alone(plan.sample.folder):
        return await _checked(plan, notify, now or datetime.now(UTC))


async def _checked(plan: CheckPlan, notify: Callable[[str], None], now: datetime) -> Checked:
    journal = BallotJournal(plan.sample.folder, plan.sample.sha256, plan.identity)
    if known := journal.count():
        notify(f"Going on with a check that was stopped: {known:,} ballots are kept.")
    with TemporaryDirectory(prefix="safejury-") as scratch:
        servers = ManagedServers(plan.servers, Path(scratch), notify)
        # No cache and no journal of calls: an answer of before would tell nothing.
        async with open_models(plan.limits, servers=servers) as models:
            agents = plan.jury.agents(models.registry, media=MediaStore(Path(scratch)))

            async def ask(case: SampledCase, juror: str, hearing: int) -> tuple[Key, Said]:
                call = BallotCall(case.case, rubric=plan.jury.rubric, quotes=plan.jury.quotes)
                said = Said.of(await agents[juror].judge(call))
                journal.keep(hearing, case.case.id, juror, said)
                return (case.case.id, juror), said

            async def hear(
                keys: Iterable[tuple[SampledCase, str]], hearing: int
            ) -> dict[Key, Said]:
                done = journal.kept[hearing]
                left = [(c, j) for c, j in keys if (c.case.id, j) not in done]
                return {**done, **dict(await in_parallel(ask(c, j, hearing) for c, j in left))}

            asked = [(c, j) for c in plan.sample.cases for j in plan.jurors if j in c.votes]
            new = await hear(asked, 0)
            differ = [(c, j) for c, j in asked if _differs(c.votes[j], new[c.case.id, j])]
            again = await hear(differ, 1)
    return _concluded(plan, journal, new, again, now)


def _differs(old: Said, new: Said) -> bool:
    return not old.is_lost and not new.is_lost and old.finding != new.finding


def _concluded(
    plan: CheckPlan,
    journal: BallotJournal,
    new: dict[Key, Said],
    again: dict[Key, Said],
    now: datetime,
) -> Checked:
    cases = plan.sample.cases
    old = {(each.case.id, juror): said for each in cases for juror, said in each.votes.items()}
    labels = {each.case.id: each.label for each in cases}
    jurors = compare(plan.jurors, labels, old, new, again, alpha=plan.alpha)
    check = None
    if not any(map(is_unheard, jurors)):
        check = record_check(plan.sample.folder, plan.sample.sha256, plan.alpha, jurors, now)
        journal.end()
    told = [
        each
        for each in cases
        if not any(new[each.case.id, juror].is_lost for juror in plan.jurors if juror in each.votes)
    ]
    before = Rates.of((each.label, _found(plan, each, old)) for each in told)
    after = Rates.of((each.label, _found(plan, each, new)) for each in told)
    return Checked(plan, jurors, before, after, check)


def _found(plan: CheckPlan, case: SampledCase, said: dict[Key, Said]) -> Finding | None:
    """Return what the jury's rule finds by ballots of round 0."""
    ballots = [
        _ballot(juror, said[case.case.id, juror]) for juror in plan.jurors if juror in case.votes
    ]
    return decide(ballots, plan.rule, seats=len(plan.jurors)).finding


def _ballot(juror: str, said: Said) -> Ballot:
    return Ballot(juror, 0, BallotOutcome(said.outcome), said.finding, said.rating)


def shortfall(checked: Checked) -> Sequence[str]:
    """Return why a checked card cannot be relied on any more, a line each; nothing where it can."""
    path = checked.plan.path
    lines = [
        f"{one.juror} could not be checked: {one.lost} of {one.lost + one.cases} ballots were "
        "lost; repeat the command, which asks for these again."
        for one in checked.unheard
    ]
    for one in checked.moved:
        how = "moved" if one.is_steadier else "repeats itself less than it did"
        lines.append(
            f"{one.juror} {how}: {one.changed} of {one.cases} votes changed, and "
            f"{one.confirmed} of {one.asked_again} stayed so when it was asked again "
            f"(p = {one.p:.2g})."
        )
    if checked.moved:
        lines.append(
            f"{path} is of the jury as it was: label cases of a new run and make a card of it."
        )
    return lines
