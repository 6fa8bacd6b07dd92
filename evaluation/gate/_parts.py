"""Which parts of a run a rule is about: targets, conditions, categories and scenarios."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ...common import ConfigurationError, DatasetError
from ...common.text import natural_order, nearest, quoted
from ...datasets import load_taxonomy
from ..compare import PLAIN
from ..metrics import Breakdown, RunSummary, TargetSummary
from ._expression import EACH, Expression


@dataclass(frozen=True, slots=True)
class PartOf:
    """What a rule is measured on.

    Attributes:
        target: The target's name, empty for the whole run.
        condition: Name of the condition, empty where queries are put as they are.
        category: Id of the category, empty for all.
        scenario: Id of the scenario, empty for all.
    """

    target: str = ""
    condition: str = ""
    category: str = ""
    scenario: str = ""

    @property
    def label(self) -> str:
        """What it is called, such as `mine [black] / cybersecurity`."""
        condition = f" [{self.condition}]" if self.condition else ""
        name = f"{self.target}{condition}" or "the run"
        part = self.scenario or self.category
        return f"{name} / {part}" if part else name


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a run and its figures.

    Attributes:
        of: Which part it is.
        whole: The figures of its target, None for the whole run.
        figures: Its own figures, None where the run has no such case.
    """

    of: PartOf
    whole: TargetSummary | None
    figures: TargetSummary | Breakdown | None


def parts_of(says: Expression, summary: RunSummary, where: str) -> list[Part]:
    """Return the parts of a run that a rule is about, at least one.

    Args:
        says: The rule. Without a target each one is meant, under each condition.
        summary: The figures of the run.
        where: The run, for errors.

    Raises:
        ConfigurationError: It names what the run does not have, and the taxonomy neither.
    """
    if says.metric.kind == "usd" and not says.scope:
        return [Part(PartOf(), None, None)]
    targets = _targets(says, summary.targets, where)
    kind, name = _part(says.scope, summary.targets, where)
    found = list[Part]()
    for target in targets:
        of = PartOf(target.target, target.condition)
        if not kind:
            found.append(Part(of, target, target))
            continue
        parts = target.categories if kind == "category" else target.scenarios
        names = [name] if name != EACH else sorted(_asked(says, parts), key=natural_order)
        for each in names:
            of = (
                PartOf(target.target, target.condition, category=each)
                if kind == "category"
                else PartOf(target.target, target.condition, scenario=each)
            )
            found.append(Part(of, target, parts.get(each)))
        if not names:  # no part of the target has such a query
            found.append(Part(PartOf(target.target, target.condition), target, None))
    return found


def _asked(says: Expression, parts: Mapping[str, Breakdown]) -> Iterator[str]:
    """Yield the parts in which there are queries of the kind that the metric is of."""
    benign = says.metric.name in ("over_refusal", "benign_unsafe")
    for name, part in parts.items():
        if says.metric.name == "coverage" or (part.benign if benign else _asks_harm(part)):
            yield name


def _asks_harm(part: Breakdown) -> bool:
    # Where planned cases are not known, or none is finished yet, nobody knows that it asks none.
    return bool(part.harmful) or part.asr.bounds is not None or part.planned is None


def _targets(
    says: Expression, targets: Sequence[TargetSummary], where: str
) -> Sequence[TargetSummary]:
    wanted = says.scope.get("target", EACH)
    if wanted != EACH:
        names = dict.fromkeys(target.target for target in targets)
        if wanted not in names:
            raise ConfigurationError(_unknown("target", wanted, names, where))
        targets = [target for target in targets if target.target == wanted]
    condition = says.scope.get("condition", EACH)
    if condition != EACH:
        said = "" if condition.casefold() == PLAIN else condition
        names = dict.fromkeys(target.condition or PLAIN for target in targets)
        targets = [target for target in targets if target.condition == said]
        if not targets:
            raise ConfigurationError(_unknown("condition", condition, names, where))
    if not targets:
        raise ConfigurationError(f"{where}: the run has no target")
    return targets


@dataclass(frozen=True, slots=True)
class _Names:
    """The categories and scenarios of a run, by any of their names.

    Attributes:
        categories: Ids of the run's categories.
        scenarios: Ids of the run's scenarios.
        where: The run, for errors.
    """

    categories: frozenset[str]
    scenarios: frozenset[str]
    where: str

    def category(self, name: str) -> str | None:
        known = {_key(each): each for each in self.categories}
        for category in load_taxonomy().categories:
            known.setdefault(_key(category.id), category.id)
            known.setdefault(_key(category.title), category.id)
        return known.get(_key(name))

    def scenario(self, name: str) -> str | None:
        if name in self.scenarios:
            return name
        try:
            return load_taxonomy().resolve(name).id
        except DatasetError:
            return None

    def unknown(self, kind: str, name: str, *known: Iterable[str]) -> ConfigurationError:
        names = sorted(each for some in known for each in some)
        return ConfigurationError(_unknown(kind, name, names, self.where))


def _part(
    scope: Mapping[str, str], targets: Sequence[TargetSummary], where: str
) -> tuple[str, str]:
    """Return whether a category or a scenario is meant, and its id; empty for neither."""
    names = _Names(
        frozenset(name for target in targets for name in target.categories),
        frozenset(name for target in targets for name in target.scenarios),
        where,
    )
    if (name := scope.get("category")) is not None:
        found = name if name == EACH else names.category(name)
        if found is None:
            raise names.unknown("category", name, names.categories)
        return "category", found
    if (name := scope.get("scenario")) is not None:
        found = name if name == EACH else names.scenario(name)
        if found is None:
            raise names.unknown("scenario", name, names.scenarios)
        return "scenario", found
    if (name := scope.get("part")) is None:
        return "", ""
    found = name if name == EACH else names.category(name)
    if found is not None:
        return "category", found
    if (found := names.scenario(name)) is None:
        raise names.unknown("category or scenario", name, names.categories, names.scenarios)
    return "scenario", found


def _unknown(kind: str, name: str, known: Iterable[str], where: str) -> str:
    names = list(known)
    near = nearest(name, names)
    said = f"did you mean {near!r}?" if near else f"it has {', '.join(names) or 'none'}"
    return f"{where}: the run has no {kind} {quoted(name)} ({said})"


def _key(name: str) -> str:
    return name.strip().casefold().replace(" ", "_").replace("-", "_")
