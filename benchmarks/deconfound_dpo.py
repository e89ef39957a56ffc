"""Does weighting pairs cost anything? Steps a second of the package's weighted DPO and of TRL's own, on the same pairs.

    python benchmarks/deconfound_dpo.py [--base smollm2] [--steps 10] [--batch 4] [--repeats 3] [--words 12]

By turns in one process, with the same LoRA, loss, batches and numbers; the first steps are not timed. Without --base a
decoder of 1.4 million weights is trained first: with it what a step costs besides the model shows best.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("HF_HUB_OFFLINE", "1")

from leucippus.training.axiomatic.adapter import find_base
from leucippus.training.deconfound.pairs import INSTRUCTION, Pair
from leucippus.training.deconfound.small_policy import SmallRecipe, train_small_policy
from leucippus.training.deconfound.trainers import build_trainer, lora
from leucippus.training.deconfound.tuning import TuneRecipe

WARM_UP = 2
WORDS = "the of a to in is for on with as by at from that this it was are be an or".split()


def pairs(count: int, words: int) -> list[Pair]:
    """Texts of so many words, with uneven weights."""
    rng = np.random.default_rng(0)

    def text() -> str:
        return " ".join(rng.choice(WORDS, size=words))

    return [Pair(INSTRUCTION, text(), text(), 1.0, 0.9, float(rng.uniform(0.2, 1.8))) for _ in range(count)]


def rate(trainer: Any) -> float:
    """Steps a second, but for the first."""
    from transformers import TrainerCallback

    ends: list[float] = []

    class Clock(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            ends.append(time.perf_counter())

    trainer.add_callback(Clock())
    trainer.train()
    return (len(ends) - 1 - WARM_UP) / (ends[-1] - ends[WARM_UP])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", help="smollm2, or the folder of a model")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--words", type=int, default=12)
    given = parser.parse_args()

    from datasets import Dataset
    from trl.trainer.dpo_trainer import DPOTrainer

    made = [pair.row() for pair in pairs((given.steps + WARM_UP) * given.batch, given.words)]
    bare = [{name: value for name, value in row.items() if name != "weight"} for row in made]
    recipe = replace(TuneRecipe(), batch=given.batch, save_every=10_000)
    rates: dict[str, list[float]] = {"ours": [], "TRL": []}
    with tempfile.TemporaryDirectory() as folder:
        base = find_base(given.base) if given.base else Path(folder) / "base"
        if not given.base:
            train_small_policy([INSTRUCTION], [" ".join(WORDS)], base, SmallRecipe(steps=1, batch=1))
        for _ in range(given.repeats):
            ours, _ = build_trainer(base, Path(folder) / "ours", recipe, made, lambda *_: None)
            rates["ours"].append(rate(ours))
            plain: Any = DPOTrainer
            theirs = plain(
                model=str(base),
                args=ours.args,
                train_dataset=Dataset.from_list(bare),
                processing_class=ours.processing_class,
                peft_config=lora(recipe),
            )
            rates["TRL"].append(rate(theirs))
            print({name: round(found[-1], 3) for name, found in rates.items()}, file=sys.stderr, flush=True)
    print("| trainer | steps/s, median (all) |\n|---|---|")
    for name, found in rates.items():
        print(f"| {name} | {statistics.median(found):.3f} ({', '.join(f'{one:.3f}' for one in found)}) |")
    ratios = [one / other for one, other in zip(rates["ours"], rates["TRL"], strict=True)]
    print(f"ours / TRL: {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})")


if __name__ == "__main__":
    main()
