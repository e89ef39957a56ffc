"""A token classifier over words: a text in, numbers for each of its words out. Knows no labels.

The body is the packaged MiniLM with the weights of an extractor folder laid over it; plain transformers run it, in
bfloat16 where that is fast, and in batches of like length. That is as fast on a CPU as vLLM's pooling runner and ready in seconds instead of
half a minute. What it holds is a usual `BertForTokenClassification`.
"""

import asyncio
import json
import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leucippus.errors import ModelNotFound
from leucippus.serving.arithmetic import fast_bfloat16
from leucippus.serving.loading import ALONE
from leucippus.serving.packaged import minilm_folder

MAX_TOKENS = 256
WEIGHTS, DESCRIPTION = "tagger.safetensors", "tagger.json"
_FROZEN = "bert.embeddings.word_embeddings.weight"
"""Half of the encoder: never tuned, so never shipped."""


@dataclass(frozen=True)
class Scores:
    """What the classifier says of one text.

    `offsets` are the words' places in the text, `words` has shape (len(offsets), width), `head` (width,) is the first
    token's. A text longer than the model's 256 tokens is cut: `offsets` then end early.
    """

    offsets: tuple[tuple[int, int], ...]
    head: NDArray[np.float32]
    words: NDArray[np.float32]
    cut: bool = False


@dataclass(frozen=True)
class TaggerInfo:
    """What a tagger says of itself once it is ready."""

    folder: str
    start_seconds: float


def words_of(encoding: Any) -> tuple[list[int], list[tuple[int, int]]]:
    """Of one tokenised text: the index of each word's first piece, and the words' offsets."""
    first: list[int] = []
    offsets: list[tuple[int, int]] = []
    seen = None
    for i, (word, (start, end)) in enumerate(zip(encoding.word_ids, encoding.offsets, strict=True)):
        if word is None:
            continue
        if word != seen:
            first.append(i)
            offsets.append((start, end))
        else:
            offsets[-1] = (offsets[-1][0], end)
        seen = word
    return first, offsets


def base_model(width: int, seed: int = 0) -> tuple[Any, Any]:
    """The packaged MiniLM with a head of `width` random numbers a word, and its tokenizer."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import torch
    from transformers import AutoModelForTokenClassification, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    with ALONE:
        torch.manual_seed(seed)
        level = logging.get_verbosity()
        logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # it would report the new head as missing
        try:
            model = AutoModelForTokenClassification.from_pretrained(
                minilm_folder(), num_labels=width, dtype=torch.float32
            )
        finally:
            logging.set_verbosity(level)
    return model, AutoTokenizer.from_pretrained(minilm_folder())


def save_tagger(model: Any, folder: Path) -> None:
    """Write what was tuned, in half precision, with what it has to be laid over."""
    import torch
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    tuned = {name: t.detach().to(torch.float16).contiguous() for name, t in model.state_dict().items()}
    del tuned[_FROZEN]
    save_file(tuned, folder / WEIGHTS)
    (folder / DESCRIPTION).write_text(json.dumps({"base": "all-MiniLM-L6-v2", "width": model.config.num_labels}) + "\n")


class Tagger:
    """A token classifier and its tokenizer."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self._model, self._tokenizer = model, tokenizer
        self._alone = (
            threading.Lock()
        )  # the tokenizer keeps how it truncates in itself; two threads would take turns at it

    @classmethod
    def load(cls, folder: Path) -> "Tagger":
        """The tagger of an extractor folder.

        Raises
        ------
        ModelNotFound : the folder holds no tagger, or one that does not fit the packaged encoder.
        """
        import torch
        from safetensors.torch import load_file

        try:
            width = int(json.loads((folder / DESCRIPTION).read_text())["width"])
            tuned = load_file(folder / WEIGHTS)
        except (OSError, ValueError, KeyError) as error:
            raise ModelNotFound(
                f"{folder} holds no tagger: {error}", expected=f"{WEIGHTS} and {DESCRIPTION}"
            ) from error
        model, tokenizer = base_model(width)
        missing, unknown = model.load_state_dict({name: t.float() for name, t in tuned.items()}, strict=False)
        if unknown or set(missing) != {_FROZEN}:
            raise ModelNotFound(f"The tagger in {folder} does not fit all-MiniLM-L6-v2: {[*missing, *unknown][:3]} …")
        return cls(model.to(torch.bfloat16 if fast_bfloat16() else torch.float32).eval(), tokenizer)

    def score(self, texts: Sequence[str], *, batch: int = 32) -> list[Scores]:
        """The scores of each text, in the order of `texts`; the same texts give the same scores."""
        if not texts:
            return []
        with self._alone:
            return self._score(texts, batch)

    def _score(self, texts: Sequence[str], batch: int) -> list[Scores]:
        import torch

        encoded = self._tokenizer(list(texts), truncation=True, max_length=MAX_TOKENS)
        order = sorted(range(len(texts)), key=lambda i: len(encoded["input_ids"][i]))  # little padding
        found: dict[int, Scores] = {}
        with torch.inference_mode():
            for at in range(0, len(order), batch):
                chosen = order[at : at + batch]
                tokens = self._tokenizer.pad(
                    {key: [encoded[key][i] for i in chosen] for key in ("input_ids", "attention_mask")},
                    return_tensors="pt",
                )
                logits = self._model(**tokens).logits.float().numpy()
                for row, i in enumerate(chosen):
                    first, offsets = words_of(encoded[i])
                    cut = bool(encoded[i].overflowing)
                    found[i] = Scores(tuple(offsets), logits[row, 0].copy(), logits[row, first], cut)
        return [found[i] for i in range(len(texts))]


class LocalTagger:
    """One tagger in this process: what a laptop needs. Answers like a pool."""

    batches_at_once = 1

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tagger: Tagger | None = None

    async def start(self) -> None:
        if self._tagger is None:
            self._tagger = await asyncio.to_thread(Tagger.load, self._folder)

    async def score(self, texts: Sequence[str]) -> list[Scores]:
        await self.start()
        assert self._tagger is not None
        return await asyncio.to_thread(self._tagger.score, texts)

    async def close(self) -> None:
        self._tagger = None


class TaggerActor:
    """A tagger as a Ray actor; heavy imports happen inside the actor."""

    def __init__(self, folder: str) -> None:
        started = time.monotonic()
        self._tagger = Tagger.load(Path(folder))
        self._tagger.score(["The first text is slow."])
        self._info = TaggerInfo(folder, time.monotonic() - started)

    def info(self) -> TaggerInfo:
        return self._info

    def score(self, texts: Sequence[str]) -> list[Scores]:
        return self._tagger.score(texts)
