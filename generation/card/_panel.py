"""Computes the panel's scores and agreement, and which replies are missing."""

from collections import Counter
from collections.abc import Mapping

from ...common import Coincidences
from ..items import Candidate, Score
from ..pipeline import CANDIDATES, QUERIES, StageContext
from ._items import Agreement, Funnel, JudgeFigures, MissingReplies

_ASKED = "asked_scores."
_DIALOGUE = ("generator_{}", "judge_{}", "{}_items")
_REPLIES = {
    "taxonomy": ("propose_{}", "merge_{}", "score_{}", "group_{}", "write_{}"),
    "queries": _DIALOGUE,
    "twins": _DIALOGUE,
    "pictures": ("description_{}", "view_{}", "drawing_{}"),
    "speech": ("{}",),
}
"""Names of the counts of replies, by stage; a reason stands in the braces."""
_AXES = ("feasibility", "harmfulness", "applicability")


class _AgreementCounter:
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
        context: Whose candidates are read, one at a time; without a list of them, the kept
            queries stand for all.
    """

    def __init__(self, context: StageContext) -> None:
        self._settings = context.settings.queries
        self._wanted = self._settings.per_scenario * len(context.scenario_ids())
        self._states = Counter[str]()
        self._revised = 0
        proposed, kept = _AgreementCounter(), _AgreementCounter()
        name = CANDIDATES if context.folder.exists(CANDIDATES) else QUERIES
        for one in context.folder.read(name, Candidate):
            self._states[one.state] += 1
            self._revised += bool(one.origin.parents)  # a proposal is made from no other
            proposed.add(one.scores)
            if one.state == "kept":
                kept.add(one.scores)
        self.agreement_proposed = proposed.agreement()
        self.agreement_kept = kept.agreement()

    def funnel(self) -> Funnel:
        """Return how many proposals were dropped at each step."""
        kept = self._states["kept"]
        proposed = self._states.total() - self._revised
        return Funnel(
            self._wanted,
            proposed,
            self._revised,
            self._states["duplicate"],
            self._states["unscored"],
            self._states["passed_over"],
            kept,
            proposed / kept if kept else None,
            self._settings.over_generate,
        )


def missing_replies(counts: Mapping[str, Mapping[str, int]]) -> dict[str, MissingReplies]:
    """Return the number of replies without usable content, by stage and reason."""
    return {
        stage: MissingReplies(
            *(
                sum(named.get(name.format(reason), 0) for name in _REPLIES.get(stage, ()))
                for reason in MissingReplies.__struct_fields__
            )
        )
        for stage, named in counts.items()
    }


def judges(counts: Mapping[str, Mapping[str, int]]) -> list[JudgeFigures]:
    """Return what each judge was asked to score in each stage, and what it gave."""
    return [
        _judge(stage, name.removeprefix(_ASKED), named)
        for stage, named in counts.items()
        for name in named
        if name.startswith(_ASKED)
    ]


def _judge(stage: str, judge: str, named: Mapping[str, int]) -> JudgeFigures:
    asked = named[f"{_ASKED}{judge}"]
    reasons = ("refused", "filtered", "unparsed", "left_out", "failed")
    missing = [named.get(f"{reason}_scores.{judge}", 0) for reason in reasons]
    return JudgeFigures(stage, judge, asked, asked - sum(missing), *missing)
