"""The steps that lead from a question to its answer, written out: what a model learns to write before it answers.

The graph is walked depth first, and every step says from where: `node > effect ,` goes in, `node > effect =` passes it
by (it was met before, or the question keeps off it), `node .` finds no further one and goes back to the node from which
this one was entered. Neighbours come in the order of the premises. So the next step is always to look up one name,
among the premises or in what is written already, and never to keep account of what is left to do: the same step in a
graph of six nodes and of fifty. The neighbour looked at last stands next to where the one after it is looked up.

d-separation is followed as in Bayes-ball, and a step says how the ball came to its node, `node ↓ > effect ,`: from an
effect (↑, or ⊥ if the node is given and stops it), or from a cause (↓; ↕ if the node causes something given, which
also lets it back to the causes; ↶ if the node is given, which lets it back only).

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
    ENTERED = ","
    PASSED = "="
    CLOSED = "."
    PART = ";"
    UP = "↑"
    STOPPED = "⊥"
    DOWN = "↓"
    OPENED = "↕"
    BACK = "↶"
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
        self.nodes = {node for edge in edges for node in edge}
        self._nexts: dict[tuple[Mark, str], list[str]] = {}
        for cause, effect in edges:
            self._nexts.setdefault((Mark.EFFECTS, cause), []).append(effect)
            self._nexts.setdefault((Mark.CAUSES, effect), []).append(cause)

    def nexts(self, mark: Mark, node: str) -> list[str]:
        """Effects or causes of a node."""
        return self._nexts.get((mark, node), [])

    def walk(
        self,
        mark: Mark,
        starts: Iterable[str],
        *,
        goals: Collection[str] = (),
        barred: Callable[[str, str], bool] = lambda _node, _after: False,
    ) -> set[str] | None:
        """All that can be reached from `starts` in one direction; None as soon as one of `goals` is."""
        met: set[str] = set()

        def finds(node: str) -> bool:
            met.add(node)
            for after in self.nexts(mark, node):
                self.written += (node, mark, after)
                shut = barred(node, after)
                if after in goals and not shut:
                    return True
                if shut or after in met:
                    self.written.append(Mark.PASSED)
                    continue
                self.written.append(Mark.ENTERED)
                if finds(after):
                    return True
            self.written += (node, Mark.CLOSED)
            return False

        for start in starts:
            if start in met:
                self.written += (start, Mark.PASSED)
            elif finds(start):
                return None
        return met

    def ball(
        self, x: str, y: str, given: Collection[str], barred: Callable[[str], bool] = lambda _effect: False
    ) -> bool:
        """Whether a ball from x reaches y; it keeps off those effects of x that are barred."""
        above = self.walk(Mark.CAUSES, given) or set()
        self.written.append(Mark.PART)
        met = {(x, Mark.EFFECTS), (x, Mark.CAUSES)}

        def state(node: str, came: Mark) -> Mark:
            if came is Mark.CAUSES:
                return Mark.STOPPED if node in given else Mark.UP
            return Mark.BACK if node in given else Mark.OPENED if node in above else Mark.DOWN

        def reaches(node: str, came: Mark) -> bool:
            met.add((node, came))
            how = state(node, came)
            for mark in _WAYS[how]:
                for after in self.nexts(mark, node):
                    self.written += (node, how, mark, after)
                    shut = node == x and mark is Mark.EFFECTS and barred(after)
                    if after == y and not shut:
                        return True
                    if shut or (after, mark) in met:
                        self.written.append(Mark.PASSED)
                        continue
                    self.written.append(Mark.ENTERED)
                    if reaches(after, mark):
                        return True
            self.written += (node, how, Mark.CLOSED)
            return False

        return reaches(x, Mark.CAUSES)


_WAYS = {
    Mark.UP: (Mark.CAUSES, Mark.EFFECTS),
    Mark.STOPPED: (),
    Mark.DOWN: (Mark.EFFECTS,),
    Mark.OPENED: (Mark.CAUSES, Mark.EFFECTS),
    Mark.BACK: (Mark.CAUSES,),
}
"""Where a ball goes on to."""


def _follow(steps: _Steps, question: Question) -> bool:
    x, y, given = question.x, question.y, question.given

    def off(nodes: Collection[str]) -> Callable[[str, str], bool]:
        return lambda _node, after: after in nodes

    match question.axiom:
        case Axiom.TRANSITIVITY:
            return steps.walk(Mark.EFFECTS, [x], goals=[y]) is None
        case Axiom.INTERVENTION:
            return steps.walk(Mark.EFFECTS, [x], goals=[y], barred=off(given)) is None
        case Axiom.IRRELEVANCE:
            return steps.walk(Mark.EFFECTS, [x], goals=[y], barred=off(given)) is not None
        case Axiom.COLLIDER:
            # The effects of either alone: what lies behind them is kept off.
            if steps.walk(Mark.EFFECTS, [x], goals=given, barred=off(steps.nodes - {*given})) is not None:
                return False
            steps.written.append(Mark.PART)
            return steps.walk(Mark.EFFECTS, [y], goals=given, barred=off(steps.nodes - {*given})) is None
        case Axiom.CONFOUNDER:
            if steps.walk(Mark.EFFECTS, given, goals=[x], barred=off([y])) is not None:
                return False
            steps.written.append(Mark.PART)
            return steps.walk(Mark.EFFECTS, given, goals=[y], barred=off([x])) is None
        case Axiom.D_SEPARATION:
            return not steps.ball(x, y, given)
        case Axiom.BACK_DOOR:
            if steps.walk(Mark.EFFECTS, [x], goals=given) is None:
                return False
            steps.written.append(Mark.PART)
            return not steps.ball(x, y, given, lambda _effect: True)
        case Axiom.ADJUSTMENT:
            # Effects of x that cause y begin the causal ways; nothing behind them may be given.
            causal = {y} | (steps.walk(Mark.CAUSES, [y], barred=off([x])) or set())
            steps.written.append(Mark.PART)
            if steps.walk(Mark.EFFECTS, [x], goals=given, barred=lambda n, m: n == x and m not in causal) is None:
                return False
            steps.written.append(Mark.PART)
            return not steps.ball(x, y, given, lambda effect: effect in causal)
