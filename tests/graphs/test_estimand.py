import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leucippus.graphs.estimand import (
    ONE,
    Estimand,
    Expression,
    Fraction,
    Probability,
    Product,
    Sum,
    fraction,
    product,
    sum_over,
)
from leucippus.graphs.joint import Joint
from leucippus.graphs.plug_in import evaluate


def _p(names: str) -> Probability:
    """`Y|X Z` as P(Y | X, Z)."""
    variables, _, given = names.partition("|")
    return Probability(tuple(variables.split()), tuple(given.split()))


SIMPLER = [
    (product([]), ONE),
    (product([_p("A")]), _p("A")),
    (product([_p("A"), product([_p("B"), _p("C")])]), Product((_p("A"), _p("B"), _p("C")))),
    (sum_over("A", _p("A B|C")), _p("B|C")),
    (sum_over("AB", _p("A B|C")), ONE),
    (sum_over("A", _p("B|A")), Sum(("A",), _p("B|A"))),
    (sum_over("C", product([_p("A|B"), _p("C|A B")])), _p("A|B")),
    (sum_over("ABC", product([_p("A"), _p("B|A"), _p("C|A B")])), ONE),
    (sum_over("M", product([_p("Y|M X"), _p("M|X")])), _p("Y|X")),
    (sum_over("Z", product([_p("Y|X Z"), _p("Z")])), Sum(("Z",), Product((_p("Y|X Z"), _p("Z"))))),
    (sum_over("B", product([_p("A"), _p("C|B")])), Product((_p("A"), Sum(("B",), _p("C|B"))))),
    (sum_over("A", sum_over("B", _p("C|A B"))), Sum(("B", "A"), _p("C|A B"))),
    (sum_over("A", Fraction(_p("A B"), _p("B"))), ONE),
    (fraction(_p("A B|C"), _p("B|C")), _p("A|B C")),
    (fraction(_p("A|C"), _p("A|C")), ONE),
    (fraction(_p("A"), ONE), _p("A")),
    (fraction(product([_p("A"), _p("B|A")]), _p("A")), _p("B|A")),
    (fraction(_p("A|C"), _p("B|C")), Fraction(_p("A|C"), _p("B|C"))),
]


@pytest.mark.parametrize(("made", "simple"), SIMPLER, ids=range(len(SIMPLER)))
def test_expressions_are_made_simple(made: Expression, simple: Expression) -> None:
    assert made == simple


_NAMES = ("A", "B", "C", "D")


@st.composite
def _expressions(draw: st.DrawFn, depth: int = 3) -> tuple[Expression, Expression]:
    """The same expression twice: simplified as it was built, and just as it was drawn."""
    if not depth or draw(st.booleans()):
        order = draw(st.permutations(_NAMES))
        a = draw(st.integers(1, 3))
        leaf = Probability(tuple(order[:a]), tuple(order[a : draw(st.integers(a, 4))]))
        return leaf, leaf
    parts = draw(st.lists(_expressions(depth - 1), min_size=1, max_size=3))
    simple, plain = ([pair[i] for pair in parts] for i in (0, 1))
    match draw(st.sampled_from(["product", "sum", "fraction"])):
        case "product":
            return product(simple), Product(tuple(plain))
        case "sum":
            over = tuple(draw(st.lists(st.sampled_from(_NAMES), min_size=1, max_size=2, unique=True)))
            return sum_over(over, simple[0]), Sum(over, plain[0])
        case _:
            return fraction(simple[0], simple[-1]), Fraction(plain[0], plain[-1])


@settings(max_examples=500, deadline=None)
@given(_expressions(), st.integers(0, 2**32))
def test_simplifying_changes_no_value(pair: tuple[Expression, Expression], seed: int) -> None:
    table = np.random.default_rng(seed).dirichlet(np.ones(24)).reshape(2, 3, 2, 2)
    joint = Joint(_NAMES, ((0, 1), (0, 1, 2), (0, 1), (0, 1)), table)
    do = {name: 1 for name in _NAMES[1:]}
    one, other = (evaluate(Estimand(("A",), _NAMES[1:], (), expression), joint, do).probability for expression in pair)
    np.testing.assert_allclose(one, other, rtol=1e-9)


FRONT_DOOR = Estimand(
    ("Y",), ("X",), (), Sum(("M",), Product((_p("M|X"), Sum(("X",), Product((_p("Y|X M"), _p("X")))))))
)


def test_a_sum_over_a_name_in_use_gets_a_prime() -> None:
    assert FRONT_DOOR.text() == "P(Y | do(X)) = sum_{M} P(M | X) sum_{X'} P(Y | X', M) P(X')"
    assert FRONT_DOOR.latex() == (r"P(Y \mid \mathrm{do}(X)) = \sum_{M} P(M \mid X) \sum_{X'} P(Y \mid X', M) P(X')")
    twice = Sum(("X",), Product((_p("X"), Sum(("X",), _p("Y|X")))))
    assert Estimand(("Y",), ("X",), (), twice).text() == "P(Y | do(X)) = sum_{X'} P(X') sum_{X''} P(Y | X'')"


def test_what_reads_two_ways_is_bracketed() -> None:
    ratio, total = Fraction(_p("Y"), _p("X")), Sum(("Z",), _p("Y|Z"))
    estimand = Estimand(("Y",), (), ("X",), Product((total, ratio, _p("X"))))
    assert estimand.text() == "P(Y | X) = [sum_{Z} P(Y | Z)] ([P(Y)] / [P(X)]) P(X)"
    assert estimand.latex() == r"P(Y \mid X) = \left[\sum_{Z} P(Y \mid Z)\right] \frac{P(Y)}{P(X)} P(X)"
    assert Estimand(("Y",), (), (), ONE).text() == "P(Y) = 1"


def test_names_are_safe_in_latex() -> None:
    names = ("blood_pressure", r"50% \input{x}", "a b")
    assert (
        Estimand((names[0],), (names[1],), (names[2],), _p("Y"))
        .latex()
        .startswith(
            r"P(\mathrm{blood\_pressure} \mid \mathrm{do}(\mathrm{50\%\ \backslash input\{x\}}), \mathrm{a\ b}) ="
        )
    )


def test_variables_that_do_not_matter_are_named() -> None:
    assert Estimand(("Y",), ("X",), (), Product((_p("Y|X Z"), _p("W")))).arbitrary == ("W", "Z")
    assert FRONT_DOOR.arbitrary == ()
