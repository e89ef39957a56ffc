"""Fine-tune a served language model to reason by the axioms, in plain English: LoRA, through TRL and PEFT.

Lessons of axioms are mixed with conversations of an extractor's adapter (training/adapter.py), so that what the model
can do already is not unlearned. The folder that comes out is served with `--model DIR`.

    recipe.json, training.json
    checkpoints/          while it trains; a run that was cut short goes on from the last
    adapter_model.safetensors, then adapter_config.json
"""

import json
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from leucippus.config import PACKAGED_MODEL, load_settings
from leucippus.errors import InputError
from leucippus.serving.arithmetic import fast_bfloat16
from leucippus.serving.client import find_model
from leucippus.serving.loading import ALONE
from leucippus.serving.merging import base_of, merge
from leucippus.serving.packaged import SMOLLM2
from leucippus.training.adapter import CONFIG, conversation, drawn, fit, last_checkpoint, save
from leucippus.training.adapter import Recipe as Tuning
from leucippus.training.axiomatic.answering import Compared, LanguageModel, Replies, compared
from leucippus.training.axiomatic.spoken import SpokenRecipe, SpokenSuite, spoken_lessons
from leucippus.training.axiomatic.train import CHECKPOINTS, TRAINING
from leucippus.training.examples import written
from leucippus.training.folders import alone_in, claim_folder, explained
from leucippus.training.grammar import generate

SMOLLM2_NAMES = ("smollm2", PACKAGED_MODEL, SMOLLM2.name)
"""What the packaged model is called."""
_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json")
Report = Callable[[str, int, int, float], None]


@dataclass(frozen=True)
class AdapterRecipe:
    """Everything that decides which adapter comes out, but for the base."""

    tasks: SpokenRecipe = field(default_factory=SpokenRecipe)
    lessons: int = 2500
    generated: int = 1000
    """Sentences made up for rehearsing, besides those written for the extractor."""
    tuning: Tuning = field(
        default_factory=lambda: Tuning(
            texts=850,
            targets=("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"),
            save_every=50,
        )
    )
    """`texts` is how many conversations of the extractor are rehearsed; 0 for none."""


@dataclass(frozen=True)
class Tuned:
    """What a run came to."""

    base: str
    """Its name; where it is no packaged model, its folder."""
    hidden_size: int
    vocab_size: int
    lessons: int
    rehearsed: int
    """Conversations of the extractor among what was learned from."""
    steps: int
    seconds: float
    """Of the last part, where a run was taken up."""
    train_loss: float


@dataclass(frozen=True)
class _Made:
    """What a folder belongs to."""

    base: str
    recipe: AdapterRecipe


def find_base(base: str) -> Path:
    """The folder of a base model.

    Raises
    ------
    InputError : there is no model with its tokenizer.
    """
    if base in SMOLLM2_NAMES:
        return find_model(load_settings().model_copy(update={"model": PACKAGED_MODEL}))
    folder = Path(base)
    if not (folder / "config.json").is_file():
        raise InputError(
            f"{base!r} is no model to tune: there is no config.json.",
            expected=f"'{SMOLLM2_NAMES[0]}' or a Hugging Face model folder",
        )
    if not any((folder / name).is_file() for name in _TOKENIZERS):
        raise InputError(
            f"{base!r} has no tokenizer.",
            expected=f"one of {', '.join(_TOKENIZERS)} beside config.json",
            next_step="Save the model's tokenizer there (save_pretrained).",
        )
    return folder.resolve()


def tune(base: str, out: Path, recipe: AdapterRecipe, report: Report) -> Tuned:
    """Tune an adapter of `base` into `out`; a run cut short there is taken up, a finished one returned as it is.

    Raises
    ------
    InputError : there is no such base, `out` holds another recipe, is being tuned in, cannot be written or has no room,
        or its last checkpoint cannot be read.
    """
    folder = find_base(base)
    name = SMOLLM2.name if base in SMOLLM2_NAMES else str(folder)
    made: Any = _Made(name, recipe)
    claim_folder(out, made)
    with alone_in(out):
        return _tuned(folder, name, out, recipe, report)


