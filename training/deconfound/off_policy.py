"""What a tuned model would have earned, from the logs alone: a doubly robust estimate, or the plain word that they
cannot tell.

A policy that is valued chooses among the texts that were logged in a context: each as likely as the model finds it next
to the others, or each shown as often as it was, times what tuning did to its likelihood. The former may have little in
common with what was shown; the latter differs from it by no more than tuning changed. What the model writes freely no log
can value: that takes an experiment.

    V̂(π) = 1/N Σ_i [ Σ_a π(a|x_i) μ(x_i, a) + π(a_i|x_i)/ê(a_i|x_i) · (R_i − μ(x_i, a_i)) ]

with R the deconfounded reward, μ the reward model, ê how often a text was shown in its context.

References
----------
Dudík, Langford and Li (2011), Doubly robust policy evaluation and learning, ICML, eq. (2).
Kong (1992), A note on importance sampling using standardized weights: the effective sample size.
"""

from dataclasses import dataclass

import numpy as np

from leucippus.agents.estimators.influence import from_influence
from leucippus.errors import DataError
from leucippus.training.deconfound.arms import Arms, Floats, Ints, arms_of
from leucippus.training.deconfound.logs import Logs
from leucippus.training.deconfound.propensity import shown
from leucippus.training.deconfound.reward import Deconfounded

MANY_CONTEXTS = 40
"""So many are a sample of contexts: they are held out whole, and their rows are not independent. Fewer are fixed."""


@dataclass(frozen=True)
class Support:
    """When weights are even enough for their mean to be believed."""

    least_ess: float = 50.0
    """Effective sample size, in rows."""
    least_clusters: float = 10.0
    """The same, in contexts or users."""
    heaviest: float = 0.1
    """Largest share of all weight on one row."""


@dataclass(frozen=True)
class Estimate:
    """In units of the outcome."""

    value: float
    se: float
    low: float
    high: float
    """95%."""

    def __str__(self) -> str:
        return f"{self.value:+.3f} ({self.low:+.3f} to {self.high:+.3f})"


@dataclass(frozen=True)
class OffPolicy:
    """What the logs say of a policy; without support, no number but those that say why."""

    supported: bool
    said: str
    """In plain words."""
    ess: float
    """(Σ w)² / Σ w²."""
    clusters: float
    """The same over contexts or users; of rows where they are independent."""
    heaviest: float
    rows: int
    texts: int
    """In their contexts: what was chosen among."""
    covered: float
    """Share of the held-out rows that could be used: those of contexts with two texts or more, as many as were scored."""
    value: Estimate | None = None
    logged: Estimate | None = None
    """What was earned on those rows."""
    over_logged: Estimate | None = None
    over_base: Estimate | None = None
    """The tuned policy less the base, chosen in the same way."""


def evaluable(logs: Logs, found: Deconfounded, rows: Ints, most: int, seed: int) -> tuple[Arms, float]:
    """The arms of those rows that can tell policies apart, no more than `most`, and the share of rows they cover.

    Where there are more, contexts are drawn at random; without contexts the texts with the most rows are taken.
    """
    arms = arms_of(logs, found, rows)
    texts = np.bincount(arms.context)
    chosen = texts[arms.context] > 1
    if chosen.sum() > most:
        if logs.contexts is None:
            ranked = np.argsort(-arms.n, kind="stable")
            chosen = np.zeros(len(chosen), dtype=bool)
            chosen[ranked[:most]] = True
        else:
            several = np.random.default_rng(seed).permutation(np.flatnonzero(texts > 1))
            fits = np.cumsum(texts[several]) <= most
            fits[0] = True
            chosen = np.isin(arms.context, several[fits])
    kept = rows[chosen[arms.of_row]]
    return arms_of(logs, found, kept), len(kept) / max(1, len(rows))


