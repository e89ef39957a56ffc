"""Our cross-fitting against DoubleML's: same folds, same learners, same numbers."""

from typing import Any

import numpy as np
import pytest
from doubleml import DoubleMLData, DoubleMLIRM, DoubleMLPLR
from doubleml.utils import PSProcessorConfig
from sklearn.linear_model import LogisticRegression, Ridge

from leucippus.agents.estimators.basis import basis
from leucippus.agents.estimators.doubly_robust import PENALTY, aipw, folds_of, partially_linear


def _data(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(400, 3))
    d = (rng.random(400) < 1 / (1 + np.exp(-x[:, 0] / 2))).astype(float)
    return basis(x, 0), d, x @ [1, 2, 0] + d * (1 + x[:, 1]) + rng.normal(size=400)


def _fitted(kind: Any, data: tuple[Any, Any, Any], learners: tuple[Any, Any], binary: bool, **how: Any) -> Any:
    x, d, y = data
    model = kind(DoubleMLData.from_arrays(x, y, d), *learners, draw_sample_splitting=False, **how)
    rows = np.arange(len(y))
    repetitions = folds_of(d, None, binary=binary)
    model.set_sample_splitting([[(rows[f != k], rows[f == k]) for k in range(int(f.max()) + 1)] for f in repetitions])
    return model.fit()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("target", "score"), [("ATE", "ATE"), ("ATT", "ATTE")])
def test_interactive_model(target: Any, score: str) -> None:
    data = _data(0)
    logit = LogisticRegression(C=1 / PENALTY, solver="newton-cholesky", tol=1e-10)
    how = {"score": score, "ps_processor_config": PSProcessorConfig(clipping_threshold=1e-12)}
    theirs = _fitted(DoubleMLIRM, data, (Ridge(PENALTY), logit), True, **how)
    x, d, y = data
    ours = aipw(y, d, x, target)
    assert ours.value.sum() / ours.weight.sum() == pytest.approx(np.mean(theirs.all_coef), rel=1e-4)
    assert ours.effect(4).se == pytest.approx(theirs.se[0], rel=0.02)


@pytest.mark.filterwarnings("ignore")
def test_partially_linear_model() -> None:
    data = _data(1)
    theirs = _fitted(DoubleMLPLR, data, (Ridge(PENALTY), Ridge(PENALTY)), False)
    x, d, y = data
    ours = partially_linear(y, d, x)
    assert ours.value.sum() / ours.weight.sum() == pytest.approx(np.mean(theirs.all_coef), rel=1e-4)
    assert ours.effect(4).se == pytest.approx(theirs.se[0], rel=0.02)
