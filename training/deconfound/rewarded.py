"""Logs with their reward, parted into what is learnt from and what the result is judged by."""

from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from leucippus.training.deconfound.arms import Arms, Floats, Ints, Judged, arms_of, judge
from leucippus.training.deconfound.embed import embed_texts
from leucippus.training.deconfound.logs import Logs
from leucippus.training.deconfound.off_policy import MANY_CONTEXTS
from leucippus.training.deconfound.reward import Deconfounded, Method, deconfound
from leucippus.training.deconfound.reward_model import RewardModel, fit_reward_model
from leucippus.training.deconfound.tune import Report
from leucippus.training.deconfound.tuning import Score

_FOLDS = 5
_PIECE = 65_536
"""Texts scored at once."""


@dataclass(frozen=True, eq=False)
class Rewarded:
    """Logs with their reward, parted into what is learnt from and what is held out."""

    logs: Logs
    e: NDArray[np.float32]
    found: Deconfounded
    train: Ints
    held: Ints
    model: RewardModel
    """Fitted to the former."""
    second: RewardModel
    """Fitted to the latter: what tuning is judged by."""


def reward(
    logs: Logs, cache: Path, report: Report, *, method: Method, held_out: float, seed: int, reweigh: bool = False
) -> Rewarded:
    """Embeddings, the deconfounded reward, and two reward models of different rows.

    Raises
    ------
    InputError : the logs hold too few texts or rows, or a method lacks its column.
    """
    e = embed_texts(logs.texts, cache, lambda what, done, of, seconds: report(what, done, of, 0.0))
    seen = len(np.unique(logs.text_of[logs.observational]))
    found = deconfound(logs, e, method=method, folds=_folds(seen), seed=seed, reweigh=reweigh)
    train, held = parted(logs, held_out, seed)
    return Rewarded(
        logs, e, found, train, held, _model(logs, e, found, train, seed), _model(logs, e, found, held, seed)
    )


def parted(logs: Logs, share: float, seed: int) -> tuple[Ints, Ints]:
    """Rows to learn from and rows held out, (n₁,) and (n₂,): whole contexts where there are many, else whole users, else
    rows.

    A context is held out by the hash of its text, a user by when they came, a row by its place, so that logs that have
    grown hold out what they held out before: a model that goes on from an earlier version is not judged by that
    version's lessons.
    """
    if logs.context_of is not None and logs.contexts is not None and len(logs.contexts) >= MANY_CONTEXTS:
        unit = logs.context_of
        chance = np.array([_chance(seed, context) for context in logs.contexts])
    else:
        unit = np.arange(len(logs.y), dtype=np.int64)
        if logs.user_of is not None and int(logs.user_of.max()) > 0:
            unit = logs.user_of
        chance = np.random.default_rng(seed).random(int(unit.max()) + 1)
    held = (chance <= max(share, chance.min()))[unit]
    return np.flatnonzero(~held).astype(np.int64), np.flatnonzero(held).astype(np.int64)


def _chance(seed: int, text: str) -> float:
    """From 0 to 1, evenly."""
    return int.from_bytes(blake2b(f"{seed} {text}".encode(), digest_size=7).digest()) / 256**7


def judged_arms(rewarded: Rewarded, rows: Ints, model: RewardModel) -> tuple[Arms, Judged]:
    """The arms of those rows, each weighed with the model's word."""
    arms = arms_of(rewarded.logs, rewarded.found, rows)
    return arms, judge(arms, *expected(model, rewarded.e))


def scorer(model: RewardModel) -> Score:
    """Any texts → expected rewards."""
    from leucippus.serving.encoder import encode

    return lambda texts: model.score(encode([text or " " for text in texts]))


def expected(model: RewardModel, e: NDArray[np.float32]) -> tuple[Floats, Floats]:
    """Rewards of all texts and their standard errors, (m,) each, a piece of the embeddings in memory at a time."""
    pieces = np.array_split(np.arange(len(e)), 1 + len(e) // _PIECE)
    return (
        np.concatenate([model.score(e[piece]) for piece in pieces]),
        np.concatenate([model.standard_error(e[piece]) for piece in pieces]),
    )


def _model(logs: Logs, e: NDArray[np.float32], found: Deconfounded, rows: Ints, seed: int) -> RewardModel:
    """Fitted to rows that are not of an experiment, unless there are no others."""
    chosen = np.zeros(len(logs.y), dtype=bool)
    chosen[rows] = True
    if (chosen & logs.observational).any():
        chosen &= logs.observational
    texts = len(np.unique(logs.text_of[chosen]))
    return fit_reward_model(e, found.r, logs.text_of, rows=chosen, folds=_folds(texts), seed=seed)


def _folds(texts: int) -> int:
    """Few texts, many rows each: a test of headlines is that. A fold is of texts, so there are no more of them."""
    return max(2, min(_FOLDS, texts))
