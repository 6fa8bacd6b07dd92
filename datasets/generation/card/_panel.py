"""What the panel thought of all that was proposed, and how far it agrees."""

from collections import Counter
from collections.abc import Mapping

from ..._agreement import Coincidences
from .._folder import CANDIDATES, QUERIES
from .._items import Candidate, Score
from .._workshop import Workshop
from ._items import Agreement, Funnel, Silences

_AXES = ("feasibility", "harmfulness", "applicability")


class _Agreeing:
    def __init__(self) -> None:
        self._rated = 0
        self._axes = {axis: Coincidences() for axis in _AXES}

    def add(self, scores: tuple[Score, ...]) -> None:
        if len(scores) < 2:
            return
        self._rated += 1
        for axis, coincidences in self._axes.items():
            coincidences.add(Counter[int](getattr(score, axis) for score in scores))

    def agreement(self) -> Agreement:
        alphas = (coincidences.alpha("ordinal") for coincidences in self._axes.values())
        return Agreement(self._rated, *alphas)


class PanelFigures:
    """The funnel from proposals to queries, and the panel's agreement on both.

    Args:
        workshop: Whose candidates are read, one at a time; without a list of them, the kept
            queries stand for all.
    """

    def __init__(self, workshop: Workshop) -> None:
        self._settings = workshop.settings.queries
        self._wanted = self._settings.per_scenario * len(workshop.scenario_ids())
        self._states = Counter[str]()
        proposed, kept = _Agreeing(), _Agreeing()
        name = CANDIDATES if workshop.folder.exists(CANDIDATES) else QUERIES
        for one in workshop.folder.read(name, Candidate):
            self._states[one.state] += 1
            proposed.add(one.scores)
            if one.state == "kept":
                kept.add(one.scores)
        self.agreement_proposed = proposed.agreement()
        self.agreement_kept = kept.agreement()

    def funnel(self) -> Funnel:
        """Return what became of the proposals."""
        proposed, kept = self._states.total(), self._states["kept"]
        return Funnel(
            self._wanted,
            proposed,
            self._states["duplicate"],
            self._states["unscored"],
            self._states["passed_over"],
            kept,
            proposed / kept if kept else None,
            self._settings.over_generate,
        )


def silences(counts: Mapping[str, Mapping[str, int]]) -> dict[str, Silences]:
    """Return by stage how often models said nothing that could be used.

    A count belongs to a reason if its name ends with it or, as `refused_items`, opens with
    it; those of single judges, after a full stop, are in the others already.
    """
    return {
        stage: Silences(*(_sum_of(reason, named) for reason in Silences.__struct_fields__))
        for stage, named in counts.items()
    }


def _sum_of(reason: str, named: Mapping[str, int]) -> int:
    return sum(
        count
        for name, count in named.items()
        if "." not in name and (name.endswith(reason) or name == f"{reason}_items")
    )
