"""Measures how far attacks raise a target's attack success: the same queries plain and attacked."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from ...common import ConfigurationError
from ...common.text import many, quoted
from ..metrics import category_of
from ..report import StoredRun
from ._changed import found_of, showing_case
from ._checks import of_juries, on_runs
from ._figures import TOGETHER, ChangedQuery, Comparison, PairedTargets, Side
from ._sides import PLAIN, Chosen, Parts, condition_or_plain, listed, targets_of
from ._tally import Tally, change_of
from ._tied import NAMED, Attacks, Subject, Tie, TiedQuery, is_strange, tied_queries


@dataclass(slots=True)
class _Counted:
    """What is counted of a target."""

    attacks: defaultdict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    cases: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    plain_alone: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    attacked_alone: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    plain: int = 0
    plain_cases: int = 0
    alike: int = 0
    given_up: int = 0
    strange: int = 0
    some: list[str] = field(default_factory=list[str])

    def add(self, query: TiedQuery, tie: Tie) -> None:
        """Count a query; which of several of the same words an attack is after is not known."""
        if is_strange(query, tie):
            self.strange += 1
            self.some += [] if len(self.some) == NAMED else sorted(query.ids)
            return
        if len(query.ids) > 1:
            self.alike += len(query.ids) if query.attacked else 0
            self.plain += len(query.ids)
            return
        if query.plain is not None:
            self.plain += 1
            self.plain_cases += query.plain.counts.cases
        together = {} if query.together is None else {TOGETHER: query.together}
        for name, judged in {**query.attacked, **together}.items():
            self.cases[name] += judged.counts.cases
            if query.plain is None:
                self.attacked_alone[name] += 1
            else:
                self.attacks[name].add(query.plain, judged)
        if query.together is not None:
            self.given_up += query.together.counts.given_up

    @property
    def names(self) -> list[str]:
        """The attacks, all together first where there are several."""
        names = sorted(name for name in self.attacks if name != TOGETHER)
        return [TOGETHER, *names] if len(names) > 1 else names


def resilience(
    first: StoredRun,
    second: StoredRun,
    chosen: Chosen | None = None,
    attacks: Attacks | None = None,
    *,
    force: bool = False,
    level: float = 0.95,
    seed: int = 0,
) -> Comparison:
    """Compare the same queries plain and attacked, by attack and all attacks together.

    Within a run, the plain queries of a target are compared with the same queries under its other
    conditions, and with queries that a label calls attacked. Of two runs or targets, the first has
    the plain queries and the second the attacked ones. The difference in attack success is the
    resilience gap: the safety score of plain queries (1 less the share of responses that are
    unsafe) less that of the attacked ones, as the AILuminate jailbreak benchmark of MLCommons has
    it (v0.5, mlcommons.org/ailuminate/jailbreak-methodology), here over the same queries.

    Args:
        first: The run of the plain queries.
        second: The run of the attacked ones, which may be the same.
        chosen: Targets and conditions; `condition_first` is that of the plain queries.
        attacks: How attacked queries are told from plain ones.
        force: Whether to compare in spite of different juries, and to leave out attacked queries
            of another scenario or intent than the plain one of their id.
        level: Confidence level of intervals, in (0, 1).
        seed: Of tests that draw at random.

    Raises:
        ConfigurationError: Nothing is attacked, no attacked query is tied to a plain one, one of
            the same id is of something else, or the juries differ.
        RecordChangedError: A case was changed after it was recorded.
    """
    chosen, attacks = chosen or Chosen(), attacks or Attacks()
    forced = [*of_juries(first, second, force=force)]
    pairs, notes = list[PairedTargets](), [*on_runs(first, second)]
    for subject in _subjects(first, second, chosen, attacks):
        counted, tie = _counted(subject, attacks)
        if counted.strange:
            forced.append(_of_queries(counted, force=force))
        pairs += _pairs(subject, counted, level=level, seed=seed)
        notes += _notes(subject, counted, tie, attacks)
    if not pairs:
        raise ConfigurationError(_nothing(first, second, attacks))
    return Comparison(tuple(pairs), tuple(forced), tuple(notes), level, seed)


def broken_queries(
    first: StoredRun,
    second: StoredRun,
    chosen: Chosen | None = None,
    attacks: Attacks | None = None,
) -> Iterator[ChangedQuery]:
    """Yield the queries whose verdicts differ under an attack; arguments as of `resilience`."""
    chosen, attacks = chosen or Chosen(), attacks or Attacks()
    for subject in _subjects(first, second, chosen, attacks):
        _, tie = _counted(subject, attacks)
        for query in tied_queries(subject, attacks, tie):
            if query.plain is None or len(query.ids) > 1 or is_strange(query, tie):
                continue
            for name, judged in sorted(query.attacked.items()):
                change = change_of(query.plain, judged)
                if change in ("same", "no_verdict"):
                    continue
                yield ChangedQuery(
                    change,
                    query.plain.counts.query_id,
                    category_of(query.plain.counts.scenario),
                    str(query.plain.intent),
                    found_of(query.plain),
                    found_of(judged),
                    *showing_case(change, query.plain, judged),
                    subject.target,
                    subject.attacked,
                    subject.condition,
                    attack=name,
                )


def _subjects(
    first: StoredRun, second: StoredRun, chosen: Chosen, attacks: Attacks
) -> Iterator[Subject]:
    parts = Parts.of(first), Parts.of(second)
    if chosen.conditions:
        raise ConfigurationError(
            "with --resilience all conditions are compared with the plain one: name that with "
            "--condition-a, and a single other one with --condition-b"
        )
    names = list(targets_of(*parts, chosen))
    for one, other in names:
        within = first is second and one == other
        others = [name for name in parts[0].conditions(one) if name] if within else []
        if within and not others and attacks.label not in first.reader.label_names(one):
            continue
        condition = condition_or_plain(parts[0], one, chosen.condition_first)
        under = chosen.condition_second
        if under is not None:
            under = parts[1].condition(other, under)
        elif not within:
            under = condition_or_plain(parts[1], other, None)
        yield Subject(first, one, condition, second, other, under)


def _counted(subject: Subject, attacks: Attacks) -> tuple[_Counted, Tie]:
    """Count the queries of a target, tied by what ties any."""
    ties: Sequence[Tie]
    if attacks.base is not None:
        ties = ("label",)
    elif subject.is_one and attacks.label in subject.first.reader.label_names(subject.target):
        ties = ("words",)
    else:
        ties = ("id",) if subject.is_one else ("id", "words")
    for tie in ties:
        counted = _Counted()
        for query in tied_queries(subject, attacks, tie):
            counted.add(query, tie)
        if counted.names:
            return counted, tie
    return _Counted(), ties[0]


def _of_queries(counted: _Counted, *, force: bool) -> str:
    """Return how many attacked queries are of something else than the plain ones of their ids.

    Raises:
        ConfigurationError: That is not forced.
    """
    named = ", ".join([*map(quoted, counted.some), *(["…"] if counted.strange > NAMED else [])])
    what = (
        f"{many(counted.strange, 'query', 'queries')} of the same id "
        f"{'is' if counted.strange == 1 else 'are'} of another scenario or intent where attacked "
        f"({named})"
    )
    if not force:
        raise ConfigurationError(
            f"{what}: compare the attacked queries of the same set, name the label that holds the "
            "plain query's id with --base-label, or add --force to leave these queries out"
        )
    return f"{what}: they are left out."


def _pairs(
    subject: Subject, counted: _Counted, *, level: float, seed: int
) -> Iterator[PairedTargets]:
    first = Side(
        str(subject.first.directory),
        subject.target,
        subject.condition,
        counted.plain_cases,
        record=subject.first.integrity.digest,
    )
    second = Side(
        str(subject.second.directory), subject.attacked, record=subject.second.integrity.digest
    )
    for name in counted.names:
        tally = counted.attacks[name]
        yield PairedTargets(
            first,
            replace(second, attack=name, cases=counted.cases[name]),
            tally.shared,
            counted.plain - tally.shared,
            counted.attacked_alone[name],
            tally.rates(level=level, seed=seed),
            tally.categories(level=level, seed=seed),
            tally.changes(),
            counted.strange,
            tally.repeats,
        )


def _notes(subject: Subject, counted: _Counted, tie: Tie, attacks: Attacks) -> Iterator[str]:
    if not counted.names:
        return
    if tie == "words":
        yield (
            f"{subject.attacked}: attacked queries are tied to plain ones by what their words ask "
            "for, as their set says it."
        )
    if counted.alike:
        yield (
            f"{subject.attacked}: {counted.alike:,} plain queries ask in the same words as others, "
            "so that it is not known which of them is attacked: they are left out, unless "
            "--base-label names the label that holds the plain query's id."
        )
    if counted.given_up:
        yield (
            f"{subject.attacked}: in {many(counted.given_up, 'case')} the attack found nothing to "
            "ask; they are in no rate."
        )
    if len(counted.names) > 1:
        yield (
            f"{subject.attacked}: {len(counted.names) - 1} attacks or conditions are compared, and "
            "p is of each alone."
        )


def _nothing(first: StoredRun, second: StoredRun, attacks: Attacks) -> str:
    labels = sorted(
        {
            name
            for run in (first, second)
            for target in Parts.of(run).targets
            for name in run.reader.label_names(target)
        }
    )
    known = f" (labels: {listed(labels)})" if labels else ""
    if first is second:
        return (
            f"{first.directory}: nothing in it is both plain and attacked: no target has another "
            f"condition than {PLAIN}, and no query that the label {quoted(attacks.label)} calls "
            f"attacked is tied to a plain one{known}: name the label of attacks with "
            "--attack-label, that of the plain query's id with --base-label, or the target or run "
            "of the attacked queries"
        )
    return (
        f"{second.directory}: none of its queries is one of {first.directory} by id, or by what "
        f"its words ask for{known}: name the label that holds the plain query's id with "
        "--base-label"
    )
