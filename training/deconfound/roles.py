"""Columns that must not be confounders: caused by the outcome or the text, a copy of the outcome, or without variation.

A confounder is known before the text is shown. What came later is not taken by accident: its name or its time gives it
away, or how well it tells the outcome. Names are read as words, so `prior_clicks` is known before and `clicks` is not.

References
----------
Rosenbaum (1984), JRSS A 147: what adjusting for a variable that the treatment has affected does.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from leucippus.errors import InputError
from leucippus.training.deconfound.logs import Floats, LogSpec

_AFTER = frozenset(
    """click clicks clicked ctr clickthrough conversion conversions converted purchase purchases purchased bought
    checkout revenue revenues response responses responded reply replies replied rating ratings rated stars
    scored like likes liked dislike dislikes upvote upvotes downvote downvotes vote votes voted shares shared comment
    comments commented dwell duration bounce bounced bounces engagement engaged opens opened unsubscribe unsubscribed
    unsubscribes churn churned retention retained refund refunds refunded returned feedback satisfaction satisfied csat nps
    resolved resolution outcome outcomes result results reaction reactions accepted rejected watched watchtime completed
    completion signup signups subscribed renewed cancelled canceled complaint complaints order_value basket""".split()
)
"""What people do once they have seen a text, as the names of columns have it."""
_BEFORE = frozenset(
    """prior previous previously past before pre last historic historical history baseline lag lagged lag1 lag2 initial
    earlier expected predicted forecast estimated planned target base average avg mean typical usual lifetime""".split()
)
"""Words that put such a name before the text; `avg_rating` of an author is taken to be what was known."""
_LATER = frozenset("after following subsequent subsequently next final later eventual future downstream".split())
_POST = frozenset("treatment exposure test send sending launch campaign show display".split())
"""What `post` means after; a post is also a text."""
_TELLS_ALL = 0.98
"""Share of the outcome's variance. No audience or price tells so much; a copy or a part of the outcome does."""
_BINS = 50
_LOOKED_AT = 200_000
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


@dataclass(frozen=True)
class Doubt:
    """Why a column should not be a confounder."""

    column: str
    why: str


def words_of(name: str) -> tuple[str, ...]:
    """Words of a column's name in small letters: `clicksAfter_24h` is clicks, after, 24, h."""
    return tuple(word.lower() for word in _WORD.findall(name))


def doubtful_names(spec: LogSpec) -> tuple[Doubt, ...]:
    """Confounders that by their names came after the text was shown, but those that the user allows."""
    found = []
    for column in spec.confounders:
        if column in spec.allow:
            continue
        in_order = words_of(column)
        words = set(in_order)
        later = words & _LATER | {f"post {b}" for a, b in pairwise(in_order) if a == "post" and b in _POST}
        if later:
            found.append(Doubt(column, f"its name says that it is of later: {', '.join(sorted(later))}"))
        elif words & _AFTER and not words & _BEFORE:
            found.append(Doubt(column, f"{', '.join(sorted(words & _AFTER))}: people do that after they saw the text"))
    return tuple(found)


def refuse(doubts: Sequence[Doubt], spec: LogSpec) -> None:
    """Stop where a column may have been caused by the text or the outcome.

    Raises
    ------
    InputError : there are such doubts; the message says which columns and how to take them all the same.
    """
    if not doubts:
        return
    listed = "; ".join(f"{doubt.column!r} ({doubt.why})" for doubt in doubts)
    raise InputError(
        f"not usable as confounders: {listed}",
        expected=f"columns known before {spec.text!r} was shown. To take out what the text has caused takes out a part "
        "of what the text is worth",
        next_step="Leave them out; or, if you know that they were fixed before, allow them by name.",
    )


def explained(y: Floats, c: Floats) -> float:
    """Share of the variance of y (n,) that the levels of c (n,), or its quantiles, tell; or rows next to each other in c.

    The former is R², corrected for the number of levels; the latter one less von Neumann's ratio of squared successive
    differences to variance, which no bins blur.
    """
    if len(y) > _LOOKED_AT:
        some = np.random.default_rng(0).choice(len(y), _LOOKED_AT, replace=False)
        y, c = y[some], c[some]
    levels, code = np.unique(c, return_inverse=True)
    if len(levels) > _BINS:
        # Ranks, so that no distribution of the column makes empty bins.
        code = np.argsort(np.argsort(c, kind="stable"), kind="stable") * _BINS // len(c)
    count = np.bincount(code)
    mean = np.bincount(code, weights=y) / np.maximum(count, 1)
    within, whole = float(((y - mean[code]) ** 2).sum()), float(((y - y.mean()) ** 2).sum())
    free = len(y) - int((count > 0).sum())
    if whole <= 0 or free < 1:
        return 0.0
    rank = np.unique(y, return_inverse=True)[1].astype(np.float64)  # of ranks, so that no outlier hides the rest
    steps = np.diff(rank[np.argsort(c, kind="stable")])
    smooth = 1 - float((steps**2).sum()) / 2 / float(((rank - rank.mean()) ** 2).sum())
    return max(1 - within / free * (len(y) - 1) / whole, smooth)


def telling(y: Floats, c: Floats, names: Sequence[str], spec: LogSpec) -> tuple[Doubt, ...]:
    """Confounders, columns of c (n, k), that are a function of the outcome or all but determine it.

    Both ways are looked at: a column that sorts rows by their outcome, and an outcome that gives the column away.
    """
    found = []
    for j, name in enumerate(names):
        if name.partition("=")[0] in spec.allow:
            continue
        column = np.asarray(c[:, j])
        share = max(explained(y, column), explained(column, y))
        if share >= _TELLS_ALL:
            found.append(
                Doubt(name, f"with the outcome it shares {100 * share:.1f} % of the variance, as a copy would")
            )
    return tuple(found)
