"""Training by link prediction: part of the edges is hidden from the messages and asked after, with other nodes as rivals.

Beside it, the corners of a filled triangle are asked to lie close together. Torch is loaded by whoever trains.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from leucippus.graphs.transformer import Geometric, Messages

CONSISTENCY = 0.05
"""Weight of the triangle loss beside link prediction (Mahadevan, arXiv 2512.07796)."""
_FOLDS = 4
"""Parts of the edges; each in turn is hidden from the messages and asked after. Together they are an epoch."""
_RIVALS = 512
"""Nodes that each true effect has to outscore. All are ends of hidden edges, half of them effects: were others among them,
a node that hiding its edges has left alone would give itself away."""


@dataclass(frozen=True)
class Recipe:
    """How a representation is trained."""

    width: int = 64
    depth: int = 2
    epochs: int = 80
    """At most; training ends sooner when edges set aside for that are foretold no better."""
    patience: int = 15
    """Epochs without progress before it ends: a use for the graph is often found after a while without any."""
    aside: float = 0.1
    """Share of the pairs whose edges only say when to stop."""
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    consistency: float = CONSISTENCY
    seed: int = 0


class Graph:
    """Edges and triangles as tensors, and the messages that are left when some edges are hidden."""

    def __init__(
        self,
        nodes: int,
        edges: NDArray[np.int64],
        signs: NDArray[np.int8],
        weights: NDArray[np.float32],
        corners: NDArray[np.int64],
    ) -> None:
        import torch

        edges = edges.astype(np.int64, copy=False)
        self.nodes = nodes
        self.edges = torch.from_numpy(edges.copy())
        self.signs = torch.from_numpy(signs.astype(np.int64))
        self.weights = torch.from_numpy(weights.astype(np.float32))
        self.corners = torch.from_numpy(corners)
        keys = edges[:, 0] * nodes + edges[:, 1]
        order = np.argsort(keys)
        i, j, k = corners.T
        sides = np.column_stack((i * nodes + j, j * nodes + k, i * nodes + k))
        self._sides = torch.from_numpy(order[np.searchsorted(keys[order], sides)])
        _, pair = np.unique(np.sort(edges, axis=1), axis=0, return_inverse=True)
        self.pair = torch.from_numpy(pair.reshape(-1))
        self.pairs = int(pair.max()) + 1 if len(edges) else 0
        self.one_way = torch.from_numpy(~np.isin(edges[:, 1] * nodes + edges[:, 0], keys))

    def whole(self, seen: "Tensor") -> "Tensor":
        """The triangles all of whose sides are in `seen`, a mask of shape (m,)."""
        return self.corners[seen[self._sides].all(dim=1)]

    def messages(self, seen: "Tensor") -> "list[Messages]":
        """Those of the edges in `seen`, a mask of shape (m,), and of the triangles that leaves whole."""
        from leucippus.graphs.transformer import messages_of

        return messages_of(self.edges[seen], self.signs[seen], self.weights[seen], self.whole(seen))


def train(
    model: "Geometric", features: "Tensor", graph: Graph, recipe: Recipe, report: Callable[[int, float], None]
) -> int:
    """Train `model` in place; returns epochs. The state kept is the one that foretells the edges set aside best.

    Parameters
    ----------
    features : shape (n, size). report : called after each epoch with its number and the loss of the edges set aside.
    """
    import torch

    draw = torch.Generator().manual_seed(recipe.seed)
    chosen = torch.randperm(graph.pairs, generator=draw)[: max(1, round(recipe.aside * graph.pairs))]
    aside = torch.isin(graph.pair, chosen)
    taught = ~aside
    against = _rivals(graph, aside, draw)
    optimiser = torch.optim.AdamW(model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)

    def of_those_aside() -> float:
        model.eval()
        with torch.no_grad():
            return float(_link_loss(model, model(features, graph.messages(taught)), graph, aside, against))

    best, since, epoch = of_those_aside(), 0, 0
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    while epoch < recipe.epochs and since < recipe.patience:
        epoch += 1
        fold = torch.randint(0, _FOLDS, (graph.pairs,), generator=draw)[graph.pair]
        model.train()
        for at in range(_FOLDS):
            hidden = (fold == at) & taught
            if not hidden.any():
                continue
            seen = taught & ~hidden
            placed = model(features, graph.messages(seen))
            loss = _link_loss(model, placed, graph, hidden, _rivals(graph, hidden, draw))
            loss = loss + recipe.consistency * spread(placed, graph.whole(seen))
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
        now = of_those_aside()
        report(epoch, now)
        since += 1
        if now < best:
            best, since = now, 0
            state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    model.load_state_dict(state)
    return epoch


def spread(placed: "Tensor", triangles: "Tensor") -> "Tensor":
    """L_DB: the squared distances of a triangle's corners from their centroid, added up; the mean over triangles.

    Parameters
    ----------
    placed : shape (n, width). triangles : shape (t, 3); of none the loss is 0.
    """
    if not len(triangles):
        return placed.new_zeros(())
    corners = placed.index_select(0, triangles.reshape(-1)).view(*triangles.shape, -1)
    return (corners - corners.mean(dim=1, keepdim=True)).square().sum(dim=(1, 2)).mean()


def _rivals(graph: Graph, hidden: "Tensor", draw: "Generator") -> "Tensor":
    """Nodes to be outscored, each once: half effects of hidden edges, half causes or effects."""
    import torch

    ends = graph.edges[hidden]
    effects = ends[torch.randint(0, len(ends), (_RIVALS // 2,), generator=draw), 1]
    either = ends.reshape(-1)[torch.randint(0, 2 * len(ends), (_RIVALS // 2,), generator=draw)]
    rivals: Tensor = torch.unique(torch.cat((effects, either)))
    return rivals


def _link_loss(model: "Geometric", placed: "Tensor", graph: Graph, asked: "Tensor", rivals: "Tensor") -> "Tensor":
    """How surprising the true effect is among itself, the rivals, and the cause itself if its effect has none on it."""
    import torch

    as_cause, as_effect = model.sides(placed)
    cause, effect = graph.edges[asked].T
    from_cause = as_cause.index_select(0, cause)
    true = (from_cause * as_effect.index_select(0, effect)).sum(-1, keepdim=True)
    back = (as_cause.index_select(0, effect) * as_effect.index_select(0, cause)).sum(-1, keepdim=True)
    back = back.masked_fill(~graph.one_way[asked][:, None], -torch.inf)
    against = (from_cause @ as_effect.index_select(0, rivals).T).masked_fill(_right(graph, cause, rivals), -torch.inf)
    scores = torch.cat((true, against, back), dim=1)
    return torch.nn.functional.cross_entropy(scores, torch.zeros(len(scores), dtype=torch.long))


def _right(graph: Graph, cause: "Tensor", rivals: "Tensor") -> "Tensor":
    """Which rivals are effects of each cause, or the cause: no wrong answers; shape (len(cause), len(rivals))."""
    import torch

    place = torch.full((graph.nodes,), -1)
    place[rivals] = torch.arange(len(rivals))
    row = torch.full((graph.nodes,), -1)
    causes, of = torch.unique(cause, return_inverse=True)
    row[causes] = torch.arange(len(causes))
    source, target = graph.edges.T
    met = (row[source] >= 0) & (place[target] >= 0)
    right = torch.zeros(len(causes), len(rivals), dtype=torch.bool)
    right[row[source[met]], place[target[met]]] = True
    themselves = place[causes] >= 0
    right[torch.nonzero(themselves)[:, 0], place[causes[themselves]]] = True
    return right[of]
