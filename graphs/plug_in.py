"""The plug-in estimate: an estimand computed from the frequencies in discrete data, or from a known joint distribution.

No smoothing: where the formula divides by the frequency of something that never occurs, positivity fails and the error
names that cell. Intervals and models for continuous data are for the estimators of agents/designs.

References
----------
Hernán and Robins (2020), Causal Inference: What If, chapters 2, 3 and 13: standardization and positivity.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import ArrayLike

from leucippus.errors import InputError, PositivityError
from leucippus.graphs.estimand import Estimand, Expression, Fraction, Probability, Product, Sum
from leucippus.graphs.joint import Floats, Joint, Value


@dataclass(frozen=True, eq=False)
class Distribution:
    """A distribution of outcomes."""

    names: tuple[str, ...]
    levels: tuple[tuple[Value, ...], ...]
    probability: Floats
    """One axis an outcome."""

    def mean(self) -> float:
        """The expectation of a single numeric outcome.

        Raises
        ------
        InputError : there are several outcomes, or it is not numeric.
        """
        if len(self.names) != 1 or any(isinstance(level, str) for level in self.levels[0]):
            raise InputError(f"no mean of {', '.join(self.names)}", expected="one outcome, with numbers for values")
        return float(self.probability @ np.asarray(self.levels[0], dtype=np.float64))


def plug_in(
    estimand: Estimand,
    columns: Mapping[str, ArrayLike],
    do: Mapping[str, Value],
    given: Mapping[str, Value] | None = None,
) -> Distribution:
    """The estimand at `do` and `given`, with frequencies for probabilities.

    Parameters
    ----------
    columns : name → values, (rows,) each; those that the estimand does not mention are not looked at.
    do : the value each treatment is set to.
    given : the value of each condition.

    Raises
    ------
    PositivityError : a cell that the estimand divides by is empty; the message names it.
    InputError : a column is missing or unusable, or `do` and `given` do not fit the estimand.
    """
    needed = estimand.expression.free | _bound(estimand.expression) | set(estimand.outcome) | set(do) | set(given or ())
    if missing := sorted(needed.difference(columns)):
        raise InputError(f"no column for {', '.join(missing)}", expected="a column for every variable of the estimand")
    return evaluate(estimand, Joint.of({name: columns[name] for name in columns if name in needed}), do, given)


def evaluate(
    estimand: Estimand, joint: Joint, do: Mapping[str, Value], given: Mapping[str, Value] | None = None
) -> Distribution:
    """The estimand at `do` and `given` under a known joint distribution.

    Variables that the value should not depend on are averaged over the values at which every cell is filled.

    Raises
    ------
    PositivityError : a cell that the estimand divides by is empty; the message names it.
    InputError : `do` and `given` do not fit the estimand.
    """
    fixed = {**do, **(given or {})}
    for names, values, said in ((estimand.do, do, "do"), (estimand.given, given or {}, "given")):
        if set(names) != set(values):
            raise InputError(
                f"{said} has values for {', '.join(values) or 'nothing'}",
                expected=f"one for each of {', '.join(names) or 'nothing'}",
            )
    at = {name: joint.level(name, value) for name, value in fixed.items()}
    table = _at(joint, _table(estimand.expression, joint), at)
    free, outcome = ([joint.names.index(name) for name in names] for names in (estimand.arbitrary, estimand.outcome))
    filled = np.isfinite(table).all(axis=tuple(outcome), keepdims=True)
    weights = np.where(filled, _marginal(joint, free), 0.0)
    if not weights.any():
        _blame(estimand.expression, joint, at)
    table = (np.where(filled, table, 0.0) * weights).sum(axis=tuple(free), keepdims=True) / weights.sum()
    shape = tuple(len(joint.levels[axis]) for axis in outcome)
    # Axes come in the joint's order; outcomes that the formula does not mention are all alike in it.
    whole = np.broadcast_to(table, tuple(n if i in outcome else 1 for i, n in enumerate(joint.probability.shape)))
    order = sorted(range(len(outcome)), key=outcome.__getitem__)
    squeezed = whole.reshape(tuple(shape[i] for i in order)).transpose(np.argsort(order))
    return Distribution(estimand.outcome, tuple(joint.levels[axis] for axis in outcome), squeezed)


def _bound(expression: Expression) -> frozenset[str]:
    match expression:
        case Probability():
            return frozenset()
        case Product(factors):
            return frozenset().union(*map(_bound, factors))
        case Sum(over, body):
            return _bound(body).union(over)
        case Fraction(numerator, denominator):
            return _bound(numerator) | _bound(denominator)


def _table(expression: Expression, joint: Joint) -> Floats:
    """The expression at all values of all variables, an axis each (of length 1 where it does not depend on it).

    NaN where it is undefined: 0 / 0.
    """
    axis = joint.names.index
    match expression:
        case Probability(variables, given):
            below = [axis(name) for name in given]
            return _divide(_marginal(joint, [*map(axis, variables), *below]), _marginal(joint, below))
        case Product(factors):
            whole: Floats = np.ones((1,) * len(joint.names))
            nothing = np.zeros_like(whole, dtype=np.bool_)
            for factor in factors:
                table = _table(factor, joint)
                whole, nothing = whole * table, nothing | (table == 0)
            # What never occurs counts for nothing, however undefined the rest is there.
            return np.where(nothing, 0.0, whole)
        case Sum(over, body):
            table = _table(body, joint)
            repeated = prod(len(joint.levels[axis(name)]) for name in over if table.shape[axis(name)] == 1)
            return np.asarray(table.sum(axis=tuple(map(axis, over)), keepdims=True) * repeated, dtype=np.float64)
        case Fraction(numerator, denominator):
            return _divide(_table(numerator, joint), _table(denominator, joint))


def _marginal(joint: Joint, kept: list[int]) -> Floats:
    gone = tuple(i for i in range(len(joint.names)) if i not in kept)
    return np.asarray(joint.probability.sum(axis=gone, keepdims=True), dtype=np.float64)


def _divide(above: Floats, below: Floats) -> Floats:
    above, below = np.broadcast_arrays(above, below)
    out: Floats = np.full(above.shape, np.nan)
    return np.divide(above, below, out=out, where=below != 0)


def _at(joint: Joint, table: Floats, at: Mapping[str, int]) -> Floats:
    """`table` at one value of some variables; their axes stay, with length 1."""
    for name, level in at.items():
        axis = joint.names.index(name)
        if table.shape[axis] > 1:
            table = table.take([level], axis=axis)
    return table


def _blame(expression: Expression, joint: Joint, at: Mapping[str, int]) -> None:
    """Find the empty cell that makes the expression undefined at `at`, and say so."""
    undefined = np.argwhere(np.isnan(_at(joint, _table(expression, joint), at)))[0]
    # The value of every variable at which to look; those that `at` fixes have an axis of length 1 by now.
    here = {name: int(level) for name, level in zip(joint.names, undefined, strict=True)} | dict(at)
    match expression:
        case Probability(_, given):
            raise _empty(f"no row has {_cell(joint, given, here)}")
        case Product(factors):
            return _blame(next(factor for factor in factors if _undefined(factor, joint, here)), joint, here)
        case Sum(over, body):
            inside = {name: level for name, level in here.items() if name not in over}
            return _blame(body, joint, inside)
        case Fraction(numerator, denominator):
            for part in (numerator, denominator):
                if _undefined(part, joint, here):
                    return _blame(part, joint, here)
            cell = _cell(joint, sorted(denominator.free), here)
            raise _empty(f"the estimand divides by the probability of {cell}, and no row supports it")


def _undefined(expression: Expression, joint: Joint, at: Mapping[str, int]) -> bool:
    return bool(np.isnan(_at(joint, _table(expression, joint), at)).any())


def _cell(joint: Joint, names: Iterable[str], at: Mapping[str, int]) -> str:
    values = ((name, joint.levels[joint.names.index(name)][at[name]]) for name in names)
    return ", ".join(f"{name} = {value!r}" for name, value in values)


def _empty(problem: str) -> PositivityError:
    return PositivityError(
        problem,
        expected="every combination that the estimand divides by to occur in the data",
        next_step="Put values together into coarser ones, or ask about the part of the data where all occur.",
    )
