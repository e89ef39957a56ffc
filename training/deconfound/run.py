"""JOB train deconfound: logs → deconfounded reward → pairs → adapter → what it is worth → card → version. Reads top to
bottom; what was made by which code from which logs is written down in the store.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, cast, get_args

import numpy as np

from leucippus._version import __version__
from leucippus.errors import InputError
from leucippus.store.database import Store
from leucippus.store.write import finish_run, start_run
from leucippus.training.adapter import CONFIG
from leucippus.training.axiomatic.adapter import find_base
from leucippus.training.axiomatic.run import git_revision
from leucippus.training.deconfound.arms import Arms, Judged
from leucippus.training.deconfound.card import Coefficient, Facts, model_card
from leucippus.training.deconfound.evaluated import Evaluated, evaluate
from leucippus.training.deconfound.logs import LogSpec
from leucippus.training.deconfound.pairs import PairRecipe, preference_pairs, prompt_of, weighted_texts
from leucippus.training.deconfound.plan import causal_plan
from leucippus.training.deconfound.reading import read_logs
from leucippus.training.deconfound.reward import Method
from leucippus.training.deconfound.rewarded import Rewarded, judged_arms, reward, scorer
from leucippus.training.deconfound.tune import (
    BEST,
    Lessons,
    Report,
    Tuned,
    base_name,
    fit,
    read_tuned,
    write_whole,
)
from leucippus.training.deconfound.tuning import METHODS, TuneRecipe, check_recipe
from leucippus.training.deconfound.versions import (
    CURRENT,
    PUBLISHED,
    REPORT,
    alone,
    current,
    find,
    next_folder,
    publish,
)
from leucippus.training.folders import RECIPE, claim_folder

COMMAND = "train deconfound"
CARD, REWARD, CACHE = "README.md", "reward.npz", "cache"


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what comes out, but for logs and base."""

    spec: LogSpec
    table: str | None = None
    masked: bool = True
    reward: Method = "auto"
    reweigh: bool = False
    """Rows count by one over the chance that their outcome is known."""
    held_out: float = 0.3
    """Share of contexts (or users, or rows) that is kept from tuning, to value the policy on."""
    pairs: PairRecipe = field(default_factory=PairRecipe)
    tuning: TuneRecipe = field(default_factory=TuneRecipe)
    scored: int = 400
    """Texts in their contexts whose likelihoods are looked at, at most."""
    prompts: int = 24
    """For which base and tuned model write, to be compared."""
    seed: int = 0


LESSONS: Mapping[str, int] = {"dpo": 500, "sft": 1000, "grpo": 200, "best-of-n": 200}
"""Pairs, texts or prompts, unless it is asked otherwise: what two cores learn from in about half an hour."""


def recipe_for(
    spec: LogSpec,
    method: str = "dpo",
    *,
    table: str | None = None,
    masked: bool = True,
    reward: str = "auto",
    reweigh: bool = False,
    lessons: int | None = None,
    beta: float | None = None,
    seed: int = 0,
) -> Recipe:
    """The usual recipe of a method, with what is asked to be otherwise.

    Raises
    ------
    InputError : there is no such method of learning or of the reward, or nothing can be tuned with such a beta.
    """
    for name, known in ((method, METHODS), (reward, get_args(Method))):
        if name not in known:
            raise InputError(f"There is no method {name!r}.", expected=f"one of {', '.join(known)}")
    tuning = TuneRecipe(method=cast(Any, method), seed=seed)
    if beta is not None:
        tuning = replace(tuning, beta=beta)
    check_recipe(tuning)
    return Recipe(
        spec,
        table=table,
        masked=masked,
        reward=cast(Any, reward),
        reweigh=reweigh,
        pairs=PairRecipe(most=LESSONS[method] if lessons is None else lessons),
        tuning=tuning,
        seed=seed,
    )


@dataclass(frozen=True)
class Begun:
    """What a version's folder belongs to."""

    logs_sha256: str
    base: str
    recipe: Recipe
    fresh: bool
    """Begun from the base, whatever was served."""
    parent: str | None
    """The version whose adapter it goes on from."""


def deconfound_recorded(
    store: Store, source: Path, out: Path, base: str, recipe: Recipe, report: Report, *, fresh: bool = False
) -> dict[str, Any]:
    """Tune `base` on the logs in `source` into a new version in `out`, serve it from then on, and write the run down.

    A run that was cut short is taken up; one that was finished with the same logs and recipe is returned, and what is
    served stays as it is. Logs that are new go on from the version that is served. A version that is worse beyond doubt
    by the rows held out is kept but not served.

    Parameters
    ----------
    fresh : begin from the base, whatever is served.

    Raises
    ------
    InputError : the logs, the base or the recipe cannot be used, or the logs hold nothing to learn from. What is served
        stays as it is.
    """
    check_recipe(recipe.tuning)
    if not 0 < recipe.held_out < 1:
        raise InputError(f"A share of {recipe.held_out} cannot be held out.", expected="a share between 0 and 1")
    find_base(base)
    settings = {
        "source": str(source),
        "out": str(out),
        "base": base,
        "recipe": asdict(recipe),
        "git_revision": git_revision(),
    }
    run_id = start_run(store, command=COMMAND, settings=settings)
    try:
        with alone(out):
            result = _run(source, out, base, recipe, report, fresh=fresh)
    except BaseException as error:
        finish_run(store, run_id, "failed" if isinstance(error, Exception) else "interrupted")
        raise
    finish_run(store, run_id, "finished", metrics=result)
    return {"run_id": run_id, "out": str(out), **result}


