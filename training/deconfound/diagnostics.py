"""What speaks against a reward: each diagnostic is one function of residuals and one finding in plain words.

A diagnostic that tests does so at half a percent, so that all of them together seldom cry in vain. What no log can show is
said as an assumption: a cause of text and outcome that is not measured leaves no trace in observational rows. It shows
where an experiment was run, and its strength can be bounded (`sensitivity`).

References
----------
Chernozhukov et al. (2018), Econometrics J. 21. Hausman (1978), Econometrica 46. White (1980), Econometrica 48.
"""

import numpy as np

from leucippus.training.deconfound.curved import Curvature
from leucippus.training.deconfound.experiment import Agreement, agreement
from leucippus.training.deconfound.features import Features
from leucippus.training.deconfound.findings import Finding
from leucippus.training.deconfound.instrument import Bearing
from leucippus.training.deconfound.interacted import Additivity
from leucippus.training.deconfound.linear import Slopes, least_squares
from leucippus.training.deconfound.logs import Floats, Ints, Logs, tally
from leucippus.training.deconfound.nuisance import Residuals, cross_fitted, residuals, text_means
from leucippus.training.deconfound.reward_model import reward_sums
from leucippus.training.deconfound.ridge import total
from leucippus.training.deconfound.rows import Rows
from leucippus.training.deconfound.sensitivity import sensitivity

LEVEL = 0.005
_LEAK = 0.95
"""Share of the outcome's variance, text taken out, that one confounder explains."""
_NO_OVERLAP = 0.05
"""Share of a confounder's variance that the text leaves, below which its effect is read off next to nothing."""
_WRONG = 0.01
"""Share of the predicted reward's variance that an experiment must contradict: less is the error of any model."""
_MATTERS = 0.05
"""Spread of an effect over texts, for one standard deviation of the confounder, in residual standard deviations."""
_FEWEST_ROWS, _FEWEST_TEXTS, _FEWEST_CLUSTERS = 500, 100, 40
_ENOUGH_WITHIN = 100
"""Repetitions of texts that make for a second opinion on the model of the text."""


def diagnose(
    logs: Logs,
    phi: Features,
    left: Residuals,
    slopes: Slopes,
    r: Floats,
    fold: Ints,
    *,
    bearing: Bearing | None,
    bend: Curvature | None,
    additive: Additivity | None,
    interacted: bool,
    unanswered: Finding | None,
    means: bool,
) -> tuple[Finding, ...]:
    """All that apply, those that fired first.

    Parameters
    ----------
    r : (n,) the reward.
    bearing : of the instrument, or None without one.
    bend : whether a straight line does for the confounders, or None where that was not looked at.
    additive : whether the confounders' effects depend on the text, or None where that was not looked at.
    interacted : whether the reward allows for it.
    means : whether texts had means of their own.
    """
    found = [*_leaks(left), *_overlap(left, slopes), *_few(logs)]
    if bend is not None:
        found.append(_curved(logs, bend, len(slopes.bends) > 0, interacted))
    if additive is not None:
        found.append(_varying(logs, additive, interacted))
    if bearing is not None:
        found += _instrument(logs, bearing)
    if bearing is None and not means and not interacted and left.rows.group is None:
        found += _text_model(left.rows, slopes, fold)
    parts = reward_sums(phi, r, logs.text_of, left.rows.weight, fold)
    whole = total(parts)
    train = [whole - part for part in parts]
    model = cross_fitted(train, parts, phi, fold, slack=0.0)
    told = left.predicted[:, left.rows.c_at]
    found.append(_experiment(agreement(left.rows, r, model, train, phi, told, slopes)))
    if unanswered is not None:
        found.append(unanswered)
    if left.rows.k:
        found.append(sensitivity(left.rows, model.predicted[:, 0]))
    return tuple(sorted(found, key=lambda finding: not finding.fired))


def _leaks(left: Residuals) -> list[Finding]:
    """A confounder that tells the outcome given the text as only a part of the outcome would."""
    rows = left.rows
    y2 = float(rows.weight @ left.column(0) ** 2)
    found = []
    for j, name in enumerate(rows.logs.names):
        c = left.column(rows.c_at[j])
        share = float(rows.weight @ (c * left.column(0))) ** 2 / max(y2 * float(rows.weight @ c**2), 1e-300)
        if share > _LEAK:
            said = f"given the text, {name!r} explains {100 * share:.1f} % of the outcome, as a part of it would. "
            found.append(
                Finding("leak", share, None, True, said + "Make sure that it was known before the text was shown.")
            )
    return found


