"""The commands about axiomatic training: parses and shows, like `cli`."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from leucippus import output
from leucippus.cli_lcm import DEFAULT_STORE, JsonOption, StoreOption
from leucippus.errors import InputError


def register(train: typer.Typer, bench: typer.Typer) -> None:
    """Add the commands to those that train and those that measure."""
    train.command("axiomatic")(train_axiomatic)
    bench.command("axioms")(bench_axioms)


def with_torch_environment() -> None:
    """Start this very command anew in the environment that torch needs, unless it is there already."""
    from leucippus.serving.cluster import TORCH_ENVIRONMENT

    if any(os.environ.get(name) != value for name, value in TORCH_ENVIRONMENT.items()):
        # The allocator reads its settings when a process starts.
        os.execve(sys.executable, [sys.executable, "-m", "leucippus", *sys.argv[1:]], os.environ | TORCH_ENVIRONMENT)


def train_axiomatic(
    out: Annotated[Path, typer.Option(help="Folder for the model; an unfinished one is taken up again.")],
    base: Annotated[
        str | None,
        typer.Option(help="Tune a language model instead, in plain English: smollm2, or a Hugging Face folder (LoRA)."),
    ] = None,
    preset: Annotated[str, typer.Option(help="cpu, or paper: the published sizes, for a GPU.")] = "cpu",
    store: StoreOption = DEFAULT_STORE,
    axioms: Annotated[
        str | None, typer.Option(help="Which axioms to teach, with commas between them; the preset's otherwise.")
    ] = None,
    lessons: Annotated[int | None, typer.Option(min=1, help="How many to learn from.")] = None,
    epochs: Annotated[float | None, typer.Option(help="How often each lesson is read.")] = None,
    positions: Annotated[str | None, typer.Option(help="none, learned, sinusoidal, rotary or linear.")] = None,
    steps: Annotated[
        bool | None, typer.Option("--steps/--no-steps", help="Write what leads to the answer before it.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, max=2**32 - 1, help="Of lessons and weights.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that share out each batch.")] = 1,
    as_json: JsonOption = False,
) -> None:
    """Teach axioms of causal reasoning to a small decoder, from nothing, or to a language model; see `bench axioms`."""
    with_torch_environment()

    from leucippus.store.database import open_store
    from leucippus.training.axiomatic.run import adapter_recipe_for, recipe_for, train_recorded, tune_recorded

    if base is not None:
        made_otherwise = {"axioms": axioms, "epochs": epochs, "positions": positions, "workers": workers - 1 or None}
        if given := [name for name, value in made_otherwise.items() if value is not None]:
            raise InputError(
                f"--{given[0]} is not for a language model (--base).", expected="--lessons, --steps, --seed"
            )
        tuned = adapter_recipe_for(lessons=lessons, steps=steps, seed=seed)
        with open_store(store) as opened:
            result = tune_recorded(opened, base, out, tuned, output.training_line)
        output.line(result) if as_json else output.show_counts(result)
        return
    recipe = recipe_for(
        preset,
        axioms=[name.strip() for name in axioms.split(",")] if axioms is not None else (),
        lessons=lessons,
        epochs=epochs,
        positions=positions,
        steps=steps,
        seed=seed,
    )
    with open_store(store) as opened:
        result = train_recorded(opened, out, recipe, output.training_line, workers=workers)
    output.line(result) if as_json else output.show_counts(result)


def bench_axioms(
    model: Annotated[Path, typer.Option(help="A folder that `train axiomatic` wrote: a decoder, or an adapter.")],
    suites: Annotated[
        list[str] | None,
        typer.Option(help="Only this family ('branching 1.4') or suite ('line 7'); give it again for more."),
    ] = None,
    count: Annotated[int, typer.Option(min=2, max=100_000, help="Items a suite, half of them Yes.")] = 500,
    seed: Annotated[int, typer.Option(help="Of the items.")] = 0,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for the table, the scores and pictures by length; scores found there are kept."),
    ] = None,
    cladder: Annotated[
        Path | None, typer.Option(help="For an adapter: questions of CLadder too, as JSON lines.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure a decoder on every suite of the axioms it was taught: larger graphs, shuffled, reversed, branching …

    An adapter is measured beside its base, on the same questions in plain English.
    """
    from leucippus.training.axiomatic.suites import suites as all_suites

    if (model / "adapter_config.json").is_file():
        if suites:
            raise InputError("--suites are those of a decoder.", expected="no --suites with an adapter")
        _bench_adapter(model, count, seed, cladder, as_json)
        return
    chosen = all_suites([name for each in suites or () for name in each.split(",")])
    if out is not None and out.exists() and not out.is_dir():
        raise InputError(f"{out} is a file.", expected="a folder, new or not", next_step="Choose another --out.")
    with_torch_environment()

    from leucippus.training.axiomatic.evaluate import DecoderAnswers, evaluate, table
    from leucippus.training.axiomatic.kept import KeptScores

    answers = DecoderAnswers(model)
    if suites is None:
        chosen = tuple(suite for suite in chosen if suite.axiom in answers.taught.axioms)
    kept = KeptScores(out, model, count, seed) if out is not None else None
    scores = evaluate(
        answers,
        chosen,
        count,
        seed=seed,
        taught=answers.taught.most_nodes,
        report=lambda name, done, of: output.note(f"{done + 1}/{of} {name}"),
        found=kept.read() if kept else None,
        keep=kept.add if kept else lambda score: None,
    )
    if as_json:
        for score in scores:
            output.line(asdict(score))
    else:
        output.say(table(scores))
    if out is None:
        return

    from leucippus.training.axiomatic.plot import pictures

    measured = {"model": str(model), "count": count, "seed": seed, "scores": [asdict(score) for score in scores]}
    (out / "axioms.json").write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    (out / "axioms.txt").write_text(table(scores) + "\n", encoding="utf-8")
    for name, picture in pictures(scores).items():
        (out / f"axioms-{name}.png").write_bytes(picture)
    output.note(f"wrote {out}")


def _bench_adapter(adapter: Path, count: int, seed: int, questions: Path | None, as_json: bool) -> None:
    with_torch_environment()

    from leucippus.training.axiomatic.adapter import compare
    from leucippus.training.axiomatic.answering import table
    from leucippus.training.axiomatic.run import base_named
    from leucippus.training.axiomatic.spoken import cladder, spoken_suites

    measured = [*spoken_suites(count, seed), *([cladder(questions)] if questions else [])]
    results = compare(base_named(adapter), adapter, measured, output.training_line)
    if as_json:
        for result in results:
            output.line(asdict(result))
    else:
        output.say(table(results))
