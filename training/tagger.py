"""Fine-tune the packaged MiniLM as the tagger: causes, effects, links, anchors, sign, negation, hedging at once.

The word embeddings (half of the encoder) stay as they are: they need not be shipped, and rare words keep the meaning
they were given by more text than we have. Losses are summed; each is a mean over what was annotated. The weights kept
are a running average over the steps (Polyak and Juditsky, 1992), and then the mean of several runs that start from the
same weights and see the texts in other orders (model soups, Wortsman et al., 2022, arXiv:2203.05482). A mean is a little
blurred, mostly where a sentence makes several claims: a short run from there, averaged with where it began (Wortsman et
al., 2022, arXiv:2109.01903), mends that.
"""

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import binary_cross_entropy_with_logits as binary_loss
from torch.nn.functional import cross_entropy

from leucippus.agents import tagging
from leucippus.serving.arithmetic import fast_bfloat16
from leucippus.serving.tagger import MAX_TOKENS, words_of
from leucippus.training.examples import Example, Mark, Span

Words = tuple[int, int]
_LIKELY = 6
"""Words that a claim without an annotated link may hang on."""


@dataclass(frozen=True)
class Recipe:
    """The tagger's hyperparameters."""

    runs: int = 3
    """Of which the mean is taken; each has its own seed, the first one `seed`."""
    epochs: int = 6
    batch: int = 32
    learning_rate: float = 5e-4
    further: int = 2
    """Epochs of the short run from the mean of the others."""
    further_rate: float = 1e-4
    warmup: float = 0.1
    weight_decay: float = 0.01
    average: float = 0.995
    masked: float = 0.12
    """Share of the word pieces hidden at each step: what is left to learn from is the construction, not the topic."""
    seed: int = 0


@dataclass(frozen=True)
class Lesson:
    """An example as the model sees it, in words; `link` is empty where linking words were not annotated."""

    input_ids: list[int]
    first: list[int]
    claims: list[tuple[Words, Words, Mark, range]]
    """Cause, effect, annotation, and the words of its link: none where there is no link, or none was annotated."""
    link: list[float]
    claim: bool


def lesson(example: Example, encoding: Any) -> Lesson:
    """Character spans to word spans. A claim that lies beyond the model's longest text is left out."""
    first, offsets = words_of(encoding)
    claims, link = [], [0.0] * len(first)
    for mark in example.marks:
        cause, effect = _to_words(mark.cause, offsets), _to_words(mark.effect, offsets)
        words = _to_words(mark.link, offsets) if mark.link else None
        if cause and effect:
            claims.append((cause, effect, mark, range(*words) if words else range(0)))
        if words:
            link[slice(*words)] = [1.0] * (words[1] - words[0])
    return Lesson(encoding.ids, first, claims, link if example.fully_annotated else [], bool(example.marks))


def _to_words(span: Span, offsets: Sequence[Span]) -> Words | None:
    inside = [i for i, (start, end) in enumerate(offsets) if start < span[1] and span[0] < end]
    return (inside[0], inside[-1] + 1) if inside else None


