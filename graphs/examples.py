"""Named graphs with known answers: for tests, for documentation, and to try the engine on.

Each is about the effect of X on Y. Answers are from the source named, or follow from its theorem by hand.
"""

from dataclasses import dataclass

from leucippus.graphs.dag import Graph
from leucippus.graphs.reading import read_graph

Sets = tuple[frozenset[str], ...]


@dataclass(frozen=True)
class Example:
    """A graph and what is known about the effect of X on Y in it."""

    name: str
    edges: str
    """As an edge list."""
    source: str
    identified: bool
    adjustment: Sets = ()
    """Every minimal adjustment set, small ones first."""
    invalid: Sets = ()
    """Sets one may think of, which are not valid adjustment sets."""
    optimal: frozenset[str] | None = None
    """The O-set; None where there is none."""
    front_door: Sets = ()
    """Every minimal front-door set."""
    instruments: tuple[str, ...] = ()
    """As `Instrument.text` writes them."""
    estimand: str = ""
    """The formula that ID finds; empty if the effect is not identified."""

    @property
    def graph(self) -> Graph:
        """The graph as a value."""
        return read_graph(self.edges)


def _sets(*members: str) -> Sets:
    return tuple(frozenset(names.split()) for names in members)


_PEARL = "Pearl (2009), Causality, 2nd ed., "

EXAMPLES = (
    Example(
        name="confounder",
        edges="Z -> X -> Y; Z -> Y",
        source=_PEARL + "section 3.3.1 (back-door)",
        identified=True,
        adjustment=_sets("Z"),
        invalid=_sets(""),
        optimal=frozenset("Z"),
        estimand="P(Y | do(X)) = sum_{Z} P(Z) P(Y | Z, X)",
    ),
    Example(
        name="Simpson",
        edges="Z -> X -> Y; Z -> Y",
        source="Charig et al. (1986), BMJ 292: the size of a kidney stone decides treatment and recovery",
        identified=True,
        adjustment=_sets("Z"),
        invalid=_sets(""),
        optimal=frozenset("Z"),
    ),
    Example(
        name="Simpson reversed",
        edges="X -> Z -> Y; X -> Y",
        source="Pearl (2014), Understanding Simpson's paradox, Am. Stat. 68: same data, and here the total is right",
        identified=True,
        adjustment=_sets(""),
        invalid=_sets("Z"),
        optimal=frozenset(),
        estimand="P(Y | do(X)) = P(Y | X)",
    ),
    Example(
        name="chain",
        edges="X -> M -> Y",
        source=_PEARL + "section 1.2.3",
        identified=True,
        adjustment=_sets(""),
        invalid=_sets("M"),
        optimal=frozenset(),
        front_door=_sets("M"),
        estimand="P(Y | do(X)) = sum_{M} P(M | X) P(Y | M)",
    ),
    Example(
        name="collider",
        edges="X -> C <- Y; X -> Y",
        source="Hernán and Robins (2020), Causal Inference: What If, chapter 8 (selection on a common effect)",
        identified=True,
        adjustment=_sets(""),
        invalid=_sets("C"),
        optimal=frozenset(),
        front_door=(),
        estimand="P(Y | do(X)) = P(Y | X)",
    ),
    Example(
        name="M-bias",
        edges="A -> X -> Y; A -> M <- B; B -> Y",
        source="Greenland, Pearl and Robins (1999), Causal diagrams for epidemiologic research, Epidemiology 10",
        identified=True,
        adjustment=_sets(""),
        invalid=_sets("M"),
        optimal=frozenset("B"),
        instruments=("A", "M given B"),
        estimand="P(Y | do(X)) = sum_{B} P(Y | X, B) P(B)",
    ),
    Example(
        name="butterfly",
        edges="A -> X -> Y; A -> M <- B; B -> Y; M -> X; M -> Y",
        source="Ding and Miratrix (2015), To adjust or not to adjust?, J. Causal Inference 3",
        identified=True,
        adjustment=_sets("A M", "M B"),
        invalid=_sets("", "M", "A B"),
        optimal=frozenset("BM"),
        instruments=("A given M, B",),
    ),
    Example(
        name="bow",
        edges="X -> Y; X <-> Y",
        source=_PEARL + "section 3.5 and figure 3.9",
        identified=False,
        invalid=_sets(""),
    ),
    Example(
        name="instrument",
        edges="Z -> X -> Y; X <-> Y",
        source=_PEARL + "section 3.5 (identified in linear models alone)",
        identified=False,
        invalid=_sets("", "Z"),
        instruments=("Z",),
    ),
    Example(
        name="conditional instrument",
        edges="W -> Z -> X -> Y; W -> Y; X <-> Y",
        source="Brito and Pearl (2002), Generalized instrumental variables, UAI",
        identified=False,
        invalid=_sets("", "W"),
        instruments=("Z given W",),
    ),
    Example(
        name="front-door",
        edges="X -> M -> Y; X <-> Y",
        source="Pearl (1995), Causal diagrams for empirical research, Biometrika 82",
        identified=True,
        invalid=_sets("", "M"),
        front_door=_sets("M"),
        estimand="P(Y | do(X)) = sum_{M} P(M | X) sum_{X'} P(Y | X', M) P(X')",
    ),
    Example(
        name="two mediators",
        edges="X -> A -> Y; X -> B -> Y; X <-> Y",
        source="follows from Pearl (1995), theorem 2",
        identified=True,
        invalid=_sets("", "A B"),
        front_door=_sets("A B"),
    ),
    Example(
        name="confounded mediator",
        edges="X -> M -> Y; X <-> M",
        source=_PEARL + "section 3.5 and figure 3.9",
        identified=False,
        invalid=_sets("", "M"),
    ),
    Example(
        name="mediator and outcome confounded",
        edges="X -> M -> Y; M <-> Y",
        source=_PEARL + "section 4.5 (the total effect needs no adjustment, the direct one does)",
        identified=True,
        adjustment=_sets(""),
        invalid=_sets("M"),
        estimand="P(Y | do(X)) = P(Y | X)",
    ),
    Example(
        name="napkin",
        edges="W -> Z -> X -> Y; W <-> X; W <-> Y",
        source="Pearl and Mackenzie (2018), The Book of Why, chapter 7",
        identified=True,
        invalid=_sets("", "W", "Z", "W Z"),
        instruments=("Z given W",),
        estimand="P(Y | do(X)) = [sum_{W} P(Y | W, Z, X) P(X | W, Z) P(W)] / [sum_{W} P(X | W, Z) P(W)]",
    ),
    Example(
        name="Verma",
        edges="A -> X -> M -> Y; X <-> Y",
        source="Verma and Pearl (1990), Equivalence and synthesis of causal models, UAI; X is their B",
        identified=True,
        invalid=_sets("", "A", "M"),
        front_door=_sets("M"),
        instruments=("A",),
    ),
    Example(
        name="two back doors",
        edges="A -> B -> X -> Y; A -> C -> Y; C -> D",
        source="van der Zander, Liskiewicz and Textor (2019), Artif. Intell. 270: any node of the path closes it",
        identified=True,
        adjustment=_sets("A", "B", "C"),
        invalid=_sets("", "D"),
        optimal=frozenset("C"),
        instruments=("A given C", "B given C"),
    ),
)
"""All of them, by and large from easy to hard."""

BY_NAME = {one.name: one for one in EXAMPLES}