def _tuned(folder: Path, name: str, out: Path, recipe: AdapterRecipe, report: Report) -> Tuned:
    if (out / CONFIG).is_file():
        return Tuned(**json.loads((out / TRAINING).read_text()))
    began = time.perf_counter()
    report("lessons", 0, recipe.lessons, 0.0)
    learned, rehearsed = conversations(recipe)
    rows = Random(recipe.tuning.seed).sample(learned + rehearsed, len(learned) + len(rehearsed))
    last = last_checkpoint(out / CHECKPOINTS)
    try:
        trainer = fit(
            rows,
            folder,
            out / CHECKPOINTS,
            recipe.tuning,
            lambda step, steps, loss: report("adapter", step, steps, loss),
        )
        config = trainer.model.config
        tuned = Tuned(
            base=name,
            hidden_size=config.hidden_size,
            vocab_size=config.vocab_size,
            lessons=len(learned),
            rehearsed=len(rehearsed),
            steps=trainer.state.global_step,
            seconds=round(time.perf_counter() - began, 1),
            train_loss=round(
                next(row["train_loss"] for row in reversed(trainer.state.log_history) if "train_loss" in row), 5
            ),
        )
        (out / TRAINING).write_text(json.dumps(asdict(tuned), indent=1, sort_keys=True) + "\n")
        save(trainer.model, out, name)
    except Exception as error:
        raise explained(error, out, last) from error
    shutil.rmtree(out / CHECKPOINTS, ignore_errors=True)
    return tuned


def conversations(recipe: AdapterRecipe) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Lessons of axioms, and what is rehearsed."""
    learned = [lesson.conversation() for lesson in islice(spoken_lessons(recipe.tasks, "train"), recipe.lessons)]
    if not recipe.tuning.texts:
        return learned, []
    examples = written() + generate(recipe.generated, recipe.tuning.seed)
    rehearsed = [row for example in drawn(examples, recipe.tuning) if (row := conversation(example)) is not None]
    return learned, rehearsed


def compare(
    base: str,
    adapter: Path,
    suites: Sequence[SpokenSuite],
    report: Report = lambda name, step, steps, loss: None,
    longest: int = 200,
    longest_base: int = 32,
) -> list[Compared]:
    """A base and its adapter on the same questions, in the weights that are served.

    Parameters
    ----------
    longest, longest_base : tokens of an answer. A base that has not answered in its first sentences has its likelier
        first word.

    Raises
    ------
    InputError : there is no such base, or the adapter was tuned on another.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = find_base(base)
    check_base(adapter, SMOLLM2.name if base in SMOLLM2_NAMES else folder.name, folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    with ALONE:
        plain: Any = AutoModelForCausalLM.from_pretrained(folder, dtype="auto")
    # The numbers are those that are served; a processor that only emulates bfloat16 computes with them in float32.
    dtype = plain.dtype if fast_bfloat16() else torch.float32
    model = LanguageModel(plain.to(device, dtype), tokenizer)
    before, after = [], []
    for at, suite in enumerate(suites):
        report("base", at, len(suites), 0.0)
        prompts = [item.prompt for item in suite.items]
        before.append(Replies(model.write(prompts, longest_base), model.leans(prompts)))
    model = LanguageModel(merge(folder, adapter).to(device, dtype), tokenizer)
    for at, suite in enumerate(suites):
        report("tuned", at, len(suites), 0.0)
        after.append(Replies(model.write([item.prompt for item in suite.items], longest), None))
    return [compared(suite, was, now) for suite, was, now in zip(suites, before, after, strict=True)]


def check_base(adapter: Path, name: str, folder: Path) -> None:
    """Whether an adapter was tuned on a model of that name and of its sizes; that each weight fits, merging checks.

    Raises
    ------
    InputError : it was not, or is no adapter.
    """
    if not (adapter / CONFIG).is_file():
        raise InputError(
            f"{adapter} holds no adapter.", expected=f"a folder with {CONFIG}, as a finished tuning leaves it"
        )
    tuned_on = Path(base_of(adapter)).name
    sizes = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    here = {size: sizes.get(size) for size in ("hidden_size", "vocab_size")}
    file = adapter / TRAINING
    there = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else here
    if tuned_on != name or any(there.get(size) != value for size, value in here.items()):
        raise InputError(
            f"The adapter in {adapter} was tuned on {tuned_on!r} (hidden size {there.get('hidden_size')}, vocabulary "
            f"{there.get('vocab_size')}), not on {name!r} ({here['hidden_size']}, {here['vocab_size']}).",
            expected=f"an adapter for {name}",
            next_step="Name the base that it was tuned on.",
        )
