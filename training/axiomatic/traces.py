"""The steps that lead from a question to its answer, written out: what a model learns to write before it answers.

A line lists the neighbours of one node, `node > effect , node > effect , node > .` or `node < cause , node < .`, in the
order of the premises; the next line is that of the node listed last that has none yet. So each step is to look up one
name among the premises and to see what the line holds already: the same step in a graph of six nodes and of fifty. The
name is written again before each look-up, so that all that a step needs stands next to it.

d-separation is followed as in Bayes-ball: a node is listed with the direction in which it is entered (↑ from an effect,
↓ from a cause), and before its lines it is said whether it is given (●), causes something given (◐) or neither (○).

References
----------
Nye et al. (2021), Show your work: scratchpads for intermediate computation with language models.
Shachter (1998), Bayes-Ball, UAI.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from enum import StrEnum

from leucippus.graphs.axioms import Axiom, Question
from leucippus.graphs.dag import Edge


class Mark(StrEnum):
    """The signs of a trace; whatever else stands in it is a name."""

    EFFECTS = ">"
    CAUSES = "<"
    ALSO = ","
    CLOSED = "."
    PART = ";"
    UP = "↑"
    DOWN = "↓"
    GIVEN = "●"
    ABOVE = "◐"
    FREE = "○"
    YES = "Yes"
    NO = "No"


def trace(edges: Sequence[Edge], question: Question) -> list[str]:
    """Names and marks; the last is the answer."""
    steps = _Steps(edges)
    yes = _follow(steps, question)
    return [*steps.written, Mark.YES if yes else Mark.NO]


class _Steps:
    """What has been written so far, and the look-ups in the premises, which are in the order of telling."""

    def __init__(self, edges: Sequence[Edge]) -> None:
        self.written: list[str] = []
        self._effects: dict[str, list[str]] = {}
        self._causes: dict[str, list[str]] = {}
        for cause, effect in edges:
            self._effects.setdefault(cause, []).append(effect)
            self._causes.setdefault(effect, []).append(cause)

    def effects(self, node: str) -> list[str]:
        return self._effects.get(node, [])

    def causes(self, node: str) -> list[str]:
        return self._causes.get(node, [])

    def walk(
        self, mark: Mark, starts: Iterable[str], *, goals: Collection[str] = (), avoided: Collection[str] = ()
    ) -> set[str] | None:
        """All that follow `starts` in one direction without passing `avoided`; None as soon as one of `goals` does."""
        nexts = self.effects if mark is Mark.EFFECTS else self.causes
        ahead = list(starts)
        lined = set(avoided)
        while ahead:
            if (node := ahead.pop()) in lined:
                continue
            lined.add(node)
            listed = [after for after in nexts(node) if after not in avoided]
            for after in listed:
                self.written += (node, mark, after)
                if after in goals:
                    return None
                self.written.append(Mark.ALSO)
            self.written += (node, mark, Mark.CLOSED)
            ahead += listed
        return lined.difference(avoided)

    def ball(self, x: str, y: str, given: Collection[str], first: Callable[[str, str], bool]) -> bool:
        """Whether a ball from x reaches y; `first(x, node)` says which of x's effects it may go to."""
        above = self.walk(Mark.CAUSES, given) or set()
        self.written.append(Mark.PART)
        ahead: list[tuple[str, Mark]] = [(x, Mark.UP)]
        lined = {(x, Mark.DOWN)}
        while ahead:
            if (state := ahead.pop()) in lined:
                continue
            lined.add(state)
            node, entered = state
            is_given, opened = node in given, entered is Mark.DOWN and node in above
            self.written += (node, entered, Mark.GIVEN if is_given else Mark.ABOVE if opened else Mark.FREE)
            lines: list[tuple[Mark, Mark, list[str]]] = []
            if opened or (entered is Mark.UP and not is_given):
                lines.append((Mark.CAUSES, Mark.UP, self.causes(node)))
            if not is_given:
                effects = [after for after in self.effects(node) if node != x or first(x, after)]
                lines.append((Mark.EFFECTS, Mark.DOWN, effects))
            for mark, entering, nexts in lines:
                for after in nexts:
                    self.written += (node, mark, after)
                    if after == y:
                        return True
                    self.written += (entering, Mark.ALSO)
                self.written += (node, mark, Mark.CLOSED)
                ahead += ((after, entering) for after in nexts)
            if not lines:
                self.written.append(Mark.CLOSED)
        return False


def _follow(steps: _Steps, question: Question) -> bool:
    x, y, given = question.x, question.y, question.given
    match question.axiom:
        case Axiom.TRANSITIVITY:
            return steps.walk(Mark.EFFECTS, [x], goals=[y]) is None
        case Axiom.INTERVENTION:
            return steps.walk(Mark.EFFECTS, [x], goals=[y], avoided=given) is None
        case Axiom.IRRELEVANCE:
            return steps.walk(Mark.EFFECTS, [x], goals=[y], avoided=given) is not None
        case Axiom.COLLIDER:
            for cause in steps.causes(given[0]):
                steps.written += (given[0], Mark.CAUSES, cause, Mark.ALSO)
            steps.written += (given[0], Mark.CAUSES, Mark.CLOSED)
            return {x, y} <= set(steps.causes(given[0]))
        case Axiom.CONFOUNDER:
            if steps.walk(Mark.EFFECTS, given, goals=[x], avoided=[y]) is not None:
                return False
            steps.written.append(Mark.PART)
            return steps.walk(Mark.EFFECTS, given, goals=[y], avoided=[x]) is None
        case Axiom.D_SEPARATION:
            return not steps.ball(x, y, given, lambda _x, _node: True)
        case Axiom.BACK_DOOR:
            if steps.walk(Mark.EFFECTS, [x], goals=given) is None:
                return False
            steps.written.append(Mark.PART)
            return not steps.ball(x, y, given, lambda _x, _node: False)
        case Axiom.ADJUSTMENT:
            return _adjustment(steps, x, y, given)


def _adjustment(steps: _Steps, x: str, y: str, given: Collection[str]) -> bool:
    """What causes y without x; which of those x causes; their effects; and a ball that keeps off them at first."""
    behind = steps.walk(Mark.CAUSES, [y], avoided=[x]) or set()
    steps.written.append(Mark.PART)
    ahead = steps.walk(Mark.EFFECTS, [x]) or set()
    causal = [node for node in _in_order(steps, ahead) if node in behind and node != x]
    steps.written.append(Mark.PART)
    if steps.walk(Mark.EFFECTS, causal, goals=given) is None or not set(causal).isdisjoint(given):
        return False
    steps.written.append(Mark.PART)
    return not steps.ball(x, y, given, lambda _x, node: node not in causal)


def _in_order(steps: _Steps, nodes: Collection[str]) -> list[str]:
    """In the order in which they were written."""
    return [node for node in dict.fromkeys(steps.written) if node in nodes]
