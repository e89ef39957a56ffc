"""Can an effect be computed from what is observed, and by which formula? Sound and complete, for any causal graph.

`identify` is ID for P(y | do(x)) and IDC for P(y | do(x), z). A graph that does not identify the effect is an answer
with its proof and what would help (remedies.py), not an exception.

References
----------
Shpitser and Pearl (2006), Identification of joint interventional distributions in recursive semi-Markovian causal
models, AAAI: ID, figure 3. Its line numbers stand in the comments.
Shpitser and Pearl (2006), Identification of conditional interventional distributions, UAI: IDC.
Tian and Pearl (2002), On the identification of causal effects, UCLA R-290: the factors of a district.
"""

from dataclasses import dataclass, replace

from leucippus.errors import GraphError
from leucippus.graphs.dag import Graph, Nodes
from leucippus.graphs.estimand import Estimand, Expression, Probability, fraction, product, sum_over
from leucippus.graphs.hedge import Hedge, hedge_within
from leucippus.graphs.separation import apart, d_separated

Set = frozenset[str]


@dataclass(frozen=True)
class Identified:
    """The effect equals `estimand` in every model of the graph."""

    estimand: Estimand


@dataclass(frozen=True)
class NotIdentified:
    """Two models of the graph agree on all that is observed and differ in this effect."""

    outcome: tuple[str, ...]
    do: tuple[str, ...]
    given: tuple[str, ...]
    hedge: Hedge
    """Why. For a conditional effect it is a hedge for the joint one that the effect cannot do without."""


def identify(graph: Graph, x: Nodes, y: Nodes, given: Nodes = ()) -> Identified | NotIdentified:
    """P(y | do(x), given) as a formula of the observed distribution, or why there is none.

    Parameters
    ----------
    x : what is set; may be empty.
    y : what is asked about.
    given : what is observed besides, after `x` is set.

    Raises
    ------
    GraphError : `y` is empty, a node is unknown, or in two of the three sets.
    """
    treatments, outcomes, known = apart(graph, x, y, given)
    if not outcomes:
        raise GraphError("no outcome was named", expected="at least one node to ask about")
    query = graph.ordered(outcomes), graph.ordered(treatments), graph.ordered(known)
    done = _idc(outcomes, treatments, known, graph)
    return NotIdentified(*query, done) if isinstance(done, Hedge) else Identified(Estimand(*query, done))


def _idc(y: Set, x: Set, z: Set, g: Graph) -> Expression | Hedge:
    """IDC: P(y | do(x), z)."""
    # line 1: seeing z is as good as setting it (rule 2 of do-calculus)
    for node in g.ordered(z):
        cut = g.without_incoming(x).without_outgoing(node)
        if d_separated(cut, y, node, x | (z - {node})):
            return _idc(y, x | {node}, z - {node}, g)
    # line 2
    joint = _id(y | z, x, Probability(g.nodes), g)
    if isinstance(joint, Hedge):
        # ID met it in a smaller question; it is a hedge for this one as it stands.
        return replace(joint, x=g.ordered(x), y=g.ordered(y | z))
    if not z:
        return joint
    return fraction(joint, sum_over(g.ordered(y), joint))


def _id(y: Set, x: Set, p: Expression, g: Graph) -> Expression | Hedge:
    """ID of figure 3: P(y | do(x)) where `p` is the distribution of g's nodes."""
    v = frozenset(g.nodes)
    # line 1: nothing is set
    if not x:
        return sum_over(g.ordered(v - y), p)
    # line 2: what does not cause y does not matter
    if others := v - g.ancestors(y):
        return _id(y, x - others, sum_over(g.ordered(others), p), g.subgraph(v - others))
    # line 3: what causes y through x alone may be set as well
    if w := v - x - g.without_incoming(x).ancestors(y):
        return _id(y, x | w, p, g)
    # line 4: one factor for each district that is left without x
    districts = g.subgraph(v - x).districts
    if len(districts) != 1:
        factors = []
        for s in districts:
            factor = _id(s, v - s, p, g)
            if isinstance(factor, Hedge):
                return factor
            factors.append(factor)
        return sum_over(g.ordered(v - y - x), product(factors))
    (s,) = districts
    # line 5: x is tied to the rest by unmeasured causes
    if len(g.districts) == 1:
        return hedge_within(g, s, g.ordered(x), g.ordered(y))
    (around,) = (district for district in g.districts if s <= district)
    factors = _conditionals(around, p, g)
    # line 6: S is a district of g itself
    if around == s:
        return sum_over(g.ordered(s - y), product(factors))
    # line 7: S is part of a larger district S', and the rest of g only sets the stage for that one
    return _id(y, x & around, product(factors), g.subgraph(around))


def _conditionals(s: Set, p: Expression, g: Graph) -> list[Expression]:
    """The factors P(v_i | v^(i-1)) of lines 6 and 7, for the v_i in the district `s`; v^(i-1): those before v_i."""
    order = g.topological_order
    factors: list[Expression] = []
    for i, node in enumerate(order):
        if node not in s:
            continue
        if isinstance(p, Probability) and not p.given:
            # Of all that comes before only the district so far and its parents matter (Tian and Pearl): a shorter
            # formula that asks less of the data.
            before = g.subgraph(order[: i + 1])
            (near,) = (district for district in before.districts if node in district)
            factors.append(Probability((node,), g.ordered((near | before.parents(near)) - {node})))
        else:
            factors.append(fraction(sum_over(order[i + 1 :], p), sum_over(order[i:], p)))
    return factors[::-1]
