"""Fits models of a jury to its votes, and never scores them on the cases they were fitted on."""

from ._calibrated import Training, apply_model, fit_calibrated, uses_ratings
from ._cross_validation import (
    CrossValidated,
    Labeled,
    best_juror,
    cross_validate,
    learning_curve,
)
from ._dawid_skene import (
    DawidSkene,
    dawid_skene_model,
    fit_dawid_skene,
    latent_findings,
    vote_shares,
)
from ._design import Design
from ._folds import folds_by_group
from ._logistic import fit_logistic

__all__ = [
    "CrossValidated",
    "DawidSkene",
    "Design",
    "Labeled",
    "Training",
    "apply_model",
    "best_juror",
    "cross_validate",
    "dawid_skene_model",
    "fit_calibrated",
    "fit_dawid_skene",
    "fit_logistic",
    "folds_by_group",
    "latent_findings",
    "learning_curve",
    "uses_ratings",
    "vote_shares",
]