def train_mean(
    examples: Sequence[Example],
    model: Any,
    tokenizer: Any,
    recipe: Recipe,
    folder: Path,
    report: Callable[[int, int, float], None] = lambda step, steps, loss: None,
) -> None:
    """Fine-tune `model` in place: to the mean of several runs, a little further from there, and half the way back.

    What is done stays in `folder`, where a call that was stopped is taken up again; the caller removes it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    start = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    finished = [folder / f"run-{run}.pt" for run in range(recipe.runs)]
    for run, path in enumerate(finished):
        if not path.is_file():
            model.load_state_dict(start)
            of_all = partial(_report_of, report, run, recipe.runs)
            train(
                examples, model, tokenizer, replace(recipe, seed=recipe.seed + run), path.with_suffix(".ckpt"), of_all
            )
            _write(path, model.state_dict())
    mean = _mean([torch.load(path, weights_only=True) for path in finished])
    model.load_state_dict(mean)
    further = replace(recipe, seed=recipe.seed + recipe.runs, epochs=recipe.further, learning_rate=recipe.further_rate)
    train(examples, model, tokenizer, further, folder / "further.ckpt", report)
    model.load_state_dict(_mean([mean, model.state_dict()]))


def _mean(states: Sequence[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    return {
        name: torch.stack([state[name].float() for state in states]).mean(0).to(tensor.dtype)
        for name, tensor in states[0].items()
    }


def _report_of(
    report: Callable[[int, int, float], None], run: int, runs: int, step: int, steps: int, loss: float
) -> None:
    report(run * steps + step, runs * steps, loss)


def train(
    examples: Sequence[Example],
    model: Any,
    tokenizer: Any,
    recipe: Recipe,
    checkpoint: Path | None = None,
    report: Callable[[int, int, float], None] = lambda step, steps, loss: None,
) -> None:
    """One run: fine-tune `model` (a `BertForTokenClassification` of `tagging.WIDTH` labels) in place.

    Parameters
    ----------
    checkpoint : file that holds the state after each epoch; where it exists, training goes on from there.
    """
    torch.manual_seed(recipe.seed)
    torch.set_flush_denormal(True)  # thousands of spans share a softmax: most gradients all but vanish, and are slow
    encoded = tokenizer([example.text for example in examples], truncation=True, max_length=MAX_TOKENS)
    lessons = [lesson(example, encoded[i]) for i, example in enumerate(examples)]
    model.bert.embeddings.word_embeddings.requires_grad_(False)
    tuned = [p for p in model.parameters() if p.requires_grad]
    steps = recipe.epochs * math.ceil(len(lessons) / recipe.batch)
    optimiser = torch.optim.AdamW(tuned, lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    warm = max(1, int(recipe.warmup * steps))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / warm, (steps - step) / max(1, steps - warm))
    )
    averages = [p.detach().clone() for p in tuned]
    done = _resume(checkpoint, model, optimiser, schedule, averages)
    per_epoch = math.ceil(len(lessons) / recipe.batch)
    model.train()
    for step, batch in enumerate(_batches(lessons, recipe), 1):
        if step <= done:
            continue
        ids, mask = _padded(batch, tokenizer.pad_token_id)
        hidden = (torch.rand(ids.shape) < recipe.masked) & (ids > tokenizer.mask_token_id)  # special tokens come first
        ids = ids.masked_fill(hidden, tokenizer.mask_token_id)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=fast_bfloat16()):
            logits = model(input_ids=ids, attention_mask=mask).logits
        loss = loss_of(logits.float(), batch)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(tuned, 1.0)
        optimiser.step()
        schedule.step()
        keep = min(recipe.average, step / (step + 10))
        with torch.no_grad():
            for average, p in zip(averages, tuned, strict=True):
                average.lerp_(p, 1 - keep)
        report(step, steps, loss.item())
        if checkpoint and step % per_epoch == 0 and step < steps:
            _save(checkpoint, step, model, optimiser, schedule, averages)
    with torch.no_grad():
        for average, p in zip(averages, tuned, strict=True):
            p.copy_(average)
    model.eval()


def _save(path: Path, step: int, model: Any, optimiser: Any, schedule: Any, averages: list[torch.Tensor]) -> None:
    state = {
        "step": step,
        "model": model.state_dict(),
        "optimiser": optimiser.state_dict(),
        "schedule": schedule.state_dict(),
        "averages": averages,
        "random": torch.get_rng_state(),
    }
    _write(path, state)


def _write(path: Path, state: Any) -> None:
    torch.save(state, path.with_suffix(".part"))
    path.with_suffix(".part").rename(path)  # whole or not at all


def _resume(path: Path | None, model: Any, optimiser: Any, schedule: Any, averages: list[torch.Tensor]) -> int:
    """Put back the state of the last checkpoint; returns the steps already done."""
    if path is None or not path.is_file():
        return 0
    state = torch.load(path, weights_only=True)
    model.load_state_dict(state["model"])
    optimiser.load_state_dict(state["optimiser"])
    schedule.load_state_dict(state["schedule"])
    for average, kept in zip(averages, state["averages"], strict=True):
        average.copy_(kept)
    torch.set_rng_state(state["random"])
    return int(state["step"])


def loss_of(logits: torch.Tensor, batch: Sequence[Lesson]) -> torch.Tensor:
    """The sum of the losses of one batch. logits: (batch, tokens, WIDTH)."""
    total = binary_loss(logits[:, 0, tagging.CLAIM], torch.tensor([float(item.claim) for item in batch]))
    links, linked, chances, attributes, marks = [], [], [], [], []
    for row, item in enumerate(batch):
        words = logits[row, item.first]
        if item.link:
            links.append(words[:, tagging.LINK])
            linked += item.link
        if not item.claims:
            continue
        anchors, allowed = _anchors(words, item)
        hung = words[:, tagging.ANCHOR].log_softmax(0)[anchors]
        of_cause, of_effect = (_span_scores(words, layer, anchors) for layer in (tagging.CAUSE, tagging.EFFECT))
        for (cause, effect, mark, _), may in zip(item.claims, allowed, strict=True):
            joint = hung + of_cause[:, cause[0], cause[1] - 1] + of_effect[:, effect[0], effect[1] - 1]
            joint = joint.masked_fill(~may, -torch.inf)
            chances.append(joint.logsumexp(0))
            if mark.sign is not None:
                share = joint.detach().softmax(0)
                attributes.append(words[slice(*cause)].mean(0) + words[slice(*effect)].mean(0) + share @ words[anchors])
                marks.append(mark)
    if links:
        total = total + binary_loss(torch.cat(links), torch.tensor(linked))
    if chances:
        total = total - torch.stack(chances).mean()
    if marks:
        both = torch.stack(attributes)
        signs = torch.tensor([tagging.SIGNS.index(mark.sign) for mark in marks if mark.sign is not None])
        total = total + cross_entropy(both[:, tagging.SIGN], signs)
        for column, name in ((tagging.NEGATED, "negated"), (tagging.HEDGED, "hedged")):
            total = total + binary_loss(both[:, column], torch.tensor([float(getattr(mark, name)) for mark in marks]))
    return total


def _anchors(words: torch.Tensor, item: Lesson) -> tuple[list[int], list[torch.Tensor]]:
    """Words that the claims of a text may hang on, and which of them each claim may: its link, else any likely one."""
    likely = words[:, tagging.ANCHOR].detach().topk(min(_LIKELY, len(words))).indices.tolist()
    anchors = sorted({*likely, *(i for *_, link in item.claims for i in link)})
    return anchors, [torch.tensor([a in (link or likely) for a in anchors]) for *_, link in item.claims]


def _span_scores(words: torch.Tensor, layer: tagging.Layer, anchors: list[int]) -> torch.Tensor:
    """`tagging.span_scores`, differentiable."""
    n = len(words)
    scores: torch.Tensor = tagging.unnormalised(words, layer, anchors)
    scores = scores.masked_fill(torch.ones(n, n, dtype=torch.bool).tril(-1), -torch.inf)
    return scores - scores.flatten(1).logsumexp(1)[:, None, None]


def _batches(lessons: Sequence[Lesson], recipe: Recipe) -> Iterator[list[Lesson]]:
    """Shuffled each epoch; texts of like length share a batch, so that little of it is padding."""
    rng = random.Random(recipe.seed)
    for _ in range(recipe.epochs):
        order = sorted(lessons, key=lambda item: len(item.input_ids) * rng.uniform(0.8, 1.25))
        batches = [order[at : at + recipe.batch] for at in range(0, len(order), recipe.batch)]
        rng.shuffle(batches)
        yield from batches


def _padded(batch: Sequence[Lesson], pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    longest = max(len(item.input_ids) for item in batch)
    ids = torch.tensor([item.input_ids + [pad] * (longest - len(item.input_ids)) for item in batch])
    return ids, (ids != pad).long()
