"""Rows whose outcome is not known: whether they are like the others, and weights that make up for how they differ.

P(known | X, C) is a logistic regression on the leading directions of the embeddings and on the confounders. Whether rows
are missing because of the outcome itself cannot be seen in any log.

References
----------
Little and Rubin (2019), Statistical Analysis with Missing Data, chapters 1 and 3. Horvitz and Thompson (1952), JASA 47.
"""

import numpy as np

from leucippus.agents.estimators.normal_equations import expit, gram, logistic, predict
from leucippus.training.deconfound.features import Features
from leucippus.training.deconfound.findings import Finding
from leucippus.training.deconfound.logs import Floats, Ints, Logs
from leucippus.training.deconfound.ridge import blocks_of

_DIRECTIONS = 12
_LOOKED_AT = 100_000
_PENALTY = 1.0
_LEVEL = 0.01
_FEW = 0.01
"""Share of rows without an outcome that can move nothing."""
_LARGEST = 20.0
"""Weight of a row, times the mean."""


def answer_weights(logs: Logs, phi: Features, seed: int) -> tuple[Floats | None, Finding | None]:
    """Weights (n,) of mean 1, one over the chance that a row's outcome is known, and what the model of it found.

    Both are None where no row lacks its outcome.
    """
    from scipy.stats import chi2

    lost = logs.unanswered
    if lost is None or not len(lost.text_of):
        return None, None
    text = np.concatenate([logs.text_of, lost.text_of])
    known = np.concatenate([np.ones(logs.n), np.zeros(len(lost.text_of))])
    some = np.arange(len(text))
    if len(text) > _LOOKED_AT:
        some = np.sort(np.random.default_rng(seed).choice(len(text), _LOOKED_AT, replace=False))
    directions = leading(phi, text)
    mean, spread = logs.c.mean(axis=0), logs.c.std(axis=0)

    def basis(c: Floats, of: Ints) -> Floats:
        return np.column_stack([(c - mean) / np.where(spread > 0, spread, 1.0), directions[of]])

    c = np.concatenate([logs.c[some[some < logs.n]], lost.c[some[some >= logs.n] - logs.n]])
    x, d = basis(c, text[some]), known[some]
    coefficients = logistic(x, d, _PENALTY)
    e = expit(predict(x, coefficients))
    # Wald's test that nothing tells which outcomes are known.
    information = gram(x, e * (1 - e))
    covariance = np.linalg.pinv(information, hermitian=True)[1:, 1:]
    slopes = coefficients[1:]
    statistic = float(slopes @ np.linalg.pinv(covariance, hermitian=True) @ slopes)
    p_value = float(chi2.sf(statistic, len(slopes)))
    share = len(lost.text_of) / len(text)
    fired = share > _FEW and p_value < _LEVEL
    weights = np.empty(logs.n)
    for start in range(0, logs.n, _LOOKED_AT):
        piece = slice(start, start + _LOOKED_AT)
        weights[piece] = 1 / expit(predict(basis(logs.c[piece], logs.text_of[piece]), coefficients)).clip(min=1e-3)
    weights = np.minimum(weights / weights.mean(), _LARGEST)
    said = f"{100 * share:.1f} % of the rows have no outcome"
    said += (
        ", and text and confounders tell which: those that have one are not like the rest. Ask for weights (reweigh), "
        "which make up for what is seen."
        if fired
        else "; text and confounders do not tell which."
    )
    said += " Whether the outcome itself decided it, no log can show."
    return weights / weights.mean(), Finding("outcome missing", statistic, p_value, fired, said)


def leading(phi: Features, text: Ints, most: int = _DIRECTIONS) -> Floats:
    """(m, q) the texts along the leading directions of the features of rows, each of variance 1."""
    count = np.bincount(text, minlength=len(phi)).astype(np.float64)
    total, inner = np.zeros(phi.width), np.zeros((phi.width, phi.width))
    for at in blocks_of(np.flatnonzero(count)):
        part = phi.block(at)
        total += count[at] @ part
        inner += (part * count[at, None].astype(np.float32)).T @ part
    mean = total / count.sum()
    values, vectors = np.linalg.eigh(inner / count.sum() - np.outer(mean, mean))
    kept = [i for i in np.argsort(-values)[:most] if values[i] > 1e-6 * values[-1]]
    turned = vectors[:, kept] / np.sqrt(values[kept])
    found = np.empty((len(phi), len(kept)))
    for at in blocks_of(np.arange(len(phi))):
        found[at] = (phi.block(at) - mean) @ turned
    return found
