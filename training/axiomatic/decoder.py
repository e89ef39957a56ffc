"""A small decoder with a choice of positions, and what makes it reason beyond the lengths that it learned from.

Plain, it is the published one: pre-norm blocks of causal attention and a feed-forward layer, with no, learned,
sinusoidal or rotary positions. Three additions, each of which can be left out: a short causal convolution over queries,
keys and values, by which a token knows its neighbours without counting places; the same over the tokens that follow,
within the prompt alone, without which "what causes b?" cannot be looked up in "a causes b" as "what does a cause?" can;
and attention whose sharpness grows with the logarithm of the length, so that one look-up stands out among many keys as
well as among few.

References
----------
Vashishtha et al. (2025); Kazemnejad et al. (2023), The impact of positional encoding on length generalization.
Su et al. (2021), RoFormer: rotary positions. Press et al. (2022), Train short, test long: linear biases.
So et al. (2021), Primer: convolutions over queries, keys and values. Nakanishi (2025), Scalable-softmax is superior for attention.
"""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedConfig, PreTrainedModel
from transformers.modeling_outputs import CausalLMOutput

from leucippus.errors import InputError
from leucippus.training.axiomatic.presets import POSITIONS

_BASE = 10000.0
"""Of the wavelengths of sinusoidal and rotary positions."""
_USUAL_COMPLETION = 24
"""Tokens; the loss of a completion is divided by them, so that a number near that of a token is shown."""
_USUAL_LENGTH = 64
"""Tokens at which scaled attention is as sharp as plain attention."""


class DecoderConfig(PreTrainedConfig):  # type: ignore[no-untyped-call]
    """Sizes and choices: `convolution` tokens up to each one and `look_ahead` after it are seen beside it; 0 for none."""

    model_type = "leucippus-decoder"

    def __init__(
        self,
        vocab_size: int = 100,
        width: int = 128,
        layers: int = 4,
        heads: int = 8,
        positions: str = "none",
        convolution: int = 4,
        look_ahead: int = 4,
        scaled_attention: bool = True,
        loops: int = 1,
        longest: int = 7000,
        **rest: Any,
    ) -> None:
        if positions not in POSITIONS:
            raise ValueError(f"positions are {positions!r}, expected one of {', '.join(POSITIONS)}")
        self.vocab_size, self.width, self.layers, self.heads = vocab_size, width, layers, heads
        self.positions, self.convolution, self.scaled_attention = positions, convolution, scaled_attention
        self.look_ahead, self.loops, self.longest = look_ahead, loops, longest
        super().__init__(**rest)


class Cache:
    """What one pass through one block leaves for the next token."""

    def __init__(self) -> None:
        self.near: Tensor | None = None
        self.keys: Tensor | None = None
        self.values: Tensor | None = None


class Block(nn.Module):
    """Attention and feed-forward layer, each with its norm before and its input added after."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        width = config.width
        self.heads, self.window = config.heads, config.convolution
        self.attention_norm, self.forward_norm = nn.RMSNorm(width), nn.RMSNorm(width)
        self.project, self.join = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width, bias=False)
        self.widen, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.convolution = nn.Parameter(torch.empty(self.window, 3 * width)) if self.window else None
        self.ahead = nn.Parameter(torch.empty(config.look_ahead, 3 * width)) if config.look_ahead else None

    def forward(self, x: Tensor, place: "Place", cache: Cache | None) -> Tensor:
        batch, length, width = x.shape
        mixed = self.project(self.attention_norm(x))
        mixed = self._beside(mixed, place, cache)
        query, key, value = mixed.view(batch, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        query, key = place.turn(query) * place.sharpness.to(query.dtype), place.turn(key)
        if cache is not None:
            if cache.keys is not None and cache.values is not None:
                key, value = torch.cat([cache.keys, key], 2), torch.cat([cache.values, value], 2)
            cache.keys, cache.values = key, value
        attended = functional.scaled_dot_product_attention(
            query, key, value, attn_mask=place.mask(query.dtype), is_causal=place.seen is None
        )
        x = x + self.join(attended.transpose(1, 2).reshape(batch, length, width))
        after: Tensor = x + self.narrow(functional.gelu(self.widen(self.forward_norm(x))))
        return after

    def _beside(self, mixed: Tensor, place: "Place", cache: Cache | None) -> Tensor:
        """Each token with those just before it and, within the prompt, those just after it."""
        length = mixed.shape[1]
        total = mixed
        if self.convolution is not None:
            if place.real is not None:
                mixed = mixed * place.real[:, -length:, None].to(mixed.dtype)
            near = mixed
            if cache is not None:
                before = cache.near if cache.near is not None else mixed.new_zeros(len(mixed), self.window - 1, 1)
                near = torch.cat([before.expand(-1, -1, mixed.shape[2]), mixed], 1)
                cache.near = near[:, 1 - self.window :].clone()
            total = _beside(near, self.convolution, range(self.window - 1, -1, -1))[:, -length:]
        if self.ahead is not None and place.given is not None:
            prompt = mixed * place.given[..., None].to(mixed.dtype)
            total = total + _beside(prompt, self.ahead, range(-1, -1 - len(self.ahead), -1))
        return total


def _beside(tokens: Tensor, weights: Tensor, shifts: Sequence[int]) -> Tensor:
    """For each token the weighted sum of those `shifts` places before it (negative: after it), one weight a channel."""
    summed: Tensor = _Beside.apply(tokens, weights.to(tokens.dtype), shifts)  # type: ignore[no-untyped-call]
    return summed


class _Beside(torch.autograd.Function):
    """Sums in place: a third of the time of torch's depthwise convolution or of products that are added up."""

    @staticmethod
    def forward(ctx: Any, tokens: Tensor, weights: Tensor, shifts: Sequence[int]) -> Tensor:
        ctx.save_for_backward(tokens, weights)
        ctx.shifts = shifts
        total = torch.zeros_like(tokens)
        for weight, shift in zip(weights, shifts, strict=True):
            to, of = _overlap(shift, tokens.shape[1])
            total[:, to].addcmul_(tokens[:, of], weight)
        return total

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor, Tensor, None]:
        tokens, weights = ctx.saved_tensors
        (slope,) = slopes
        of_tokens, of_weights = torch.zeros_like(tokens), torch.zeros_like(weights)
        for at, shift in enumerate(ctx.shifts):
            to, of = _overlap(shift, tokens.shape[1])
            of_tokens[:, of].addcmul_(slope[:, to], weights[at])
            of_weights[at] = (tokens[:, of] * slope[:, to]).sum((0, 1))
        return of_tokens, of_weights, None