def _overlap(left: Residuals, slopes: Slopes) -> list[Finding]:
    """How much of each confounder the text leaves."""
    if not len(slopes.left):
        return []
    j = int(slopes.left.argmin())
    share, name = float(slopes.left[j]), left.rows.logs.names[j]
    fired = share < _NO_OVERLAP
    said = (
        f"like texts were shown at different values of every confounder: of {name!r}, of which least is left, "
        f"{100 * share:.0f} % vary among them"
    )
    if fired:
        said = (
            f"the text all but tells {name!r}: {100 * share:.1f} % of it vary among like texts. Its effect is read off "
            "that little; show some texts at random, or do not trust rewards across its levels"
        )
    return [Finding("overlap", share, None, fired, said + ".")]


def _few(logs: Logs) -> list[Finding]:
    """Too few rows, texts or users for what is asymptotic."""
    found = []
    rows, texts = int(logs.observational.sum()), len(np.unique(logs.text_of[logs.observational]))
    if rows < _FEWEST_ROWS or texts < _FEWEST_TEXTS:
        said = f"{rows} observational rows and {texts} texts: intervals may be too short and rewards mostly noise."
        found.append(Finding("few rows", float(rows), None, True, said))
    if logs.user_of is not None:
        users = len(np.unique(logs.user_of[logs.observational]))
        if users < _FEWEST_CLUSTERS:
            said = f"{users} users: standard errors clustered by so few are too small."
            found.append(Finding("few users", float(users), None, True, said))
    return found


def _curved(logs: Logs, bend: Curvature, allowed: bool, interacted: bool) -> Finding:
    said = "confounders move the outcome along straight lines, as far as their squares and products show."
    fired = curves(bend)
    if fired:
        one, other = (repr(logs.names[j]) for j in bend.worst)
        named = one if one == other else f"{one} together with {other}"
        said = f"a straight line does not do for {named}: less one, the confounder still predicts the outcome. "
        if allowed:
            said += "The reward allows for squares and products."
        elif interacted:
            said += "That may be for effects that depend on the text, which the reward allows for; squares it does not."
        else:
            said += "Give it as levels, transform it, or use the method 'curved'."
    return Finding("curved", bend.statistic, bend.p_value, fired, said)


def curves(bend: Curvature) -> bool:
    """Whether a straight line does not do."""
    return bend.p_value < LEVEL


def depends(additive: Additivity) -> bool:
    """Whether effects depend on the text, and by enough to matter."""
    return additive.p_value < LEVEL and additive.spread > _MATTERS


def _varying(logs: Logs, additive: Additivity, interacted: bool) -> Finding:
    fired = depends(additive)
    said = "the confounders do the same to every text, as far as other texts can tell."
    if fired:
        said = (
            f"what {logs.names[additive.worst]!r} does to the outcome depends on the text, so the additive form fails. "
        )
        said += (
            "The reward allows for it, and is that at the average of the confounders."
            if interacted
            else "Use the method 'interacted'."
        )
    return Finding("varying", additive.statistic, additive.p_value, fired, said)


def _instrument(logs: Logs, bearing: Bearing) -> list[Finding]:
    moved, name = logs.spec.confounders[0], logs.spec.instrument
    said = f"{name!r} moves {moved!r} strongly enough: effective F {bearing.f:.1f}, needed {bearing.critical:.1f}."
    if bearing.weak:
        said = (
            f"{name!r} hardly moves {moved!r}: effective F {bearing.f:.1f}, needed {bearing.critical:.1f}. The effect may be "
            f"as biased as without it; whatever its strength, 95 % hold {bearing.interval or 'no interval'}. Bring a "
            "stronger instrument."
        )
    found = [Finding("weak instrument", bearing.f, None, bearing.weak, said)]
    if bearing.j is None or bearing.j_p_value is None:
        said = (
            f"whether {name!r} reaches the outcome by another way than {moved!r} cannot be seen with a single instrument; "
            "an experiment column or an instrument of several levels would test it."
        )
        return [*found, Finding("instrument disagrees", 0.0, None, False, said)]
    fired = bearing.j_p_value < LEVEL
    said = f"the levels of {name!r} agree on the effect of {moved!r}."
    if fired:
        said = (
            f"the levels of {name!r} disagree on the effect of {moved!r}: some reach the outcome by another way. Do not use "
            "it as an instrument."
        )
    return [*found, Finding("instrument disagrees", bearing.j, bearing.j_p_value, fired, said)]


