"""How often a model is right on the suites, how sure that is, and whether it is as good as it was to become.

Whatever answers can be measured: a decoder from its folder, a language model that is asked in its own words. A model
is right if the last word it writes is the answer; an item without an answer counts as wrong.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist
from typing import Any

from leucippus.errors import InputError
from leucippus.graphs.axioms import Axiom
from leucippus.serving.loading import ALONE
from leucippus.training.axiomatic.dataset import Lesson
from leucippus.training.axiomatic.published import SHOWN, published
from leucippus.training.axiomatic.suites import TAUGHT, Suite
from leucippus.training.axiomatic.traces import Mark
from leucippus.training.axiomatic.train import CONFIG
from leucippus.training.folders import RECIPE

Answer = Callable[[Sequence[Lesson]], list[str | None]]
"""What a model writes to each lesson's prompt, the answer last; None where it writes nothing that can be read."""
Report = Callable[[str, int, int], None]
"""Name of the suite that comes next, how many are done, of how many."""

_CACHE_BYTES, _FEWEST = 16 << 20, 8
"""Keys and values that one batch may keep, if it has more items than a few; small ones stay near the processor."""
_MARGIN, _SPARE = 1.5, 20
"""A model may write so many times as much as the true completion, and so many tokens more."""
_ORDINARY = NormalDist().inv_cdf(0.975)

_CHAINS = ("line", "flipped", "shuffled", "flipped and shuffled")
_SEPARATION = ("d-separation", "d-separation branching 1.4")


@dataclass(frozen=True)
class Score:
    """What answering one suite came to."""

    suite: str
    family: str
    fewest: int
    """Nodes."""
    most: int
    count: int
    right: int
    accuracy: float | None
    """None where there was nothing to ask: no class of the test part is of such a size."""
    low: float | None
    """Wilson's interval, 95%."""
    high: float | None
    unanswered: float
    """Share of items."""
    steps_right: float | None
    """Share of items whose steps are exactly the true ones; None where the model writes none."""
    majority: float
    """Accuracy of always giving the more frequent answer."""
    classes: dict[str, int]
    """Answer → classes of tasks asked about."""
    target: float | None
    met: bool | None


def evaluate(
    answer: Answer,
    suites: Sequence[Suite],
    count: int = 500,
    *,
    seed: int = 0,
    taught: int = TAUGHT,
    report: Report = lambda name, done, of: None,
    found: Mapping[str, Score] | None = None,
    keep: Callable[[Score], None] = lambda score: None,
) -> tuple[Score, ...]:
    """Put `count` items of each suite, or as many as there are, and count what is right.

    Parameters
    ----------
    taught : nodes of the largest graphs that the model learned from.
    found : scores of suites that need not be asked again.
    keep : is given each new score as it comes.

    Raises
    ------
    InputError : fewer than 2 items are asked for.
    """
    if count < 2:
        raise InputError(f"{count} items cannot be half Yes and half No.", expected="2 items a suite at least")
    scores = []
    for done, suite in enumerate(suites):
        if found and suite.name in found:
            scores.append(found[suite.name])
            continue
        report(suite.name, done, len(suites))
        items = suite.lessons(count, seed, taught)
        scores.append(mark(suite, items, answer(items) if items else []))
        keep(scores[-1])
    return tuple(scores)


def mark(suite: Suite, items: Sequence[Lesson], written: Sequence[str | None]) -> Score:
    """The score of what was written to the items."""
    read = [split(text) for text in written]
    right = sum(said == item.answer for item, (_, said) in zip(items, read, strict=True))
    steps = [_bare(item.steps) == _bare(shown) for item, (shown, _) in zip(items, read, strict=True)]
    answers = Counter(item.answer for item in items)
    count, goal = len(items), target(suite)
    low, high = wilson(right, count) if count else (None, None)
    accuracy = right / count if count else None
    return Score(
        suite=suite.name,
        family=suite.family,
        fewest=suite.fewest,
        most=suite.most,
        count=count,
        right=right,
        accuracy=accuracy,
        low=low,
        high=high,
        unanswered=sum(said is None for _, said in read) / count if count else 0.0,
        steps_right=sum(steps) / count if any(shown for shown, _ in read) else None,
        majority=max(answers.values(), default=0) / count if count else 0.0,
        classes={said.value: len({item.task for item in items if item.answer == said}) for said in (Mark.YES, Mark.NO)},
        target=goal,
        met=None if goal is None or accuracy is None else accuracy >= goal,
    )


def split(text: str | None) -> tuple[str, str | None]:
    """The steps and the answer in what was written; None for the answer where the last word is neither Yes nor No."""
    words = (text or "").split()
    if words and words[-1] in (Mark.YES, Mark.NO):
        return " ".join(words[:-1]), words[-1]
    return " ".join(words), None


def _bare(steps: str) -> str:
    """Names are written sign by sign; between two of them there is always a mark."""
    return "".join(steps.split())


def wilson(right: int, count: int) -> tuple[float, float]:
    """The 95% interval of a share, that holds for shares near 1 too.

    References
    ----------
    Wilson (1927), Probable inference, the law of succession, and statistical inference, JASA 22.
    """
    z, share = _ORDINARY, right / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * (share * (1 - share) / count + z * z / (4 * count * count)) ** 0.5
    return max(0.0, middle - half), min(1.0, middle + half)