def _overlap(shift: int, length: int) -> tuple[slice, slice]:
    """The places that have another so many places before them, and those others."""
    if shift >= 0:
        return slice(min(shift, length), length), slice(0, max(0, length - shift))
    return slice(0, max(0, length + shift)), slice(min(-shift, length), length)


class Place:
    """Where the tokens of one pass stand, and what they may see: the same for all blocks."""

    def __init__(self, config: DecoderConfig, position: Tensor, real: Tensor | None, given: Tensor | None) -> None:
        self.position = position
        self.given = given
        """Batch × tokens: those of the prompt, which are all there before anything is written."""
        self.real = real
        """Batch × keys: no padding. None where padding is on the right and nothing looks at it."""
        length = position.shape[1]
        linear = config.positions == "linear"
        self.seen: Tensor | None = None
        """What is added to the scores of attention: batch × heads × tokens × keys; None where nothing but the future is hidden."""
        if real is not None or linear:
            reach = position if real is None else (real.long().cumsum(1) - 1).clamp(min=0)
            keys = torch.arange(reach.shape[1], device=reach.device)
            open_ = (keys[None, :] <= keys[-length:, None])[None]
            if real is not None:
                # A row of padding sees all that is before it, so that no row sees nothing.
                open_ = open_ & (real[:, None, :] | ~real[:, -length:, None])
            self.seen = torch.zeros(open_.shape).masked_fill(~open_, -math.inf)[:, None]
            if linear:
                distance = (position[:, :, None] - reach[:, None, :]).abs()
                self.seen = self.seen - distance[:, None] * _slopes(config.heads)[:, None, None]
        count = torch.log(position + 2.0) / math.log(_USUAL_LENGTH) if config.scaled_attention else torch.ones(1, 1)
        self.sharpness = count[:, None, :, None]
        self._angles: tuple[Tensor, Tensor] | None = None
        if config.positions == "rotary":
            size = config.width // config.heads
            angle = position[:, None, :, None] * _BASE ** (-torch.arange(0, size, 2, device=position.device) / size)
            self._angles = angle.cos(), angle.sin()

    def mask(self, dtype: torch.dtype) -> Tensor | None:
        """`seen` in the numbers of the queries."""
        if self.seen is not None and self.seen.dtype != dtype:
            self.seen = self.seen.to(dtype)
        return self.seen

    def turn(self, heads: Tensor) -> Tensor:
        """Queries or keys as rotary positions turn them."""
        if self._angles is None:
            return heads
        cosine, sine = (angle.to(heads.dtype) for angle in self._angles)
        one, other = heads.chunk(2, -1)
        return torch.cat([one * cosine - other * sine, one * sine + other * cosine], -1)


