"""A geometric transformer: attention over what comes in along edges and across filled triangles.

Tensors in, tensors out: knows no store, no split and no loss. Imported where it is used, as it loads torch. It begins as
the best linear picture of the features (their principal directions) and every block begins by adding nothing, so training
starts from the text alone and has to find a use for the graph.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize
from torch.utils.checkpoint import checkpoint

HEADS = 4
_SHARPEST = 10.0
"""The largest factor on the cosine of query and key: bounded logits need no maximum taken off before exp."""
_START = 4.0


@dataclass(frozen=True)
class Messages:
    """Which nodes one kind of message goes from and to."""

    way: int
    """Which projection is sent: 0 along an edge, 1 against it, 2 across a triangle."""
    first: Tensor
    """Shape (m,)."""
    second: Tensor | None
    """Shape (m,), for triangles: what is sent is the mean of the two."""
    to: Tensor
    """Shape (m,)."""
    strength: Tensor
    """Shape (m,), positive: twice as strong is as good as twice there."""


KINDS = 9
"""Along and against edges of each sign (6), then to the first, second and third node of a triangle (3)."""


def messages_of(edges: Tensor, signs: Tensor, strengths: Tensor, triangles: Tensor) -> list[Messages]:
    """Every message of a graph, by kind.

    Parameters
    ----------
    edges : shape (m, 2). signs : shape (m,), in {-1, 0, 1}. strengths : shape (m,).
    triangles : shape (t, 3), filled, i → j, j → k, i → k.
    """
    made = []
    for way in (0, 1):
        for sign in (-1, 0, 1):
            chosen = signs == sign
            source, target = edges[chosen, way], edges[chosen, 1 - way]
            made.append(Messages(way, source, None, target, strengths[chosen]))
    for role in range(3):
        one, other = (at for at in range(3) if at != role)
        alike = torch.ones(len(triangles))
        made.append(Messages(2, triangles[:, one], triangles[:, other], triangles[:, role], alike))
    return made


class Block(nn.Module):
    """Attention over all messages that come in, then two dense layers; each with a residual and a LayerNorm."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query = nn.Linear(width, width, bias=False)
        self.keys = nn.Linear(width, 3 * width, bias=False)
        self.values = nn.Linear(width, 3 * width, bias=False)
        self.sharpness = nn.Parameter(torch.full((HEADS,), _START))
        self.liking = nn.Parameter(torch.zeros(KINDS, HEADS))
        self.gate = nn.Parameter(torch.ones(KINDS, HEADS))
        self.out = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width)
        second = nn.Linear(2 * width, width)
        self.dense = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), second)
        self.dense_norm = nn.LayerNorm(width)
        for silent in (self.out, second):
            nn.init.zeros_(silent.weight)
            nn.init.zeros_(silent.bias)

    def forward(self, x: Tensor, messages: list[Messages]) -> Tensor:
        nodes, width = x.shape
        query = normalize(self.query(x).view(nodes, HEADS, -1), dim=-1)
        # Of the nodes, not of each message: there are more messages, and most of the time goes into them.
        keys = [normalize(key, dim=-1) for key in self.keys(x).view(nodes, 3, HEADS, -1).unbind(1)]
        values = [value.contiguous() for value in self.values(x).view(nodes, 3, HEADS, -1).unbind(1)]
        sharpness = self.sharpness.clamp(max=_SHARPEST)
        total, mixed = x.new_zeros(nodes, HEADS), torch.zeros_like(query)
        for kind, sent in enumerate(messages):
            if not len(sent.to):
                continue
            key, value = _from(keys[sent.way], sent), _from(values[sent.way], sent)
            likeness = (query.index_select(0, sent.to) * key).sum(-1)
            share = sent.strength[:, None] * torch.exp(sharpness * likeness + self.liking[kind])
            total = total.index_add(0, sent.to, share)
            mixed = mixed.index_add(0, sent.to, (share * self.gate[kind])[..., None] * value)
        mixed = mixed / total.clamp_min(1e-9)[..., None]  # who gets no message gets none
        x = self.norm(x + self.out(mixed.reshape(nodes, width)))
        settled: Tensor = self.dense_norm(x + self.dense(x))
        return settled


def _from(x: Tensor, sent: Messages) -> Tensor:
    """The rows that are sent. The gradient of `x[rows]` takes fifty times as long on a CPU as that of `index_select`."""
    one = x.index_select(0, sent.first)
    return one if sent.second is None else (one + x.index_select(0, sent.second)) / 2


class Geometric(nn.Module):
    """Features → unit representations, and who is likely to act on whom.

    With `depth` 0 no message is passed: the features with the same trained head.
    """

    def __init__(self, features: Tensor, width: int, depth: int) -> None:
        super().__init__()
        self.embed = nn.Linear(features.shape[1], width)
        self.blocks = nn.ModuleList(Block(width) for _ in range(depth))
        self.as_cause = nn.Linear(width, width, bias=False)
        self.as_effect = nn.Linear(width, width, bias=False)
        self.scale = nn.Parameter(torch.tensor(2.5))
        with torch.no_grad():
            self.embed.weight.copy_(_directions(features, width))
            self.embed.bias.zero_()
            for side in (self.as_cause, self.as_effect):
                side.weight.copy_(torch.eye(width))

    def forward(self, features: Tensor, messages: list[Messages]) -> Tensor:
        """Unit representations, shape (n, width)."""
        x = self.embed(features)
        for block in self.blocks:
            # What a block works out on the way is worked out again for its gradient: a third slower, far less memory.
            x = checkpoint(block, x, messages, use_reentrant=False) if self.training else block(x, messages)
        return normalize(x, dim=-1)

    def sides(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """As causes and as effects, each of shape (n, width): a → b is scored by the product of a's first and b's second."""
        return self.as_cause(x) * self.scale.exp(), self.as_effect(x)


def _directions(features: Tensor, width: int) -> Tensor:
    """The first `width` principal directions of the features about 0, shape (width, size of a feature)."""
    _, directions = torch.linalg.eigh(features.T.double() @ features.double())
    found: Tensor = directions.flip(1)[:, :width].T.float()
    # A direction and its opposite are as good: the first large number is made positive, so that both give one answer.
    largest = found.gather(1, found.abs().argmax(1, keepdim=True))
    found = found * largest.sign()
    if len(found) < width:
        found = torch.cat((found, found.new_zeros(width - len(found), found.shape[1])))
    return found