def target(suite: Suite) -> float | None:
    """The accuracy that a decoder of the cpu preset is to reach; None where none was set."""
    family, fewest, most = suite.family, suite.fewest, suite.most
    if family == "reversed":
        return 0.97
    if most <= TAUGHT and family != "long names":
        return 0.99
    if family in _CHAINS and fewest == most <= 20:
        return 0.95 if most <= 15 else 0.90
    if family == "branching 1.4" and most == 12:
        return 0.90
    if family in _SEPARATION and most == 2 * TAUGHT:
        return 0.85
    return None


@dataclass(frozen=True)
class Taught:
    """What a trained folder says of its lessons."""

    axioms: frozenset[Axiom]
    most_nodes: int


class DecoderAnswers:
    """A decoder from its folder, answering in batches, each time with the likeliest token.

    Raises
    ------
    InputError : the folder does not hold a decoder that training finished, or it cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        from transformers import PreTrainedTokenizerFast
        from transformers.utils import logging

        from leucippus.training.axiomatic.decoder import Decoder

        self.taught = _taught(folder)
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        try:
            with ALONE:
                loaded: Any = Decoder.from_pretrained(folder, local_files_only=True, output_loading_info=True)
            self._model: Decoder = loaded[0]
            if missing := loaded[1]["missing_keys"]:
                raise ValueError(f"weights are missing: {', '.join(sorted(missing)[:3])}")
            self._tokenizer: Any = PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True)
            if len(self._tokenizer) != self._model.config.vocab_size:
                raise ValueError(f"{len(self._tokenizer)} tokens for a model of {self._model.config.vocab_size}")
        except Exception as error:
            raise InputError(
                f"The decoder in {folder} cannot be read: {error}",
                expected="the files as `leucippus train axiomatic` wrote them",
                next_step="Train it again, or copy the folder anew.",
            ) from error
        self._model.eval()
        self._stops = [int(self._tokenizer.convert_tokens_to_ids(said)) for said in (Mark.YES, Mark.NO)]
        config = self._model.config
        self._token_bytes = 2 * 4 * config.width * config.layers * config.loops

    def __call__(self, items: Sequence[Lesson]) -> list[str | None]:
        asked = self._tokenizer([item.prompt for item in items]).input_ids
        true = [len(ids) for ids in self._tokenizer([item.completion for item in items]).input_ids]
        written: list[str | None] = [None] * len(items)
        batch: list[int] = []
        # Long ones first: a batch goes on as long as its longest text.
        for at in sorted(range(len(items)), key=lambda at: (-true[at], -len(asked[at]), at)):
            tokens = max(len(asked[one]) + true[one] for one in (*batch, at))
            if len(batch) >= _FEWEST and (len(batch) + 1) * tokens * self._token_bytes > _CACHE_BYTES:
                self._write(batch, asked, true, written)
                batch = []
            batch.append(at)
        if batch:
            self._write(batch, asked, true, written)
        return written

    def _write(self, batch: list[int], asked: Any, true: list[int], written: list[str | None]) -> None:
        allowed = [int(true[at] * _MARGIN) + _SPARE for at in batch]
        found = self._model.write([asked[at] for at in batch], self._stops, max(allowed))
        for at, most, ids in zip(batch, allowed, found, strict=True):
            # What else is in the batch makes no difference to what counts.
            written[at] = " ".join(self._tokenizer.convert_ids_to_tokens(ids[:most]))


def _taught(folder: Path) -> Taught:
    if not (folder / CONFIG).is_file():
        unfinished = (folder / RECIPE).is_file()
        raise InputError(
            f"{folder} holds no trained decoder" + (": its training is not finished." if unfinished else "."),
            expected="a folder that `leucippus train axiomatic` wrote",
            next_step="Go on with `leucippus train axiomatic`, with the same options and --out."
            if unfinished
            else "Name the folder that stood at its --out.",
        )
    try:
        kind = json.loads((folder / CONFIG).read_text()).get("model_type")
        data = json.loads((folder / RECIPE).read_text())["data"]
        taught = Taught(frozenset(map(Axiom, data["axioms"])), int(data["most_nodes"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{folder} does not say what its model was taught: {error}",
            expected=f"{CONFIG} and {RECIPE} as `leucippus train axiomatic` wrote them",
        ) from error
    if kind != "leucippus-decoder":
        raise InputError(f"{folder} holds a model of the kind {kind!r}.", expected="one by `leucippus train axiomatic`")
    return taught


def table(scores: Sequence[Score]) -> str:
    """The scores in words, beside chance and what others report."""
    head = ("suite", "n", "majority", *SHOWN, "ours", "95%", "steps", "no answer", "target", "")
    rows = [head, *map(_row, scores)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _row(score: Score) -> tuple[str, ...]:
    known = published(score.family) if score.fewest == score.most else {}
    interval = "" if score.low is None or score.high is None else f"{_share(score.low)}–{_share(score.high)}"
    verdict = {True: "met", False: "missed", None: ""}[score.met]
    return (
        score.suite,
        str(score.count),
        _share(score.majority) if score.count else "",
        *(_share(known.get(model, {}).get(score.most)) for model in SHOWN),
        _share(score.accuracy),
        interval,
        _share(score.steps_right),
        _share(score.unanswered) if score.unanswered else "",
        _share(score.target),
        verdict,
    )


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
