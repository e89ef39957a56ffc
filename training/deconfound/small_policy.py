"""A decoder of one to three million weights, trained from nothing on the texts of a log: a policy that a core can tune.

It writes what the log writes, as often as the log does, so it stands for the model that a company has in service. The
folder is an ordinary Hugging Face one, with a tokenizer of whole words.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from leucippus.errors import InputError
from leucippus.training.deconfound.writing import completion_of, ready

PAD, UNKNOWN, BEGIN, END = "[PAD]", "[UNK]", "[BOS]", "[EOS]"
_TEMPLATE = (
    "[BOS] {% for message in messages %}{{ message['content'] }} "
    "{% if message['role'] == 'user' %}[BOS]{% else %}[EOS]{% endif %} {% endfor %}"
)
"""Words are told apart by spaces, so marks need them too."""


@dataclass(frozen=True)
class SmallRecipe:
    """Sizes and training."""

    width: int = 160
    layers: int = 4
    heads: int = 4
    steps: int = 400
    batch: int = 64
    learning_rate: float = 2e-3
    warmup: int = 40
    seed: int = 0


def train_small_policy(
    prompts: Sequence[str],
    texts: Sequence[str],
    out: Path,
    recipe: SmallRecipe | None = None,
    report: Callable[[int, int, float], None] = lambda step, steps, loss: None,
) -> int:
    """Write a decoder that answers prompts with texts into `out`; returns its number of weights.

    Parameters
    ----------
    prompts, texts : one of each for every row of the log: a text that was shown often is learnt often.

    Raises
    ------
    InputError : there are no rows.
    """
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM
    from transformers.utils import logging

    recipe = recipe or SmallRecipe()
    if not texts:
        raise InputError("There are no texts to learn from.", expected="one or more")
    quiet: Any = logging
    quiet.disable_progress_bar()
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    tokenizer = word_tokenizer([*prompts, *texts])
    unique = {row: completion_of(tokenizer, *row) for row in set(zip(prompts, texts, strict=True))}
    longest = max(len(ids) for ids, _ in unique.values())
    config: Any = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=recipe.width,
        intermediate_size=3 * recipe.width,
        num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads,
        max_position_embeddings=max(128, 2 * longest),
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    untyped: Any = LlamaForCausalLM
    model = untyped(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=recipe.learning_rate, betas=(0.9, 0.98), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: min((step + 1) / recipe.warmup, 0.5 + 0.5 * math.cos(math.pi * min(1.0, step / recipe.steps))),
    )
    model.train()
    for step in range(recipe.steps):
        rows = [unique[(str(prompts[at]), str(texts[at]))] for at in rng.integers(len(texts), size=recipe.batch)]
        width = max(len(ids) for ids, _ in rows)
        ids = torch.full((len(rows), width), tokenizer.pad_token_id)
        labels = torch.full((len(rows), width), -100)
        for line, (tokens, begin) in enumerate(rows):
            ids[line, : len(tokens)] = torch.tensor(tokens)
            labels[line, begin : len(tokens)] = torch.tensor(tokens[begin:])
        loss = model(input_ids=ids, attention_mask=(ids != tokenizer.pad_token_id).long(), labels=labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)
        report(step + 1, recipe.steps, loss.item())
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
    return sum(weights.numel() for weights in model.parameters())


def word_tokenizer(texts: Sequence[str]) -> Any:
    """Every word of the texts is a token; what is written back has one space between words."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import WhitespaceSplit
    from transformers import PreTrainedTokenizerFast

    words = dict.fromkeys(word for text in texts for word in text.split())
    marks = (PAD, UNKNOWN, BEGIN, END)
    vocabulary = {word: at for at, word in enumerate([*marks, *(word for word in words if word not in marks)])}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    untyped: Any = PreTrainedTokenizerFast
    made = untyped(tokenizer_object=tokenizer, pad_token=PAD, unk_token=UNKNOWN, bos_token=BEGIN, eos_token=END)
    made.chat_template = _TEMPLATE
    return ready(made)
