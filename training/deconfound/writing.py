"""A policy as two functions: how likely a text is to be its answer, and what it writes. Any causal language model.

The base and the adapter are one model in memory: with the adapter switched off it is the base.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leucippus.serving.arithmetic import fast_bfloat16
from leucippus.serving.loading import ALONE
from leucippus.training.adapter import PLAIN

_LOGITS = 2**24
"""Of one batch: 64 MB in float32."""
_CACHED = 2**12
"""Tokens whose keys and values one batch may keep while it writes."""


class Policy:
    """A language model with or without an adapter.

    Parameters
    ----------
    base : its folder.
    adapter : a PEFT adapter's folder, or None for the base alone.
    """

    def __init__(self, base: Path, adapter: Path | None = None) -> None:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer
        from transformers.utils import logging

        untyped: Any = logging
        untyped.disable_progress_bar()
        with ALONE:
            self.tokenizer: Any = ready(AutoTokenizer.from_pretrained(base))
            model: Any = AutoModelForCausalLM.from_pretrained(
                base, dtype=torch.bfloat16 if fast_bfloat16() else torch.float32
            )
            if adapter is not None:
                from peft import PeftModel

                model = PeftModel.from_pretrained(model, str(adapter))
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self.model: Any = model.to(self._device).eval()

    def as_base(self) -> AbstractContextManager[Any]:
        """While this is entered the adapter does nothing."""
        found: AbstractContextManager[Any] = (
            self.model.disable_adapter() if hasattr(self.model, "disable_adapter") else nullcontext()
        )
        return found

    def likelihoods(self, prompts: Sequence[str], texts: Sequence[str]) -> NDArray[np.float64]:
        """log π(text | prompt), (q,), over the tokens of the text and its end."""
        import torch

        found = np.zeros(len(texts))
        rows = [completion_of(self.tokenizer, *row) for row in zip(prompts, texts, strict=True)]
        for places in _alike([len(ids) for ids, _ in rows], _LOGITS // len(self.tokenizer)):
            longest = max(len(rows[at][0]) for at in places)
            ids = torch.full((len(places), longest), self.tokenizer.pad_token_id)
            labels = torch.full((len(places), longest), -100)
            for line, at in enumerate(places):
                tokens, begin = torch.tensor(rows[at][0]), rows[at][1]
                ids[line, : len(tokens)] = tokens
                labels[line, begin : len(tokens)] = tokens[begin:]
            mask = torch.arange(longest)[None] < torch.tensor([len(rows[at][0]) for at in places])[:, None]
            with torch.inference_mode():
                given = {"input_ids": ids, "attention_mask": mask.long()}
                logits = self.model(**{name: value.to(self._device) for name, value in given.items()}).logits
                loss = torch.nn.functional.cross_entropy(
                    logits[:, :-1].float().transpose(1, 2), labels[:, 1:].to(self._device), reduction="none"
                )
            found[places] = -loss.sum(-1).double().cpu().numpy()
        return found

    def write(
        self, prompts: Sequence[str], *, each: int = 1, tokens: int = 64, temperature: float = 1.0, seed: int = 0
    ) -> list[list[str]]:
        """`each` texts drawn for every prompt, of at most so many tokens."""
        import torch

        asked = [
            self.tokenizer.apply_chat_template(
                [{"role": "user", "content": prompt}], tokenize=False, add_generation_prompt=True
            )
            for prompt in prompts
        ]
        written: list[list[str]] = [[] for _ in prompts]
        torch.manual_seed(seed)
        for places in _alike([each * (len(text) + tokens) for text in asked], _CACHED):
            given = self.tokenizer(
                [asked[at] for at in places],
                add_special_tokens=False,
                padding=True,
                padding_side="left",
                return_tensors="pt",
                return_token_type_ids=False,
            ).to(self._device)
            with torch.inference_mode():
                drawn = self.model.generate(
                    **given,
                    max_new_tokens=tokens,
                    do_sample=True,
                    temperature=temperature,
                    top_k=0,
                    top_p=1.0,
                    num_return_sequences=each,
                    pad_token_id=self.tokenizer.pad_token_id,
                )
            texts = self.tokenizer.batch_decode(drawn[:, given["input_ids"].shape[1] :], skip_special_tokens=True)
            for line, at in enumerate(places):
                written[at] = [text.strip() for text in texts[line * each : (line + 1) * each]]
        return written


def ready(tokenizer: Any) -> Any:
    """A tokenizer that can pad, and turns conversations into text as the engine does."""
    tokenizer.chat_template = tokenizer.chat_template or PLAIN
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def completion_of(tokenizer: Any, prompt: str, text: str) -> tuple[list[int], int]:
    """The tokens of prompt and text, and where the text begins: as TRL tells them apart."""
    asked = [{"role": "user", "content": prompt}]
    options = {"tokenize": True, "return_dict": False}
    before = tokenizer.apply_chat_template(asked, add_generation_prompt=True, **options)
    whole = tokenizer.apply_chat_template([*asked, {"role": "assistant", "content": text}], **options)
    begin = next((at for at, (one, other) in enumerate(zip(before, whole, strict=False)) if one != other), len(before))
    return list(whole), min(begin, len(whole))


def _alike(lengths: Sequence[int], most: int) -> Iterator[list[int]]:
    """Places of like lengths together, no more than `most` in all with padding, unless one alone is longer."""
    batch: list[int] = []
    for at in sorted(range(len(lengths)), key=lambda at: (lengths[at], at)):
        if batch and (len(batch) + 1) * lengths[at] > most:
            yield batch
            batch = []
        batch.append(at)
    if batch:
        yield batch
