"""Graphs as people and tools write them: an edge list, Graphviz DOT or dagitty text → a `Graph`.

    A -> B -> C; A <-> C          an edge list, one or more to a line
    digraph { A -> {B C} }        DOT
    dag { U [latent] U -> A }     dagitty

The text may come from anywhere: it is bounded in size and only ever read as names and arrows. Of attributes only those
are looked at that change the graph: which node is latent (it is projected away), which way an edge points. A dashed
line means nothing by itself; an edge with an arrow at both ends is a <-> b. Notation is tokens.py's business.

References
----------
The DOT language, https://graphviz.org/doc/info/lang.html.
Textor et al. (2016), Robust causal inference using directed acyclic graphs: the R package dagitty, Int. J. Epid. 45.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from leucippus.errors import GraphError
from leucippus.graphs.dag import Edge, Graph
from leucippus.graphs.tokens import Token, malformed, tokens

MOST_CHARACTERS = 200_000
MOST_NODES = 500
"""A projection may join every pair of nodes, so this bounds memory too."""
MOST_EDGES = 20_000
_DEEPEST = 20
"""Of groups in groups."""

_BRACED = frozenset("graph digraph dag pdag mag pag".split())
_CLASSES = frozenset("mag pag".split())
"""Names of what stands for many causal graphs: an arrow says less there than a -> b does here."""
_LATENT = frozenset("latent unobserved hidden l u".split())
_NO = frozenset("no false 0".split())

Attributes = Mapping[str, str]


def read_graph(text: str) -> Graph:
    """The graph that `text` describes; nodes in order of appearance, latent ones projected away.

    Raises
    ------
    GraphError : the text is empty, too large or malformed (the message names the line), or the graph has a cycle.
    """
    if len(text) > MOST_CHARACTERS:
        raise GraphError(
            f"{len(text):,} characters of graph", expected=f"at most {MOST_CHARACTERS:,}", next_step="Split the graph."
        )
    reader = _Reader(list(tokens(text)))
    reader.whole()
    if not reader.nodes:
        raise GraphError("there is no node in the text", expected="edges such as A -> B, DOT or dagitty text")
    graph = Graph(tuple(reader.nodes), tuple(reader.directed), tuple(reader.bidirected))
    latent = [node for node, hidden in reader.nodes.items() if hidden]
    return graph.latent_projection(latent)


@dataclass
class _Reader:
    """A recursive descent over the tokens; what is read gathers in the three collections."""

    left: list[Token]
    nodes: dict[str, bool] = field(default_factory=dict)
    """Name → whether it is latent."""
    directed: dict[Edge, None] = field(default_factory=dict)
    bidirected: dict[Edge, None] = field(default_factory=dict)
    at: int = 0
    defaults: dict[str, Attributes] = field(default_factory=dict)
    """What `node [...]` and `edge [...]` of DOT set for all that follow."""

    def whole(self) -> None:
        """text: braced graph | edge list."""
        while self._next.kind == "newline":
            self.at += 1
        if opens := self._opening():
            self.at += opens
            self._statements("}", deep=1, spaced=True)
            self._expect("}", "a closing }")
            while self._next.kind in ("newline", ";"):
                self.at += 1
        else:
            self._statements("end", deep=0, spaced=False)
        if self._next.kind != "end":
            raise malformed(self._next, "nothing after the graph")

    def _opening(self) -> int:
        """How many tokens open a braced graph: strict? kind name? {."""
        words = [token for token in self.left[self.at : self.at + 16] if token.kind != "newline"]
        i = 1 if words and words[0].means("strict") else 0
        if i >= len(words) or not any(words[i].means(kind) for kind in _BRACED):
            return 0
        kind = words[i]
        i += 1
        if i < len(words) and words[i].kind == "name":
            i += 1
        if i >= len(words) or words[i].kind != "{":
            return 0
        if kind.text.lower() in _CLASSES:
            raise malformed(kind, "one causal graph (dag or digraph); this kind stands for many of them")
        return self.left.index(words[i], self.at) + 1 - self.at

    def _statements(self, end: str, *, deep: int, spaced: bool) -> list[str]:
        """Statements up to `end`; `spaced`: white space alone may stand between two, as in DOT and dagitty.

        The nodes met, for a group.
        """
        if deep > _DEEPEST:
            raise malformed(self._next, f"at most {_DEEPEST} groups inside each other")
        met: list[str] = []
        while self._next.kind not in (end, "end"):
            if self._next.kind in (";", ",", "newline"):
                self.at += 1
                continue
            met.extend(self._statement(deep, spaced))
            if not spaced and self._next.kind not in (";", ",", "newline", end):
                raise malformed(
                    self._next, "an arrow (->, <- or <->), a ; or a new line; names with spaces need quotes"
                )
        return met

    def _statement(self, deep: int, spaced: bool) -> list[str]:
        token = self._next
        if spaced and token.kind == "name" and not token.quoted:
            after = self.left[self.at + 1].kind
            if after == "=":  # rankdir=LR, bb="0,0,1,1"
                self.at += 2
                self._expect("name", "a value after =")
                return []
            if after == "[" and (word := token.text.lower()) in ("node", "edge", "graph"):
                self.at += 1
                self.defaults[word] = {**self.defaults.get(word, {}), **self._attributes()}
                return []
        chain, arrows = [self._group(deep, spaced)], []
        while self._next.kind == "arrow" or (self._next.kind == "newline" and self._arrow_after_newlines(spaced)):
            while self._next.kind == "newline":
                self.at += 1
            arrows.append(self._take())
            while spaced and self._next.kind == "newline":
                self.at += 1
            chain.append(self._group(deep, spaced))
        attributes = self._attributes()
        if arrows:
            ends = {**self.defaults.get("edge", {}), **attributes}
            for before, arrow, after_ in zip(chain[:-1], arrows, chain[1:], strict=True):
                self._join(before, arrow, after_, ends)
        elif _hides(attributes):
            self.nodes.update(dict.fromkeys(chain[0], True))
        return [node for group in chain for node in group]

    def _arrow_after_newlines(self, spaced: bool) -> bool:
        ahead = self.at
        while self.left[ahead].kind == "newline":
            ahead += 1
        return spaced and self.left[ahead].kind == "arrow"

    def _group(self, deep: int, spaced: bool) -> list[str]:
        """name | { statements } | subgraph name? { statements }."""
        token = self._take()
        if spaced and token.means("subgraph"):
            if self._next.kind == "name":
                self.at += 1
            token = self._take()
        if token.kind == "{":
            scope = dict(self.defaults)
            nodes = self._statements("}", deep=deep + 1, spaced=True)
            self._expect("}", "a closing }")
            self.defaults = scope
            return list(dict.fromkeys(nodes))
        if token.kind != "name":
            raise malformed(token, "a node's name")
        if spaced and self._next.kind == ":":  # a DOT port: where on the node's box the line ends
            while self._next.kind == ":":
                self.at += 1
                self._expect("name", "a port after :")
        self.nodes.setdefault(token.text, _hides(self.defaults.get("node", {})))
        if len(self.nodes) > MOST_NODES:
            raise malformed(token, f"at most {MOST_NODES} nodes")
        return [token.text]

    def _join(self, before: Iterable[str], arrow: Token, after: Iterable[str], attributes: Attributes) -> None:
        at_end, at_start = arrow.text in ("->", "<->"), arrow.text in ("<-", "<->")
        if arrow.text == "->" and (way := attributes.get("dir", "").lower()):
            at_start, at_end = way in ("both", "back"), way not in ("back", "none")
        at_end &= attributes.get("arrowhead", "").lower() != "none"
        at_start &= attributes.get("arrowtail", "").lower() != "none"
        if not (at_end or at_start):
            raise malformed(arrow, "an arrow: ->, <- or <->; a line without direction has no causal meaning here")
        for a in before:
            for b in after:
                if at_start and at_end:
                    self.bidirected[(a, b)] = None
                else:
                    self.directed[(a, b) if at_end else (b, a)] = None
                if len(self.directed) + len(self.bidirected) > MOST_EDGES:
                    raise malformed(arrow, f"at most {MOST_EDGES:,} edges")

    def _attributes(self) -> dict[str, str]:
        """[key = value, flag; …], any number of them; keys in lower case, flags have an empty value."""
        found: dict[str, str] = {}
        while self._next.kind == "[":
            self.at += 1
            while self._next.kind != "]":
                if self._next.kind in (",", ";", "newline"):
                    self.at += 1
                    continue
                key = self._expect("name", "an attribute or a closing ]").text.lower()
                found[key] = ""
                if self._next.kind == "=":
                    self.at += 1
                    found[key] = self._expect("name", "a value after =").text
            self.at += 1
        return found

    @property
    def _next(self) -> Token:
        return self.left[self.at]

    def _take(self) -> Token:
        token = self.left[self.at]
        # The last token, the end, stays.
        self.at = min(self.at + 1, len(self.left) - 1)
        return token

    def _expect(self, kind: str, expected: str) -> Token:
        token = self._take()
        if token.kind != kind:
            raise malformed(token, expected)
        return token


def _hides(attributes: Attributes) -> bool:
    """Whether a node with these attributes is latent: [latent], [latent=true] or DoWhy's [observed=no]."""
    if attributes.get("observed", "").lower() in _NO and attributes.get("observed"):
        return True
    return any(attributes[key].lower() not in _NO for key in _LATENT & attributes.keys())
