"""The commands about tuning on logs without their confounding: parses and shows, like `cli`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from leucippus import output
from leucippus.cli_lcm import DEFAULT_STORE, JsonOption, StoreOption
from leucippus.cli_train import with_torch_environment
from leucippus.errors import InputError


def register(train: typer.Typer) -> None:
    """Add the commands to those that train."""
    train.command("deconfound")(train_deconfound)
    train.command("rollback")(rollback_version)


def train_deconfound(
    logs: Annotated[Path, typer.Argument(help="CSV, TSV, Parquet, JSON lines, DuckDB or SQLite file.")],
    text: Annotated[str, typer.Option(help="Column with what was shown.")],
    outcome: Annotated[str, typer.Option(help="Column with what came of it: numbers, or true and false.")],
    confounders: Annotated[
        str, typer.Option(help="Columns that moved the outcome and the choice of text, with commas between them.")
    ] = "",
    out: Annotated[
        Path | None, typer.Option(help="Folder for the versions; an unfinished one is taken up again.")
    ] = None,
    context: Annotated[str | None, typer.Option(help="Column with what the text answers to: the prompt.")] = None,
    instrument: Annotated[
        str | None, typer.Option(help="Column that moves the first confounder and nothing else.")
    ] = None,
    group: Annotated[str | None, typer.Option(help="Column with an id whose constant effect is taken out.")] = None,
    time: Annotated[str | None, typer.Option(help="Column with when the text was shown.")] = None,
    user: Annotated[str | None, typer.Option(help="Column with who answered: their rows are not independent.")] = None,
    experiment: Annotated[
        str | None, typer.Option(help="Column that is true where the text was drawn at random.")
    ] = None,
    allow: Annotated[
        str, typer.Option(help="Confounders to take although they look as if text or outcome had caused them.")
    ] = "",
    method: Annotated[str, typer.Option(help="dpo, sft, grpo or best-of-n.")] = "dpo",
    reward: Annotated[
        str,
        typer.Option(
            help="How the confounders' part is found: auto, 'partially linear', 'two-stage least squares', "
            "'fixed effects', curved or interacted."
        ),
    ] = "auto",
    base: Annotated[str, typer.Option(help="smollm2, or the folder of a Hugging Face model.")] = "smollm2",
    lessons: Annotated[int | None, typer.Option(min=1, help="Pairs, texts or prompts to learn from, at most.")] = None,
    beta: Annotated[
        float | None, typer.Option(help="dpo, grpo: how close to stay to the base; the higher, the closer.")
    ] = None,
    reweigh: Annotated[
        bool, typer.Option("--reweigh", help="Weight rows by how likely their outcome is to be known.")
    ] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin from the base, not from the version served.")] = False,
    mask: Annotated[bool, typer.Option("--mask/--no-mask", help="Mask addresses, numbers and ids in texts.")] = True,
    plan_only: Annotated[bool, typer.Option("--plan-only", help="Say what the logs hold, and stop.")] = False,
    table: Annotated[str | None, typer.Option(help="Table of a database.")] = None,
    store: StoreOption = DEFAULT_STORE,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of everything drawn.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Tune a language model on logs of texts and outcomes, with the effect of known confounders taken out first."""
    from leucippus.training.deconfound.logs import LogSpec
    from leucippus.training.deconfound.plan import causal_plan, in_words
    from leucippus.training.deconfound.reading import read_logs

    spec = LogSpec(
        text=text,
        outcome=outcome,
        confounders=_names(confounders),
        context=context,
        instrument=instrument,
        group=group,
        time=time,
        user=user,
        experiment=experiment,
        allow=_names(allow),
    )
    if plan_only:
        plan = causal_plan(read_logs(logs, spec, table=table, masked=mask))
        output.line(asdict(plan)) if as_json else output.say(in_words(plan))
        return
    if out is None:
        raise InputError("There is no folder to tune into.", expected="--out DIR, or --plan-only")
    with_torch_environment()

    from leucippus.store.database import open_store
    from leucippus.training.deconfound.run import deconfound_recorded, recipe_for

    recipe = recipe_for(
        spec,
        method,
        table=table,
        masked=mask,
        reward=reward,
        reweigh=reweigh,
        lessons=lessons,
        beta=beta,
        seed=seed,
    )
    with open_store(store) as opened:
        result = deconfound_recorded(opened, logs, out, base, recipe, output.training_line, fresh=fresh)
    output.line(result) if as_json else _show(result)


def rollback_version(
    out: Annotated[Path, typer.Argument(help="The folder that `train deconfound` wrote.")],
    to: Annotated[str | None, typer.Option(help="The version to serve; the one before, otherwise.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Serve an earlier version again; nothing is deleted."""
    from leucippus.training.deconfound.versions import rollback

    served = rollback(out, to)
    output.line({"served": served}) if as_json else output.say(f"served: version {served} ({out / 'current'})")


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _show(result: Mapping[str, Any]) -> None:
    facts = result["facts"]
    measured = facts["before_after"]
    for warning in facts["warnings"]:
        output.note(f"warning: {output.flat(warning)}")
    for finding in facts["findings"]:
        if finding["fired"]:
            output.note(f"warning: {finding['name']}: {output.flat(finding['said'])}")
    output.show_counts(
        {
            output.flat(one["confounder"]): f"γ = {one['gamma']:.4g} (standard error {one['se']:.2g})"
            for one in facts["coefficients"]
        }
        or {"confounders": "none"}
    )
    output.say("prompt | before | after")
    for example in measured["examples"]:
        output.say(" | ".join(output.flat(text) for text in example))
    output.say()
    gain = measured["gain"]
    span = "" if gain["se"] is None else f", 95% {gain['low']:+.3g} to {gain['high']:+.3g}"
    output.say(
        f"Expected reward of what it writes: {measured['base']:.4g} before, {measured['tuned']:.4g} after "
        f"({gain['value']:+.3g}{span})."
    )
    if measured["agrees"] is not None:
        output.say(
            f"Of {measured['pairs']:,} held-out pairs the better text became likelier in {measured['agrees']:.0%}."
        )
    output.say(f"Off-policy value: {facts['off_policy']['said']}")
    if facts["tilted"]["supported"]:
        output.say(f"What tuning changed: {facts['tilted']['said']}")
    output.say()
    version, served = result["version"], result["served"]
    if result["kept"] is not None:
        output.say(f"Nothing was trained, and what is served stays as it is. Texts: {result['kept']}")
    elif served == version:
        output.say(f"Version {served} is served: --model {result['model']}")
    elif facts["worse"] is not None:
        output.say(f"Version {version} is not served: {facts['worse']}. What was served before stays.")
    else:
        output.say(f"Version {version} was finished before; version {served} is served. See `train rollback`.")