def _text_model(rows: Rows, slopes: Slopes, fold: Ints) -> list[Finding]:
    """Hausman's comparison with texts' own means, where enough texts repeat: they need no model of the text."""
    from scipy.stats import chi2

    count = tally(rows.logs.text_of, rows.weight > 0, len(rows.logs.texts))
    if count.sum() - (count > 0).sum() < _ENOUGH_WITHIN * (1 + rows.k):
        return []
    within = residuals(rows, text_means(rows, fold))
    cross = within.cross()[np.ix_(rows.c_at, rows.c_at)]
    if np.linalg.eigvalsh(cross / np.outer(rows.scale[rows.c_at], rows.scale[rows.c_at])).min() < 1.0:
        return []
    other = least_squares(within, curved=len(slopes.bends) > 0)
    gap = slopes.gamma - other.gamma
    covariance = other.covariance - slopes.covariance
    # Where the difference of covariances is no covariance, that of the noisier estimate is a safe one.
    kept = covariance if np.linalg.eigvalsh(covariance).min() > 0 else other.covariance
    statistic = float(gap @ np.linalg.solve(kept, gap))
    p_value = float(chi2.sf(statistic, rows.k))
    said = "the model of the text and repeated texts, which need none, agree on the confounders' effects."
    if p_value < LEVEL:
        said = (
            "repeated texts, which need no model of the text, contradict the effects of the confounders: the model misses "
            "something in the text that goes with them. Bring better embeddings, or logs in which texts repeat."
        )
    return [Finding("text model", statistic, p_value, p_value < LEVEL, said)]


def _experiment(found: Agreement | None) -> Finding:
    if found is None:
        said = (
            "no rows, or too few, in which the text was drawn at random: that nothing unmeasured moved both text and "
            "outcome is taken on trust. Show some texts at random and name the column with --experiment."
        )
        return Finding("experiment", 0.0, None, False, said)
    fired = found.p_value < LEVEL and found.wrong > _WRONG
    said = (
        f"in {found.rows} rows with texts drawn at random the reward holds: correlation {found.correlation:.2f}, slope "
        f"{found.slope:.2f}."
    )
    if fired:
        said = (
            f"{found.rows} rows with texts drawn at random contradict {100 * found.wrong:.0f} % of the reward's variance "
            f"(slope {found.slope:.2f} in place of 1): something that is not measured moves text and outcome, or the "
            "instrument is not one. Do not train on this reward; learn it from the randomised rows, or measure what is "
            "missing."
        )
    return Finding("experiment", found.statistic, found.p_value, fired, said)


def assumptions(logs: Logs, method: str, *, grouped: bool, means: bool) -> tuple[str, ...]:
    """What has to be true for the reward to be right, in plain words."""
    named = ", ".join(logs.spec.confounders) or "no confounder"
    constant = logs.spec.group or logs.spec.context
    also = f" and the {constant}" if grouped else ""
    said = [
        f"Nothing but {named}{also} moved both the choice of the text and the outcome.",
        "The confounders were fixed before the text was shown.",
    ]
    if method == "two-stage least squares":
        first = logs.spec.confounders[0]
        said[0] = (
            f"What is not measured may have moved {first} and the outcome, but neither {logs.spec.instrument} nor the choice "
            "of the text."
        )
        said.append(f"{logs.spec.instrument} reaches the outcome by way of {first} alone.")
    if method == "interacted":
        said.append("The effect of a confounder depends on the text only as far as its embedding tells.")
    else:
        along = "a parabola" if method == "curved" else "a straight line"
        said.append(f"A confounder adds the same to the outcome of every text, along {along}.")
    if grouped:
        where = "is taken out of the reward" if logs.group_of is not None else "stays in the reward"
        said.append(f"Each {constant} adds a constant to the outcome, which {where}.")
    said.append(
        "Texts that repeat were shown at different values of the confounders; no model of the text is needed."
        if means
        else "Embedding and words tell what in a text goes with the confounders and moves the outcome."
    )
    return tuple(said)
