"""JOB train extractor: data → tagger → adapter → calibration → scores, in one folder that `--adapter` takes.

Each step leaves its files in the folder and is not done again by a run that finds them there; a step that was cut
short goes on from its last checkpoint. The same recipe on the same machine gives the same folder within rounding.
"""

import asyncio
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from leucippus.agents.confidence import FILE as CONFIDENCE
from leucippus.agents.confidence import load_confidence
from leucippus.agents.model_extractor import ModelExtractor
from leucippus.agents.tagger_extractor import TaggerExtractor
from leucippus.agents.tagging import WIDTH
from leucippus.config import PACKAGED_MODEL, Settings
from leucippus.errors import InputError
from leucippus.serving.client import connect, find_model
from leucippus.serving.tagger import WEIGHTS, LocalTagger, Tagger, base_model, save_tagger
from leucippus.store.database import Store
from leucippus.store.triples import Document, Passage
from leucippus.store.write import finish_run, start_run
from leucippus.training import adapter, tagger
from leucippus.training.adapter import Recipe as AdapterRecipe
from leucippus.training.calibrate import Pairs, calibrate
from leucippus.training.evaluate import Found, calibration_error, evaluate, match
from leucippus.training.examples import Example, apart, joined, public, written
from leucippus.training.grammar import generate
from leucippus.training.tagger import Recipe as TaggerRecipe

COMMAND = "train extractor"
SCORES = "scores.json"
_CALIBRATION_SHARE = 0.06
Report = Callable[[str, int, int, float], None]


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what comes out."""

    public: str | None = None
    """File of public annotated sentences; only its licensed parts are used."""
    generated: int = 1000
    joined: float = 0.05
    """Texts made of two others, as a share."""
    limit: int | None = None
    """Learn from at most so many texts: for a trial."""
    seed: int = 0
    tagger: TaggerRecipe = field(default_factory=TaggerRecipe)
    adapter: AdapterRecipe | None = field(default_factory=AdapterRecipe)
    """None: tune no language model."""


def train_extractor(store: Store, out: Path, recipe: Recipe, settings: Settings, report: Report) -> dict[str, Any]:
    """Train an extractor into `out`, record the run in `store`, and return its scores on the held-out sentences.

    Raises
    ------
    InputError : `out` holds an extractor made by another recipe, or the public file cannot be read.
    """
    _claim_folder(out, recipe)
    run_id = start_run(store, command=COMMAND, settings={"out": str(out), **asdict(recipe)})
    try:
        scores = _train(out, recipe, settings, report)
    except BaseException as error:
        finish_run(store, run_id, "failed" if isinstance(error, InputError) else "interrupted")
        raise
    finish_run(store, run_id, "finished", metrics=scores)
    return {"run_id": run_id, "out": str(out), **scores}


def _train(out: Path, recipe: Recipe, settings: Settings, report: Report) -> dict[str, Any]:
    annotated = written() + (public(Path(recipe.public)) if recipe.public else [])
    learned, kept = apart(annotated, _CALIBRATION_SHARE)
    kept = kept[: recipe.limit]
    examples = (learned + generate(recipe.generated, recipe.seed))[: recipe.limit]
    if not (out / WEIGHTS).is_file():
        model, tokenizer = base_model(WIDTH, recipe.seed)
        texts = examples + joined(learned, round(recipe.joined * len(examples)), recipe.seed)
        tagger.train_mean(texts, model, tokenizer, recipe.tagger, out / "runs", _step(report, "tagger"))
        save_tagger(model, out)
        shutil.rmtree(out / "runs")
    if recipe.adapter and not (out / adapter.CONFIG).is_file():
        model_folder = find_model(settings.model_copy(update={"model": PACKAGED_MODEL}))
        adapter.train(examples, model_folder, out, recipe.adapter, _step(report, "adapter"))
        shutil.rmtree(out / "checkpoints", ignore_errors=True)
    if not (out / CONFIDENCE).is_file():
        report("calibration", 0, len(kept), 0.0)
        said = asyncio.run(_said(out, kept, settings)) if recipe.adapter else [None] * len(kept)
        calibration = calibrate(kept, Tagger.load(out).score([example.text for example in kept]), said)
        (out / CONFIDENCE).write_text(calibration.model_dump_json(indent=1) + "\n")
    scores = asyncio.run(measure(out, written("heldout")))
    (out / SCORES).write_text(json.dumps(scores, indent=1) + "\n")
    return scores


async def measure(folder: Path, examples: Sequence[Example]) -> dict[str, float]:
    """The scores of a folder's tagger on annotated sentences."""
    extractor = TaggerExtractor(LocalTagger(folder), folder, load_confidence(folder))
    results = await extractor.read([_passage(example.text) for example in examples])
    found = [
        [Found(c.cause, c.effect, c.sign, c.negated, c.hedged, c.confidence or 0.0) for c in result.claims]
        for result in results
    ]
    right = [
        i in match(example, pairs) for example, pairs in zip(examples, found, strict=True) for i in range(len(pairs))
    ]
    error = calibration_error([pair.confidence for pairs in found for pair in pairs], right)
    return {**evaluate(examples, found).as_dict(), "calibration_error": round(error, 4)}


async def _said(folder: Path, examples: Sequence[Example], settings: Settings) -> list[Pairs | None]:
    """The pairs that the tuned language model finds in each text; None where its answer failed."""
    served = settings.model_copy(update={"model": PACKAGED_MODEL, "adapter": str(folder)})
    reader = ModelExtractor(connect(served), served)
    try:
        answers = await reader.ask([example.text for example in examples])
    finally:
        await reader.close()
    return [reader.pairs(example.text, each) for example, each in zip(examples, answers, strict=True)]


def _passage(text: str) -> Passage:
    document = Document.of(text, media_type="text/plain", title="")
    return Passage.of(document, 0, len(text))


def _step(report: Report, name: str) -> Callable[[int, int, float], None]:
    return lambda step, steps, loss: report(name, step, steps, loss)


def _claim_folder(out: Path, recipe: Recipe) -> None:
    """`out` belongs to one recipe: what is found there was made by it."""
    named = replace(recipe, public=Path(recipe.public).name if recipe.public else None)
    described = json.dumps(asdict(named), indent=1) + "\n"
    path = out / "recipe.json"
    if path.is_file() and path.read_text() != described:
        raise InputError(
            f"{out} holds an extractor, or a part of one, that another recipe made.",
            next_step="Name another folder, or remove this one.",
        )
    out.mkdir(parents=True, exist_ok=True)
    path.write_text(described)
