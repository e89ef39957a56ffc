"""How fast is axiomatic training, and what does each of its parts buy?

    python benchmarks/axiomatic.py [--steps 60] [--repeats 3] [--workers]
    python benchmarks/axiomatic.py --ablate [--steps 3000] [--count 200] [--only "no steps"] [--only loops] [--seed 0]

Without --ablate: tokens a second, padding not counted, of the package's trainer (batches of like length) and of a plain
transformers Trainer (batches as they are drawn) with the same decoder, lessons, arithmetic and number of steps, but AdamW
in Muon's place, each measurement in a process of its own, by turns; the first steps are not timed. Beside them the share of what was computed
that was padding, and the largest memory. Nothing is packed: lessons of like length leave little padding. With --workers
also whole runs by one process on two threads and by two workers of Ray Train on one thread each, as they report.

With --ablate: variants of the recipe, trained for the same number of steps on as many lessons, and the share of right
answers on a few suites. All other options are those of the preset; figures are of one seed.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("HF_HUB_OFFLINE", "1")

from leucippus.serving.cluster import TORCH_ENVIRONMENT
from leucippus.training.axiomatic.presets import PRESETS, Recipe
from leucippus.training.axiomatic.train import Lessons, build_trainer, collate, load_lessons, train

WARM_UP = 0.2
"""Share of the steps that are not timed."""
SUITES = ("line 3-6", "line 15", "flipped 15", "shuffled 10", "branching 1.4 8", "d-separation 3-6", "d-separation 10")


def shortened(recipe: Recipe, steps: int, validation: int, evaluate_every: int) -> Recipe:
    """One pass over as many lessons as the steps take."""
    return replace(
        recipe, lessons=steps * recipe.batch, epochs=1.0, validation=validation, evaluate_every=evaluate_every
    )


def variants(base: Recipe) -> dict[str, Recipe]:
    """What is left out or put in another's place, by name."""

    def sizes(**given: Any) -> Recipe:
        return replace(base, sizes=replace(base.sizes, **given))

    def data(**given: Any) -> Recipe:
        return replace(base, data=replace(base.data, **given))

    return {
        "whole": base,
        **{f"positions {one}": sizes(positions=one) for one in ("none", "learned", "sinusoidal", "rotary")},
        "no convolution": sizes(convolution=0),
        "no look-ahead": sizes(look_ahead=0),
        "no scaled attention": sizes(scaled_attention=False),
        "no Muon": replace(base, matrix_rate=0.0),
        "no steps": data(with_steps=False),
        "two loops of half the layers": sizes(loops=2 * base.sizes.loops, layers=max(1, base.sizes.layers // 2)),
        "no branching": data(branching=0.0),
        "no shuffles": data(orders=("told in order",)),
        "no confusable names": data(confusable=0.0),
    }


class Counted:
    """Collates, and counts the tokens, those of padding too, and the seconds from batch to batch."""

    def __init__(self) -> None:
        self.real: list[int] = []
        self.computed: list[int] = []
        self.at: list[float] = []

    def __call__(self, rows: list[Mapping[str, Any]]) -> dict[str, Any]:
        self.at.append(time.perf_counter())
        batch = collate(rows)
        self.real.append(sum(len(row["input_ids"]) for row in rows))
        self.computed.append(batch["input_ids"].numel())
        return batch


def one(kind: str, recipe: Recipe, out: Path) -> dict[str, float]:
    """One measurement, in this process."""
    from transformers import EarlyStoppingCallback, PrinterCallback, Trainer

    from leucippus.training.axiomatic.tokens import build_tokenizer

    tokenizer = build_tokenizer()
    learned, _ = load_lessons(out, recipe, "train", tokenizer)
    kept = Lessons(["a causes b. Does a cause b?"], ["Yes"], tokenizer)
    counted = Counted()
    trainer = build_trainer(out / kind, recipe, learned, kept, tokenizer, lambda *_: None)
    # Steps alone are timed, without evaluations, checkpoints and reports.
    args = trainer.args
    args.eval_strategy = args.save_strategy = args.logging_strategy = "no"
    args.load_best_model_at_end = False
    trainer.remove_callback(EarlyStoppingCallback)
    if kind == "ours":
        trainer.data_collator = counted
    else:
        trainer = Trainer(model=trainer.model, args=args, train_dataset=learned, data_collator=counted)
        trainer.remove_callback(PrinterCallback)
    trainer.train()
    counted.at.append(time.perf_counter())
    first = int(WARM_UP * len(counted.real))
    seconds = counted.at[-1] - counted.at[first]
    real, computed = sum(counted.real[first:]), sum(counted.computed[first:])
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    return {"tokens/s": real / seconds, "padding": 1 - real / computed, "MiB": memory}


def whole(workers: int, recipe: Recipe, out: Path) -> dict[str, float]:
    """Tokens a second of a run as it reports its steps; the start of Ray and the first steps are left out."""
    seen: list[tuple[int, float]] = []

    def report(what: str, step: int, steps: int, loss: float) -> None:
        if what == "training":
            seen.append((step, time.perf_counter()))

    done = train(out / f"{workers} workers", recipe, report, workers=workers)
    (first, began), (last, ended) = seen[0], seen[-1]
    return {"tokens/s": done.tokens / done.steps * (last - first) / (ended - began)}


def measured(kind: str, given: argparse.Namespace, out: Path, threads: int) -> dict[str, float]:
    """The same in a process of its own."""
    command = [
        sys.executable,
        __file__,
        "--one",
        kind,
        "--out",
        str(out),
        "--steps",
        str(given.steps),
        "--preset",
        given.preset,
    ]
    environment = os.environ | TORCH_ENVIRONMENT | {"OMP_NUM_THREADS": str(threads)}
    said = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout
    found: dict[str, float] = json.loads(said.splitlines()[-1])
    return found


def speed(given: argparse.Namespace) -> None:
    """Print the table of speeds."""
    threads = os.cpu_count() or 1
    kinds = {"ours": threads, "plain": threads} | ({"1 workers": 2, "2 workers": 1} if given.workers else {})
    found: dict[str, list[dict[str, float]]] = {kind: [] for kind in kinds}
    for _ in range(given.repeats):
        for kind, many in kinds.items():
            with tempfile.TemporaryDirectory() as out:
                found[kind].append(measured(kind, given, Path(out), many))
    print("| run | tokens/s, median (all) | padding | MiB |")
    print("|---|---|---|---|")
    for kind, runs in found.items():
        rates = [run["tokens/s"] for run in runs]
        padding, memory = (
            f"{max(run[name] for run in runs):{form}}" if name in runs[0] else ""
            for name, form in (("padding", ".1%"), ("MiB", ".0f"))
        )
        print(
            f"| {kind}, {kinds[kind]} threads | {statistics.median(rates):,.0f} ({', '.join(f'{rate:,.0f}' for rate in rates)})"
            f" | {padding} | {memory} |"
        )
    for one_kind, other in (("ours", "plain"), *((("2 workers", "1 workers"),) if given.workers else ())):
        ratios = [a["tokens/s"] / b["tokens/s"] for a, b in zip(found[one_kind], found[other], strict=True)]
        print(f"{one_kind} / {other}: {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


def ablate(given: argparse.Namespace) -> None:
    """Print the table of variants."""
    from leucippus.training.axiomatic.evaluate import DecoderAnswers, evaluate
    from leucippus.training.axiomatic.suites import suites

    asked = suites(given.suite or SUITES)
    base = PRESETS[given.preset]
    base = replace(base, seed=given.seed, data=replace(base.data, seed=given.seed))
    print(f"| variant | weights | {' | '.join(suite.name for suite in asked)} |")
    print(f"|---|---|{'---|' * len(asked)}", flush=True)
    for name, recipe in variants(base).items():
        if given.only and not any(text in name for text in given.only):
            continue
        if name != "whole" and recipe == base:  # the preset's own positions
            continue
        short = replace(shortened(recipe, given.steps, 500, max(1, given.steps // 6)), patience=1_000)
        with tempfile.TemporaryDirectory() as folder:
            done = train(Path(folder) / "model", short, lambda *_: None)
            scores = evaluate(DecoderAnswers(Path(folder) / "model"), asked, given.count, seed=given.seed)
        shares = ["" if score.accuracy is None else f"{score.accuracy:.3f}" for score in scores]
        print(f"| {name} | {done.parameters:,} | {' | '.join(shares)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="cpu", choices=PRESETS)
    parser.add_argument("--steps", type=int, help="60; with --ablate 3000")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--workers", action="store_true", help="one process against two workers too")
    parser.add_argument("--ablate", action="store_true")
    parser.add_argument("--count", type=int, default=200, help="items a suite")
    parser.add_argument("--only", action="append", help="variants whose name holds this text")
    parser.add_argument("--suite", action="append", help="suites to measure on")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    given.steps = given.steps or (3000 if given.ablate else 60)
    if given.one:
        recipe = shortened(PRESETS[given.preset], given.steps, 8, max(1, given.steps // 6))
        measure = one(given.one, recipe, given.out) if given.one in ("ours", "plain") else None
        print(json.dumps(measure or whole(int(given.one.split()[0]), recipe, given.out)))
    elif given.ablate:
        ablate(given)
    else:
        speed(given)


if __name__ == "__main__":
    main()
