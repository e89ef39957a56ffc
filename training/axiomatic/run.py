"""JOB train axiomatic, as it is asked for: options → recipe → a run that is written down in the store."""

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from math import ceil
from pathlib import Path
from typing import Any

from leucippus.errors import InputError
from leucippus.graphs.axioms import axioms_named
from leucippus.serving.merging import base_of
from leucippus.serving.packaged import SMOLLM2
from leucippus.store.database import Store
from leucippus.store.write import finish_run, start_run
from leucippus.training.axiomatic.adapter import SMOLLM2_NAMES, AdapterRecipe, tune
from leucippus.training.axiomatic.dataset import DataRecipe
from leucippus.training.axiomatic.presets import PRESETS, Recipe
from leucippus.training.axiomatic.train import PARTS, Report, check_recipe, lessons_file, train
from leucippus.training.folders import alone_in, claim_folder

COMMAND = "train axiomatic"


def recipe_for(
    preset: str,
    *,
    axioms: Sequence[str] = (),
    lessons: int | None = None,
    epochs: float | None = None,
    positions: str | None = None,
    steps: bool | None = None,
    seed: int | None = None,
) -> Recipe:
    """A preset with what is asked to be otherwise; None and nothing leave it as it is.

    Raises
    ------
    InputError : there is no such preset or axiom, or nothing can be trained with such values.
    """
    if preset not in PRESETS:
        raise InputError(f"There is no preset {preset!r}.", expected=f"one of {', '.join(PRESETS)}")
    recipe = PRESETS[preset]
    usual = {**DataRecipe().axioms, **recipe.data.axioms}
    data = replace(
        recipe.data,
        axioms={axiom: usual[axiom] for axiom in axioms_named(axioms)} if axioms else recipe.data.axioms,
        with_steps=recipe.data.with_steps if steps is None else steps,
        seed=recipe.data.seed if seed is None else seed,
    )
    recipe = replace(
        recipe,
        data=data,
        sizes=replace(recipe.sizes, positions=positions or recipe.sizes.positions),
        lessons=recipe.lessons if lessons is None else lessons,
        epochs=recipe.epochs if epochs is None else epochs,
        seed=recipe.seed if seed is None else seed,
    )
    check_recipe(recipe)
    # A short run is looked at once at least: the weights of the best look are kept.
    whole = ceil(ceil(recipe.lessons / recipe.batch) * recipe.epochs)
    return replace(
        recipe,
        validation=min(recipe.validation, recipe.lessons),
        evaluate_every=min(recipe.evaluate_every, whole),
    )


def train_recorded(store: Store, out: Path, recipe: Recipe, report: Report, *, workers: int = 1) -> dict[str, Any]:
    """Train into `out` and write into the store what was trained, on which lessons, by which code.

    Raises
    ------
    InputError, ServingError : as `train` does; or the manifest of lessons written before cannot be read.
    """
    check_recipe(recipe, workers)
    claim_folder(out, recipe)
    with alone_in(out):
        lessons = prepare_lessons(out, recipe, report)
    settings = {
        "out": str(out),
        "recipe": asdict(recipe),
        "lessons_sha256": lessons,
        "git_revision": git_revision(),
        "workers": workers,
    }
    return _recorded(store, settings, out, lambda: asdict(train(out, recipe, report, workers=workers)))


def adapter_recipe_for(
    *, lessons: int | None = None, steps: bool | None = None, seed: int | None = None
) -> AdapterRecipe:
    """The usual recipe of an adapter with what is asked to be otherwise."""
    recipe = AdapterRecipe()
    seed = recipe.tuning.seed if seed is None else seed
    tasks = replace(recipe.tasks, seed=seed, with_steps=recipe.tasks.with_steps if steps is None else steps)
    tuning = replace(recipe.tuning, seed=seed)
    return replace(recipe, tasks=tasks, tuning=tuning, lessons=recipe.lessons if lessons is None else lessons)


def tune_recorded(store: Store, base: str, out: Path, recipe: AdapterRecipe, report: Report) -> dict[str, Any]:
    """Tune an adapter of `base` into `out`, and write it down as `train_recorded` does.

    Raises
    ------
    InputError : as `tune` does.
    """
    settings = {"out": str(out), "base": base, "recipe": asdict(recipe), "git_revision": git_revision()}
    return _recorded(store, settings, out, lambda: asdict(tune(base, out, recipe, report)))


def base_named(adapter: Path) -> str:
    """What `tune` and `compare` call the base of an adapter."""
    name = base_of(adapter)
    return SMOLLM2_NAMES[0] if name == SMOLLM2.name else name


def _recorded(
    store: Store, settings: Mapping[str, Any], out: Path, work: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    run_id = start_run(store, command=COMMAND, settings=settings)
    try:
        metrics = work()
    except BaseException as error:
        finish_run(store, run_id, "failed" if isinstance(error, Exception) else "interrupted")
        raise
    finish_run(store, run_id, "finished", metrics=metrics)
    return {"run_id": run_id, "out": str(out), **metrics}


def prepare_lessons(out: Path, recipe: Recipe, report: Report) -> Mapping[str, str]:
    """Part → hash of its file under `out`; files that are not there yet are written."""
    hashes: dict[str, str] = {}
    report("lessons", 0, recipe.lessons, 0.0)
    for part in PARTS:
        file = lessons_file(out, recipe, part)
        manifest = file.with_suffix(".json")
        try:
            hashes[part] = json.loads(manifest.read_text())["sha256"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{manifest} cannot be read: {error}",
                expected="the manifest that was written with the lessons",
                next_step=f"Remove {file}: its lessons are written anew, and are the same.",
            ) from error
    return hashes


def git_revision() -> str | None:
    """The revision of the code, with a plus sign where files differ from it; None where it is not in a work tree."""
    here = Path(__file__).resolve().parent
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty=+"],
            cwd=here,
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip() or None
