"""A reward for texts that no log has seen: ridge regression of the deconfounded reward on embeddings.

The penalty is chosen by folds of texts, of observational rows if the caller gives only those; no outcome of an experiment
takes part.

References
----------
Hoerl and Kennard (1970), Technometrics 12. Standard errors are those of the ridge read as a Gaussian prior, so that they
hold what the penalty leaves out too: Rasmussen and Williams (2006), eq. (2.9).
"""

from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from leucippus.errors import InputError
from leucippus.training.deconfound.features import Features
from leucippus.training.deconfound.logs import Floats, Ints, tally
from leucippus.training.deconfound.ridge import (
    BLOCK,
    PENALTIES,
    Sums,
    held_out_loss,
    path,
    sums_by_fold,
    text_folds,
    total,
)

_VERSION = 1


@dataclass(frozen=True, eq=False)
class RewardModel:
    """r(e) = mean + (e − centre)·weights."""

    mean: float
    """Of the reward over the rows it was fitted to."""
    centre: Floats
    """(d,)."""
    weights: Floats
    """(d,)."""
    covariance: Floats
    """(d, d) of the weights."""
    lam: float
    """Ridge penalty, times rows and the mean variance of a feature."""
    sigma: float
    """Residual standard deviation of the reward over rows."""
    told: float
    """Share of the reward's variance that is predicted, on texts held out."""

    def score(self, e: NDArray[np.float32]) -> Floats:
        """Expected reward, (m,), of texts with embeddings (m, d)."""
        self._check(e)
        return np.asarray(self.mean + (np.asarray(e, dtype=np.float64) - self.centre) @ self.weights)

    def standard_error(self, e: NDArray[np.float32]) -> Floats:
        """(m,) of the expected reward."""
        self._check(e)
        found = np.empty(len(e))
        for start in range(0, len(e), BLOCK):
            part = np.asarray(e[start : start + BLOCK], dtype=np.float64) - self.centre
            found[start : start + BLOCK] = np.sqrt(((part @ self.covariance) * part).sum(axis=1).clip(min=0.0))
        return found

    def save(self, path: Path) -> None:
        """Write as .npz: arrays alone, nothing that runs when it is read."""
        with path.open("wb") as file:
            np.savez(
                file, version=_VERSION, mean=self.mean, centre=self.centre, weights=self.weights,
                covariance=self.covariance, lam=self.lam, sigma=self.sigma, told=self.told,
            )  # fmt: skip

    @classmethod
    def load(cls, path: Path) -> "RewardModel":
        """Read what `save` wrote.

        Raises
        ------
        InputError : it is no such file.
        """
        try:
            with np.load(path, allow_pickle=False) as held:
                numbers = {name: float(held[name]) for name in ("mean", "lam", "sigma", "told")}
                arrays = {
                    name: np.asarray(held[name], dtype=np.float64) for name in ("centre", "weights", "covariance")
                }
                version = int(held["version"])
        except (OSError, ValueError, KeyError, BadZipFile, TypeError, EOFError) as error:
            raise InputError(
                f"{path} is no reward model: {error}", expected="a file that `save` has written"
            ) from error
        d = len(arrays["weights"])
        if version != _VERSION or arrays["centre"].shape != (d,) or arrays["covariance"].shape != (d, d):
            raise InputError(f"{path} is a reward model of another version, or damaged", next_step="Fit it anew.")
        return cls(
            numbers["mean"], arrays["centre"], arrays["weights"], arrays["covariance"], numbers["lam"], numbers["sigma"],
            numbers["told"],
        )  # fmt: skip

    def _check(self, e: NDArray[np.float32]) -> None:
        if e.ndim != 2 or e.shape[1] != len(self.weights):
            raise InputError(f"embeddings of shape {e.shape}", expected=f"{len(self.weights)} numbers a text")


def fit_reward_model(
    e: NDArray[np.float32],
    r: Floats,
    text_of: Ints | None = None,
    *,
    rows: NDArray[np.bool_] | None = None,
    folds: int = 5,
    seed: int = 0,
) -> RewardModel:
    """Fit on rows; a text's rows are all in one fold.

    Parameters
    ----------
    e : (m, d) embeddings of texts.
    r : (n,) rewards.
    text_of : (n,) the text of each row; row i has text i if None.
    rows : (n,) which rows take part, such as `Logs.observational`; all if None.

    Raises
    ------
    InputError : shapes do not fit, or fewer texts than folds.
    """
    text_of = np.arange(len(r), dtype=np.int64) if text_of is None else text_of
    weight = np.ones(len(r)) if rows is None else rows.astype(np.float64)
    if len(text_of) != len(r) or len(weight) != len(r) or (len(r) and int(text_of.max()) >= len(e)):
        raise InputError(f"{len(r)} rewards for {len(text_of)} rows and {len(e)} texts", expected="one reward a row")
    if len(np.unique(text_of[weight > 0])) < folds:
        raise InputError(f"fewer texts than {folds} folds", expected="more texts")
    count = tally(text_of, weight, len(e))
    phi = Features(e, count)
    fold = text_folds(len(e), folds, seed)
    parts = reward_sums(phi, r, text_of, weight, fold)
    whole = total(parts)
    losses = np.sum([held_out_loss(path(whole - part), part) for part in parts], axis=0)[:, 0]
    penalty = float(PENALTIES[int(losses.argmin())])
    fit = path(whole)
    weights = fit.weights(penalty, 0)
    predicted = np.concatenate(
        [phi.block(at) @ weights for at in np.array_split(np.arange(len(e)), 1 + len(e) // BLOCK)]
    )
    offset = float(fit.v_mean[0] - fit.x_mean @ weights)
    u = (r - offset - predicted[text_of]) * weight
    sigma2 = float((u**2).sum() / weight.sum())
    # Rows of a text err together: as many independent rows would err as they do have this variance.
    together = float((tally(text_of, u, len(e)) ** 2).sum() / weight.sum())
    inner = (fit.q / (fit.values + penalty * fit.unit)) @ fit.q.T
    spread = float(whole.vv[0] - whole.v[0] ** 2 / whole.n)
    scale = phi.scale
    return RewardModel(
        mean=offset,
        centre=phi.centre,
        weights=weights * scale,
        covariance=inner * max(sigma2, together) * scale**2,
        lam=penalty,
        sigma=sigma2**0.5,
        told=1 - float(losses.min()) / spread if spread > 0 else 0.0,
    )


def reward_sums(phi: Features, r: Floats, text_of: Ints, weight: Floats, fold: Ints) -> list[Sums]:
    """What a ridge regression of rewards (n,) needs of each fold of texts."""
    folds, texts = int(fold.max()) + 1, len(phi)
    squares = tally(fold[text_of], weight * r**2, folds)[:, None]
    sums = tally(text_of, weight * r, texts)[:, None]
    return sums_by_fold(phi, tally(text_of, weight, texts), sums, squares, fold, folds)
