"""Sentences to vectors with the packaged MiniLM. Plain transformers: 384 numbers a text, unit length."""

import os
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leucippus.serving.loading import ALONE
from leucippus.serving.packaged import minilm_folder

_MAX_TOKENS = 128

Encode = Callable[[Sequence[str]], NDArray[np.float32]]
"""Texts to vectors of shape (len(texts), 384)."""


def encode(texts: Sequence[str]) -> NDArray[np.float32]:
    """`Encoder().encode`, with the model loaded at the first call: loading takes seconds, and few commands need it."""
    return _encoder().encode(texts)


@cache
def _encoder() -> "Encoder":
    return Encoder()


class Encoder:
    """all-MiniLM-L6-v2 as sentence-transformers runs it: mean of the token vectors, then normalised.

    Raises
    ------
    ModelNotFound : the package that carries the model is not installed.
    """

    def __init__(self, folder: Path | None = None) -> None:
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        folder = folder or minilm_folder()
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils import logging

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]

        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        with ALONE:
            self._model: Any = AutoModel.from_pretrained(folder).eval()

    def encode(self, texts: Sequence[str], *, batch: int = 64) -> NDArray[np.float32]:
        """Vectors of shape (len(texts), 384), in the order of `texts`."""
        import torch

        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))  # like lengths together: little padding
        vectors = np.zeros((len(texts), self._model.config.hidden_size), dtype=np.float32)
        with torch.inference_mode():
            for at in range(0, len(order), batch):
                chosen = order[at : at + batch]
                tokens = self._tokenizer(
                    [texts[i] for i in chosen],
                    padding=True,
                    truncation=True,
                    max_length=_MAX_TOKENS,
                    return_tensors="pt",
                )
                hidden = self._model(**tokens).last_hidden_state
                mask = tokens["attention_mask"][..., None]
                mean = (hidden * mask).sum(1) / mask.sum(1)
                vectors[chosen] = torch.nn.functional.normalize(mean, dim=-1).float().numpy()
        return vectors