def _run(source: Path, out: Path, base: str, recipe: Recipe, report: Report, *, fresh: bool) -> dict[str, Any]:
    report("logs", 0, 1, 0.0)
    logs = read_logs(source, recipe.spec, table=recipe.table, masked=recipe.masked)
    begun = Begun(logs.sha256, base_name(base), recipe, fresh, None)
    folder = find(out, asdict(begun))
    if folder is not None and (folder / REPORT).is_file():
        return _finished(out, folder)
    served = None if fresh else current(out)
    if folder is None:
        folder = next_folder(out)
        begun = replace(begun, parent=_parent(served, begun.base))
    else:  # cut short: it goes on from what it went on from then
        begun = replace(begun, parent=json.loads((folder / RECIPE).read_text(encoding="utf-8"))["parent"])
    rewarded = reward(
        logs,
        out / CACHE,
        report,
        method=recipe.reward,
        held_out=recipe.held_out,
        seed=recipe.seed,
        reweigh=recipe.reweigh,
    )
    arms, judged = judged_arms(rewarded, rewarded.train, rewarded.model)
    lessons = lessons_for(rewarded, arms, judged, recipe)
    claim_folder(folder, begun)  # not before: what cannot be learnt from leaves no version behind
    score = scorer(rewarded.model)
    start = folder.parent / begun.parent if begun.parent else None
    tuned = fit(base, folder, recipe.tuning, lessons, report, start=start, score=score)
    report("evaluation", 0, 1, 0.0)
    measured = evaluate(
        rewarded,
        find_base(base),
        folder,
        pairs=recipe.pairs,
        most=recipe.scored,
        prompts=recipe.prompts,
        tokens=recipe.tuning.writes,
        seed=recipe.seed,
    )
    facts = _facts(rewarded, begun, folder.name, tuned, measured)
    rewarded.model.save(folder / REWARD)
    write_whole(folder / CARD, model_card(facts))
    write_whole(folder / REPORT, json.dumps(_plain(asdict(facts)), indent=1, ensure_ascii=False) + "\n")
    report("evaluation", 1, 1, 0.0)
    return _finished(out, folder)


def lessons_for(rewarded: Rewarded, arms: Arms, judged: Judged, recipe: Recipe) -> Lessons:
    """What the method learns from.

    Raises
    ------
    InputError : the logs hold nothing of the kind.
    """
    logs, how = rewarded.logs, replace(recipe.pairs, seed=recipe.seed)
    if recipe.tuning.method == "dpo":
        return preference_pairs(logs, arms, judged, rewarded.found.gamma_se, how)
    if recipe.tuning.method == "sft":
        return weighted_texts(logs, arms, judged, how)
    contexts = np.unique(arms.context)
    if logs.contexts is None:
        # One prompt: asked again at every step, or once.
        return [prompt_of(logs, 0)] * (how.most if recipe.tuning.method == "grpo" else 1)
    chosen = np.random.default_rng(recipe.seed).permutation(contexts)[: how.most]
    return [prompt_of(logs, int(context)) for context in chosen]


def _parent(served: Path | None, base: str) -> str | None:
    """The version to go on from."""
    if served is None or not (served / CONFIG).is_file():
        return None
    before = read_tuned(served).base
    if before != base:
        raise InputError(
            f"What is served here was tuned on {Path(before).name}, not on {Path(base).name}.",
            expected=f"the base {Path(before).name}",
            next_step="Choose another --out, or begin anew with --fresh.",
        )
    return served.name


def _facts(rewarded: Rewarded, begun: Begun, version: str, tuned: Tuned, measured: Evaluated) -> Facts:
    logs, found, plan = rewarded.logs, rewarded.found, causal_plan(rewarded.logs)
    recipe = asdict(begun.recipe)
    recipe.pop("spec")
    recipe["tuning"]["learning_rate"] = begun.recipe.tuning.rate
    return Facts(
        version=version,
        parent=begun.parent,
        base=Path(tuned.base).name,
        method=tuned.method,
        logs_sha256=logs.sha256,
        columns=logs.spec.columns,
        rows=len(logs.y),
        texts=len(logs.texts),
        contexts=None if logs.contexts is None else len(logs.contexts),
        dropped=dict(logs.dropped),
        masked=dict(logs.masked),
        reward_method=found.method,
        coefficients=tuple(
            Coefficient(name, float(gamma), float(se))
            for name, gamma, se in zip(found.names, found.gamma, found.gamma_se, strict=True)
        ),
        assumptions=found.assumptions,
        findings=found.findings,
        lessons=tuned.lessons,
        steps=tuned.steps,
        train_loss=tuned.train_loss,
        overlap=plan.overlap,
        warnings=plan.warnings,
        before_after=measured.before_after,
        off_policy=measured.off_policy,
        tilted=measured.tilted,
        worse=measured.worse,
        recipe=recipe,
        seed=begun.recipe.seed,
        code_version=__version__,
    )


def _finished(out: Path, folder: Path) -> dict[str, Any]:
    """Serve a version that never was, unless it is worse, and say what is known of it. One that was rolled back is not
    served again.
    """
    facts = json.loads((folder / REPORT).read_text(encoding="utf-8"))
    if (folder / CONFIG).is_file() and not (folder / PUBLISHED).is_file() and facts["worse"] is None:
        publish(out, folder.name)
    served = current(out)
    return {
        "version": folder.name,
        "served": served.name if served else None,
        "model": str(out / CURRENT) if served else None,
        "kept": str(folder / BEST) if (folder / BEST).is_file() else None,
        "facts": facts,
    }


def _plain(value: Any) -> Any:
    """Numbers that JSON has no word for become null."""
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
