"""How likely each logged text was to be shown where it was: its share in its context, given the confounders if need be."""

from itertools import pairwise

import numpy as np

from leucippus.training.deconfound.arms import Arms, Floats
from leucippus.training.deconfound.logs import Logs

_TEXTS, _ROWS_A_TEXT = 20, 10
"""A context with more texts, or fewer rows a text, has no model of its own."""
_LEAST = 0.01
"""Chances by a model are kept from falling below."""


def shown(logs: Logs, arms: Arms, *, given_confounders: bool = False) -> tuple[Floats, str]:
    """ê(a_i|x_i) of each counted row, (N,), and what is to be said of it.

    With confounders, a multinomial logistic regression of the text on C within each context that has the rows for it;
    scaled within each text so that the mean of 1/ê is that of the shares, as weighting needs (Hájek).
    """
    share = arms.n / np.bincount(arms.context, weights=arms.n)[arms.context]
    chance = share[arms.of_row]
    if not given_confounders or logs.c.shape[1] == 0:
        return chance, ""
    modelled = 0
    order = np.argsort(arms.context[arms.of_row], kind="stable")
    contexts = arms.context[arms.of_row][order]
    bounds = np.flatnonzero(np.diff(contexts, prepend=-1, append=-1))
    texts = np.bincount(arms.context)
    for begin, end in pairwise(bounds):
        rows = order[begin:end]
        if 2 <= texts[contexts[begin]] <= _TEXTS and len(rows) >= _ROWS_A_TEXT * texts[contexts[begin]]:
            chance[rows] = _given(logs.c[arms.rows[rows]], arms.of_row[rows])
            modelled += len(rows)
    # Σ 1/ê over the rows of a text in its context is to be the rows of the context.
    inverse = np.bincount(arms.of_row, weights=1 / chance, minlength=len(arms.n))
    chance = chance * (inverse * share / arms.n)[arms.of_row]
    if modelled == len(chance):
        return chance, "Chances of texts are given the confounders. "
    return chance, (
        f"Confounders change what texts do, and chances of texts are given them for {modelled / len(chance):.0%} of rows "
        "only; elsewhere texts are too many for their rows. "
    )


def _given(c: Floats, arm: np.ndarray) -> Floats:
    from sklearn.linear_model import LogisticRegression

    sd = c.std(axis=0)
    x = (c - c.mean(axis=0)) / np.where(sd > 0, sd, 1.0)
    model = LogisticRegression(C=1.0, max_iter=200).fit(x, arm)
    at = np.searchsorted(model.classes_, arm)
    return np.asarray(model.predict_proba(x)[np.arange(len(arm)), at]).clip(min=_LEAST)
