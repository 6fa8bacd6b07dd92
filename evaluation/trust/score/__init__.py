"""Measures findings against labels, and jurors and annotators against each other."""

from ._agreement import annotator_agreement
from ._dependence import dependence
from ._figures import mean_figure, minus, rule_figures, scores_of, share_figure
from ._reliability import reliability
from ._resampling import Resampling
from ._tally import Tally

__all__ = [
    "Resampling",
    "Tally",
    "annotator_agreement",
    "dependence",
    "mean_figure",
    "minus",
    "reliability",
    "rule_figures",
    "scores_of",
    "share_figure",
]
