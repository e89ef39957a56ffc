"""What a language model answers to questions in plain English, and how two models compare on the same questions.

A base model is not to be beaten for its manners alone: besides what it writes, it is asked whether "Yes" or "No" is the
likelier first word, and the better of the two ways counts for it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from leucippus.training.axiomatic.evaluate import wilson
from leucippus.training.axiomatic.spoken import Spoken, SpokenSuite

_STATED = re.compile(r"\banswer\s+is\W*(yes|no)\b", re.IGNORECASE)
_FIRST = re.compile(r"^\W*(yes|no)\b", re.IGNORECASE)
_ALONE = re.compile(r"\b(yes|no)\b(?=\s*(?:[.,;:!*\"'”)\]]|$))", re.IGNORECASE | re.MULTILINE)
_ORDINARY = 1.96
_WORDS = {True: ("Yes", "yes", " Yes", " yes"), False: ("No", "no", " No", " no")}


def answered(text: str) -> bool | None:
    """Whether a text says Yes or No: as it states its answer at the end, else as it begins, else by the first that
    stands alone (not in "no effect"); None if it says neither."""
    if stated := _STATED.findall(text):
        return bool(stated[-1].lower() == "yes")
    found = _FIRST.match(text.strip()) or _ALONE.search(text)
    return found[1].lower() == "yes" if found else None


class LanguageModel:
    """A causal language model through transformers.

    Parameters
    ----------
    model, tokenizer : of transformers; without a chat template, questions are put as plain turns.
    batch : questions answered side by side.
    """

    def __init__(self, model: Any, tokenizer: Any, batch: int = 100) -> None:
        from leucippus.training.adapter import PLAIN

        self._model = model.eval()
        self._tokenizer = tokenizer
        self._tokenizer.chat_template = tokenizer.chat_template or PLAIN
        if tokenizer.pad_token is None:
            self._tokenizer.pad_token = tokenizer.eos_token
        self._batch = batch

    def write(self, prompts: Sequence[str], longest: int) -> list[str]:
        """The greedy answer to each prompt, of at most `longest` tokens."""
        import torch

        written = [""] * len(prompts)
        for places, asked in self._batches(prompts):
            with torch.inference_mode():
                tokens = self._model.generate(
                    **asked, max_new_tokens=longest, do_sample=False, pad_token_id=self._tokenizer.pad_token_id
                )
            answers = self._tokenizer.batch_decode(tokens[:, asked["input_ids"].shape[1] :], skip_special_tokens=True)
            for place, answer in zip(places, answers, strict=True):
                written[place] = answer
        return written

    def leans(self, prompts: Sequence[str]) -> list[bool]:
        """Whether an answer is likelier to begin with Yes than with No."""
        import torch

        begin = {
            yes: sorted({self._tokenizer(word, add_special_tokens=False).input_ids[0] for word in words})
            for yes, words in _WORDS.items()
        }
        leaning = [False] * len(prompts)
        for places, asked in self._batches(prompts):
            with torch.inference_mode():
                logits = self._model(**asked, logits_to_keep=1).logits[:, -1].float()
            yes, no = (logits[:, begin[side]].logsumexp(-1) for side in (True, False))
            for place, side in zip(places, (yes > no).tolist(), strict=True):
                leaning[place] = side
        return leaning

    def _batches(self, prompts: Sequence[str]) -> Any:
        """Places and padded tokens, prompts of like length together."""
        texts = [
            self._tokenizer.apply_chat_template(
                [{"role": "user", "content": prompt}], tokenize=False, add_generation_prompt=True
            )
            for prompt in prompts
        ]
        order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
        for start in range(0, len(order), self._batch):
            places = order[start : start + self._batch]
            yield (
                places,
                self._tokenizer(
                    [texts[place] for place in places],
                    add_special_tokens=False,
                    padding=True,
                    padding_side="left",
                    return_tensors="pt",
                    return_token_type_ids=False,
                ),
            )


@dataclass(frozen=True)
class Side:
    """How one model did on a suite."""

    accuracy: float
    low: float
    high: float
    """95% (Wilson)."""
    counted: Literal["written", "leaning"]
    """The way of answering that counts."""
    written: float
    """Accuracy of what it wrote; what says neither Yes nor No is wrong."""
    unanswered: int
    leaning: float | None
    """Accuracy of the likelier first word; None where it was not asked."""


@dataclass(frozen=True)
class Compared:
    """Two models on the same questions."""

    suite: str
    items: int
    base: Side
    tuned: Side
    gain: float
    """Accuracy of the tuned less that of the base."""
    low: float
    high: float
    """95% of the gain, over questions paired."""
    p: float
    """That as many questions or more would change sides, were a change for better and worse alike (McNemar, exact)."""
    by_axiom: dict[str, tuple[int, float, float]]
    """Axiom, or kind of question → items, accuracy of the base, accuracy of the tuned."""
    by_nodes: dict[int, tuple[int, float, float]]


@dataclass(frozen=True)
class Replies:
    """What a model answered to the questions of a suite."""

    written: list[str]
    leaning: list[bool] | None

    def side(self, items: Sequence[Spoken]) -> tuple[Side, NDArray[np.bool_]]:
        """How good they are, and which are right."""
        yes = [item.answer == "Yes" for item in items]
        said = [answered(text) for text in self.written]
        right = np.array([one == other for one, other in zip(said, yes, strict=True)])
        written, leaning, counted = float(right.mean()), None, "written"
        if self.leaning is not None:
            leaned = np.array(self.leaning) == np.array(yes)
            leaning = float(leaned.mean())
            if leaning > written:
                right, counted = leaned, "leaning"
        low, high = wilson(int(right.sum()), len(items))
        return Side(
            round(float(right.mean()), 4),
            round(low, 4),
            round(high, 4),
            counted,  # type: ignore[arg-type]
            round(written, 4),
            said.count(None),
            None if leaning is None else round(leaning, 4),
        ), right


def compared(suite: SpokenSuite, base: Replies, tuned: Replies) -> Compared:
    """The base's better way of answering against what the tuned model wrote.

    References
    ----------
    McNemar (1947), Note on the sampling error of the difference between correlated proportions, Psychometrika 12.
    """
    (before, was), (after, now) = base.side(suite.items), tuned.side(suite.items)
    change = now.astype(float) - was.astype(float)
    half = _ORDINARY * float(change.std(ddof=1)) / len(change) ** 0.5 if len(change) > 1 else 1.0
    return Compared(
        suite=suite.name,
        items=len(suite.items),
        base=before,
        tuned=after,
        gain=round(float(change.mean()), 4),
        low=round(float(change.mean()) - half, 4),
        high=round(float(change.mean()) + half, 4),
        p=mcnemar(int((change > 0).sum()), int((change < 0).sum())),
        by_axiom=_by([item.axiom for item in suite.items], was, now),
        by_nodes=_by([item.nodes for item in suite.items], was, now),
    )


def mcnemar(better: int, worse: int) -> float:
    """Two-sided exact p of so uneven a split."""
    from scipy.stats import binomtest

    changed = better + worse
    return float(binomtest(better, changed).pvalue) if changed else 1.0


def _by(keys: Sequence[Any], was: NDArray[np.bool_], now: NDArray[np.bool_]) -> dict[Any, tuple[int, float, float]]:
    found = {}
    for key in sorted(set(keys)):
        these = np.array([each == key for each in keys])
        found[key] = int(these.sum()), round(float(was[these].mean()), 4), round(float(now[these].mean()), 4)
    return found


def table(results: Sequence[Compared]) -> str:
    """Base and tuned, suite by suite and axiom by axiom, in Markdown."""
    lines = [
        "| suite | items | base (written, likelier word) | tuned | gain, points | p |",
        "|---|---|---|---|---|---|",
    ]
    for one in results:
        leaning = "" if one.base.leaning is None else f", {one.base.leaning:.1%}"
        lines.append(
            f"| {one.suite} | {one.items} | {one.base.accuracy:.1%} ({one.base.written:.1%}{leaning}) | "
            f"{one.tuned.accuracy:.1%} ({one.tuned.low:.1%} to {one.tuned.high:.1%}) | "
            f"{100 * one.gain:+.1f} ({100 * one.low:+.1f} to {100 * one.high:+.1f}) | {one.p:.2g} |"
        )
        for name, (items, base, tuned) in one.by_axiom.items():
            if name:
                lines.append(f"| · {name} | {items} | {base:.1%} | {tuned:.1%} | {100 * (tuned - base):+.1f} | |")
    return "\n".join(lines)