def off_policy_value(
    logs: Logs,
    found: Deconfounded,
    arms: Arms,
    log_pi: Floats,
    expected: Floats,
    *,
    log_base: Floats | None = None,
    policy: str = "Choosing among logged texts as the tuned model does",
    covered: float = 1.0,
    given_confounders: bool = False,
    support: Support | None = None,
) -> OffPolicy:
    """Value the policy with likelihoods exp(log_pi), renormalised over the texts of each context.

    Parameters
    ----------
    arms : of rows that neither the policy nor `expected` was learnt from: on its own lessons every policy looks good.
    log_pi, log_base : (q,), log-likelihoods of the arms' texts by the tuned and the base model.
    policy : what it is called.
    expected : (m,), rewards of all texts by the reward model.
    given_confounders : whether a text's chance is estimated given the confounders too. Where they add to the outcome,
        the reward is free of them already; where they change what texts do, it is not.
    """
    support = support or Support()
    if len(arms.n) == 0 or not (np.bincount(arms.context) > 1).any():
        return OffPolicy(
            supported=False,
            said="Not supported by these logs: no context of the rows held out has two texts, so nothing in them tells "
            "one policy from another. Show several texts in a context, and log which.",
            ess=0.0,
            clusters=0.0,
            heaviest=1.0,
            rows=len(arms.rows),
            texts=len(arms.n),
            covered=covered,
        )
    pi = renormalised(arms, log_pi)
    chance, note = shown(logs, arms, given_confounders=given_confounders)
    w = pi[arms.of_row] / chance
    groups = _groups(logs, arms)
    ess, heaviest = _effective(w), float(w.max() / w.sum())
    clusters = ess if groups is None else _effective(np.asarray(np.bincount(groups, weights=w), dtype=np.float64))
    facts = {
        "ess": ess,
        "clusters": clusters,
        "heaviest": heaviest,
        "rows": len(w),
        "texts": len(pi),
        "covered": covered,
    }
    if why := _unsupported(ess, clusters, heaviest, len(w), groups is not None, support):
        return OffPolicy(supported=False, said=f"Not supported by these logs: {why}", **facts)  # type: ignore[arg-type]
    r, c = found.r[arms.rows], logs.c[arms.rows] - logs.c.mean(axis=0)
    psi = _scores(arms, pi, w, r, expected)
    one = np.ones(len(w))

    def estimate(scores: Floats, weights: Floats) -> Estimate:
        return _estimate(scores, (weights[:, None] * c).mean(axis=0), found.gamma_se, groups)

    value, over_base = estimate(psi, w), None
    if log_base is not None:
        base = renormalised(arms, log_base)
        w0 = base[arms.of_row] / chance
        over_base = estimate(psi - _scores(arms, base, w0, r, expected), w - w0)
    over_logged = estimate(psi - r, w - one)
    return OffPolicy(
        supported=True,
        said=f"{policy} would have earned {value} a row, {over_logged} against what was shown; {ess:,.0f} of {len(w):,} rows' "
        f"worth of evidence on {len(pi):,} texts in their contexts. {note}It is no value "
        "of texts that the model writes anew: those take an experiment.",
        value=value,
        logged=estimate(r, one),
        over_logged=over_logged,
        over_base=over_base,
        **facts,  # type: ignore[arg-type]
    )


def tilted(arms: Arms, moved: Floats) -> Floats:
    """log π̃(a|x) + a constant for each context, (q,): what was shown, tilted by what tuning changed.

        π̃(a|x) ∝ ê(a|x) π(a|x) / π₀(a|x)

    Parameters
    ----------
    moved : (q,), log π − log π₀ of the arms' texts.
    """
    return np.asarray(np.log(arms.n) + moved)


def renormalised(arms: Arms, log_pi: Floats) -> Floats:
    """π(a|x), (q,): likelihoods over their sum within each context."""
    top = np.full(int(arms.context.max()) + 1, -np.inf)
    np.maximum.at(top, arms.context, log_pi)
    weight = np.exp(log_pi - top[arms.context])
    return np.asarray(weight / np.bincount(arms.context, weights=weight)[arms.context])


def _scores(arms: Arms, pi: Floats, w: Floats, r: Floats, expected: Floats) -> Floats:
    """What each row adds to V̂, (N,). The reward model is of texts; a context's own level is the mean of what it lacks."""
    mu = expected[arms.text]
    lacking = arms.reward - mu
    rows = np.bincount(arms.context, weights=arms.n)
    level = np.bincount(arms.context, weights=arms.n * lacking) / np.maximum(rows, 1)
    mu = mu + level[arms.context]
    direct = np.bincount(arms.context, weights=pi * mu)
    return np.asarray(direct[arms.context][arms.of_row] + w * (r - mu[arms.of_row]))


def _estimate(scores: Floats, slope: Floats, gamma_se: Floats, groups: Ints | None) -> Estimate:
    """A mean, its error from rows or clusters, and that of γ̂ through the weighted confounders (at its largest)."""
    mean = float(scores.mean())
    try:
        found = from_influence(mean, scores - mean, 1, groups)
    except DataError:
        return Estimate(mean, float("inf"), float("-inf"), float("inf"))
    through = float(np.abs(slope) @ gamma_se)
    se = float(np.hypot(found.se, through))
    low, high = found.interval()
    half = (high - low) / 2 * (se / found.se if found.se > 0 else 1.0)
    return Estimate(mean, se, mean - half, mean + half)


def _groups(logs: Logs, arms: Arms) -> Ints | None:
    """Rows that go together, numbered from 0: those of a user, else of a context where contexts are many."""
    if logs.user_of is not None:
        of = logs.user_of[arms.rows]
    elif logs.contexts is not None and len(logs.contexts) >= MANY_CONTEXTS:
        of = arms.context[arms.of_row]
    else:
        return None
    return np.unique(of, return_inverse=True)[1].ravel().astype(np.int64)


def _effective(w: Floats) -> float:
    return float(w.sum() ** 2 / (w @ w))


def _unsupported(
    ess: float, clusters: float, heaviest: float, rows: int, clustered: bool, support: Support
) -> str | None:
    again = "Log more rows in which texts that the model prefers were shown, or tune less far (a higher beta)."
    if ess < support.least_ess:
        return (
            f"the tuned model prefers texts that were shown so seldom that {rows:,} rows are worth {ess:.0f} "
            f"({support.least_ess:.0f} are needed). {again}"
        )
    if clustered and clusters < support.least_clusters:
        return f"{rows:,} rows are worth {clusters:.0f} contexts or users ({support.least_clusters:.0f} are needed). {again}"
    if heaviest > support.heaviest:
        return f"one row has {heaviest:.0%} of all weight ({support.heaviest:.0%} at most). {again}"
    return None
