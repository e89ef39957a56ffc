"""Formulas of observed probabilities: what an effect is equal to, to be read by people and computed by plug_in.py.

An expression stands for a function of its free variables' values. `Sum` binds: inside a sum over x, x stands for all
its values, also where the whole formula is about one value of x; printed, it becomes x'.

The lower-case functions build expressions and simplify as they go, by probability calculus alone; the classes do not.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

Names = tuple[str, ...]


@dataclass(frozen=True)
class Probability:
    """P(variables | given)."""

    variables: Names
    given: Names = ()

    @cached_property
    def free(self) -> frozenset[str]:
        """The variables whose values the expression depends on."""
        return frozenset(self.variables + self.given)


@dataclass(frozen=True)
class Product:
    """The product of `factors`; 1 if there are none."""

    factors: tuple["Expression", ...] = ()

    @cached_property
    def free(self) -> frozenset[str]:
        """The variables whose values the expression depends on."""
        return frozenset().union(*(factor.free for factor in self.factors))


@dataclass(frozen=True)
class Sum:
    """The sum of `body` over all values of `over`."""

    over: Names
    body: "Expression"

    @cached_property
    def free(self) -> frozenset[str]:
        """The variables whose values the expression depends on."""
        return self.body.free.difference(self.over)


@dataclass(frozen=True)
class Fraction:
    """`numerator` / `denominator`."""

    numerator: "Expression"
    denominator: "Expression"

    @cached_property
    def free(self) -> frozenset[str]:
        """The variables whose values the expression depends on."""
        return self.numerator.free | self.denominator.free


Expression = Probability | Product | Sum | Fraction
ONE = Product()


@dataclass(frozen=True)
class Estimand:
    """P(outcome | do(do), given) = expression."""

    outcome: Names
    do: Names
    given: Names
    expression: Expression

    @cached_property
    def arbitrary(self) -> Names:
        """Variables the expression mentions and its value does not depend on: any value of theirs will do."""
        return tuple(sorted(self.expression.free.difference(self.outcome, self.do, self.given)))

    def text(self) -> str:
        """As `P(Y | do(X)) = sum_{Z} P(Y | X, Z) P(Z)`."""
        return self._equation(_Printer(latex=False))

    def latex(self) -> str:
        """The same for a paper, without dollar signs."""
        return self._equation(_Printer(latex=True))

    def _equation(self, printer: "_Printer") -> str:
        # The query's names are taken: a sum over one of them gets a prime.
        shown = {name: printer.name(name) for name in (*self.outcome, *self.do, *self.given, *self.arbitrary)}
        do = ", ".join(shown[name] for name in self.do)
        known = [f"{printer.do}({do})"] * bool(do) + [shown[name] for name in self.given]
        query = ", ".join(shown[name] for name in self.outcome) + (printer.bar if known else "") + ", ".join(known)
        return f"P({query}) = {printer.show(self.expression, shown)}"


def product(factors: Iterable[Expression]) -> Expression:
    """The product, flat, without ones."""
    flat: list[Expression] = []
    for factor in factors:
        flat.extend(factor.factors if isinstance(factor, Product) else (factor,))
    return flat[0] if len(flat) == 1 else Product(tuple(flat))


def sum_over(over: Sequence[str], body: Expression) -> Expression:
    """The sum of `body` over `over`, with what sums to 1 left out and each sum moved next to what it is about."""
    bound = tuple(over)
    while bound:
        for name in bound:
            if (less := _sum_out(name, body)) is not None:
                body, bound = less, tuple(other for other in bound if other != name)
                break
        else:
            return Sum(bound, body)
    return body


def fraction(numerator: Expression, denominator: Expression) -> Expression:
    """The quotient, with common factors cancelled and P(a, b | c) / P(b | c) made P(a | b, c)."""
    above, below = Counter(_factors(numerator)), Counter(_factors(denominator))
    top, bottom = (product((side - other).elements()) for side, other in ((above, below), (below, above)))
    if bottom == ONE:
        return top
    if isinstance(top, Probability) and isinstance(bottom, Probability) and top.given == bottom.given:
        rest = tuple(name for name in top.variables if name not in bottom.variables)
        if len(rest) + len(bottom.variables) == len(top.variables):
            return Probability(rest, bottom.variables + top.given)
    return Fraction(top, bottom)


def _factors(expression: Expression) -> tuple[Expression, ...]:
    return expression.factors if isinstance(expression, Product) else (expression,)


def _sum_out(name: str, body: Expression) -> Expression | None:
    """The sum of `body` over one variable without a sum sign in front, or None where it needs one."""
    match body:
        case Probability(variables, given) if name in variables:
            rest = tuple(other for other in variables if other != name)
            return Probability(rest, given) if rest else ONE
        case Sum(over, inner) if name not in over:
            # Only where it disappears: otherwise it goes with the others under one sign.
            less = _sum_out(name, inner)
            return Sum((*over, name), inner) if less is None else sum_over(over, less)
        case Product(factors):
            about = [i for i, factor in enumerate(factors) if name in factor.free]
            if len(about) == 1:
                i = about[0]
                return product([*factors[:i], sum_over((name,), factors[i]), *factors[i + 1 :]])
            if len(about) == 2 and (joined := _chained(factors[about[0]], factors[about[1]])) is not None:
                others = [factor for i, factor in enumerate(factors) if i not in about]
                return product([sum_over((name,), joined), *others])
        case Fraction(numerator, denominator) if name not in denominator.free:
            return fraction(sum_over((name,), numerator), denominator)
    return None


def _chained(one: Expression, other: Expression) -> Probability | None:
    """P(a | b, c) P(b | c) as P(a, b | c), in either order; None if they are not such a pair."""
    for first, then in ((one, other), (other, one)):
        if isinstance(first, Probability) and isinstance(then, Probability) and set(first.given) == then.free:
            return Probability(first.variables + then.variables, then.given)
    return None


@dataclass(frozen=True)
class _Printer:
    latex: bool

    @property
    def bar(self) -> str:
        """What stands between variables and conditions."""
        return r" \mid " if self.latex else " | "

    @property
    def do(self) -> str:
        """The operator's name."""
        return r"\mathrm{do}" if self.latex else "do"

    def show(self, expression: Expression, shown: Mapping[str, str]) -> str:
        """The expression, with `shown` the printed form of each variable in scope."""
        match expression:
            case Probability(variables, given):
                left, right = (", ".join(shown[name] for name in names) for names in (variables, given))
                return f"P({left}{self.bar}{right})" if given else f"P({left})"
            case Product(factors):
                # A sum reaches as far as it can, so all but the last need brackets.
                return (
                    " ".join(self._factor(factor, shown, i + 1 == len(factors)) for i, factor in enumerate(factors))
                    or "1"
                )
            case Sum(over, body):
                fresh = {name: shown[name] + "'" if name in shown else self.name(name) for name in over}
                sign = (
                    rf"\sum_{{{', '.join(fresh.values())}}}" if self.latex else f"sum_{{{', '.join(fresh.values())}}}"
                )
                return f"{sign} {self.show(body, {**shown, **fresh})}"
            case Fraction(numerator, denominator):
                above, below = self.show(numerator, shown), self.show(denominator, shown)
                return rf"\frac{{{above}}}{{{below}}}" if self.latex else f"[{above}] / [{below}]"

    def _factor(self, factor: Expression, shown: Mapping[str, str], last: bool) -> str:
        written = self.show(factor, shown)
        if isinstance(factor, Sum) and not last:
            return rf"\left[{written}\right]" if self.latex else f"[{written}]"
        return f"({written})" if isinstance(factor, Fraction) and not self.latex else written

    def name(self, name: str) -> str:
        """A variable without a prime."""
        return _latex_name(name) if self.latex else name


_LATEX = {"\\": r"\backslash ", "~": r"\sim ", "^": r"\hat{} ", " ": r"\ "} | {mark: "\\" + mark for mark in "_%$#&{}"}


def _latex_name(name: str) -> str:
    escaped = re.sub(r"[\\~^ _%$#&{}]", lambda found: _LATEX[found[0]], name)
    return escaped if len(name) == 1 else rf"\mathrm{{{escaped}}}"
