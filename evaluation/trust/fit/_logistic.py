"""Fits a ridge logistic regression to weighted patterns.

It is that of scikit-learn's `LogisticRegression` with the same `C`, which its test compares with:
Newton's steps on so few columns take a twentieth of the time of one call there, and a card is made
of thousands of fits.
"""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
_MOST_STEPS = 100
_SMALL = 1e-7


def sigmoid(z: FloatArray) -> FloatArray:
    """Return the probabilities of log odds."""
    return 0.5 * (1 + np.tanh(z / 2))


def fit_logistic(
    columns: FloatArray, unsafe: FloatArray, safe: FloatArray, strength: float
) -> tuple[float, FloatArray]:
    """Return the intercept and the weights of the columns.

    Minimizes half the squared weights plus `strength` times the log loss; the intercept is free.

    Args:
        columns: Patterns by columns.
        unsafe: How many unsafe cases have each pattern; may be a fraction.
        safe: How many safe ones.
        strength: scikit-learn's C: the smaller, the more the weights are shrunk.
    """
    n1, n0 = float(unsafe.sum()), float(safe.sum())
    beta = np.zeros(columns.shape[1] + 1)
    beta[0] = np.log((n1 + (n1 == 0) / 2) / (n0 + (n0 == 0) / 2))
    if n1 == 0 or n0 == 0:  # of one class nothing can be told apart
        return float(beta[0]), beta[1:]
    seen = (unsafe + safe) > 0
    x = np.column_stack([np.ones(int(seen.sum())), columns[seen]])
    y1, y0 = unsafe[seen], safe[seen]
    ridge = np.ones(len(beta))
    ridge[0] = 0.0

    def loss(at: FloatArray) -> float:
        z = x @ at
        return float(
            0.5 * (ridge * at * at).sum()
            + strength * (y1 @ np.logaddexp(0, -z) + y0 @ np.logaddexp(0, z))
        )

    now = loss(beta)
    for _ in range(_MOST_STEPS):
        p = sigmoid(x @ beta)
        slope = ridge * beta + strength * (x.T @ ((y1 + y0) * p - y1))
        curve = strength * ((x * ((y1 + y0) * p * (1 - p))[:, None]).T @ x)
        curve[np.diag_indices_from(curve)] += ridge + 1e-12
        step = np.linalg.solve(curve, slope)
        share = 1.0
        while (then := loss(beta - share * step)) > now + _SMALL and share > _SMALL:
            share /= 2
        beta, now = beta - share * step, then
        if np.abs(step).max() < _SMALL:
            break
    return float(beta[0]), beta[1:]