class Decoder(PreTrainedModel):  # type: ignore[no-untyped-call]
    """Token numbers → scores of the next token; with labels also the loss, at labels other than -100 alone."""

    config_class = DecoderConfig
    config: DecoderConfig

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__(config)
        self.embed = nn.Embedding(config.vocab_size, config.width)
        self.placed = nn.Embedding(config.longest, config.width) if config.positions == "learned" else None
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = nn.RMSNorm(config.width)
        self.score = nn.Linear(config.width, config.vocab_size, bias=False)
        self.post_init()  # type: ignore[no-untyped-call]

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=0.05)
        elif isinstance(module, nn.Linear):
            nn.init.kaiming_uniform_(module.weight, a=math.sqrt(5))
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.RMSNorm):
            nn.init.ones_(module.weight)
        elif isinstance(module, Block):
            if module.convolution is not None:
                nn.init.normal_(module.convolution, std=0.1)
                with torch.no_grad():
                    module.convolution[-1] += 1.0  # at first little more than the token itself
            if module.ahead is not None:
                nn.init.normal_(module.ahead, std=0.1)

    def forward(
        self,
        input_ids: Tensor,
        labels: Tensor | None = None,
        attention_mask: Tensor | None = None,
        given: Tensor | None = None,
        **_: Any,
    ) -> CausalLMOutput:
        """Padding, if any, is on the right; labels are those of the tokens themselves.

        Parameters
        ----------
        given : batch × tokens, the prompts; where it is not said, all before the first label, and nothing without labels.
        """
        position = torch.arange(input_ids.shape[1], device=input_ids.device)[None]
        if given is None and labels is not None:
            given = (labels != -100).long().cumsum(1) == 0
        hidden = self._hidden(input_ids, Place(self.config, position, None, given), None)
        if labels is None:
            return CausalLMOutput(logits=self.score(hidden))
        learned = labels[:, 1:] != -100
        logits = self.score(hidden[:, :-1][learned])
        # Per lesson, not per token of the batch: among lessons of like length the long ones would else hardly count.
        total = functional.cross_entropy(logits.float(), labels[:, 1:][learned], reduction="sum")
        loss: Any = total / (len(labels) * _USUAL_COMPLETION)
        return CausalLMOutput(loss=loss, logits=logits)

    @torch.no_grad()
    def write(self, prompts: Sequence[Sequence[int]], stops: Sequence[int], longest: int) -> list[list[int]]:
        """The likeliest token after the other, up to and with one of `stops`, or `longest` tokens."""
        width = max(map(len, prompts))
        ids = torch.zeros(len(prompts), width, dtype=torch.long)
        real = torch.zeros(len(prompts), width, dtype=torch.bool)
        for row, prompt in enumerate(prompts):
            ids[row, width - len(prompt) :] = torch.tensor(prompt)
            real[row, width - len(prompt) :] = True
        caches = [Cache() for _ in range(self.config.loops * len(self.blocks))]
        written: list[list[int]] = [[] for _ in prompts]
        open_rows = torch.arange(len(prompts))
        ended = torch.tensor(list(stops))
        given: Tensor | None = real
        for _ in range(longest):
            position = (real.long().cumsum(1) - 1).clamp(min=0)[:, -ids.shape[1] :]
            hidden = self._hidden(ids, Place(self.config, position, real, given), caches)
            given = None
            ids = self.score(hidden[:, -1]).argmax(-1)[:, None]
            for row, token in zip(open_rows.tolist(), ids[:, 0].tolist(), strict=True):
                written[row].append(token)
            going = ~torch.isin(ids[:, 0], ended)
            if not going.any():
                break
            if going.sum() < 0.7 * len(open_rows):  # leave out those that are done
                ids, real, open_rows = ids[going], real[going], open_rows[going]
                for cache in caches:
                    cache.near = cache.near[going] if cache.near is not None else None
                    cache.keys = cache.keys[going] if cache.keys is not None else None
                    cache.values = cache.values[going] if cache.values is not None else None
            real = torch.cat([real, torch.ones(len(ids), 1, dtype=torch.bool)], 1)
        return [_until(tokens, stops) for tokens in written]

    def _hidden(self, ids: Tensor, place: Place, caches: list[Cache] | None) -> Tensor:
        x = self.embed(ids)
        config = self.config
        if config.positions in ("learned", "sinusoidal"):
            x = x + self._positions(place.position)
        for loop in range(config.loops):
            for at, block in enumerate(self.blocks):
                x = block(x, place, caches[loop * len(self.blocks) + at] if caches else None)
        normed: Tensor = self.norm(x)
        return normed

    def _positions(self, position: Tensor) -> Tensor:
        """What learned or sinusoidal positions add to the tokens."""
        if self.placed is not None:
            if int(position.max()) >= self.config.longest:
                raise InputError(
                    f"A text of {int(position.max()) + 1} tokens is too long for a model with learned positions.",
                    expected=f"at most {self.config.longest} tokens",
                )
            placed: Tensor = self.placed(position)
            return placed
        half = torch.arange(0, self.config.width, 2, device=position.device) / self.config.width
        angle = position[..., None] * _BASE**-half
        return torch.cat([angle.sin(), angle.cos()], -1)


def _slopes(heads: int) -> Tensor:
    """How fast each head forgets with distance: every second one not at all, the others from 1 downwards by halves."""
    return torch.tensor([0.0 if head % 2 == 0 else 0.5 ** (head // 2) for head in range(heads)])


def _until(tokens: list[int], stops: Sequence[int]) -> list[int]:
    for at, token in enumerate(tokens):
        if token in stops:
            return tokens[: at + 1]
    return tokens
