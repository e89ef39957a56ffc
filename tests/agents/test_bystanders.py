"""Columns to test balance with: what varies, is no identifier, and is no named column in another form."""

from __future__ import annotations

import numpy as np
import pandas as pd

from leucippus.agents.bystanders import bystanders
from leucippus.agents.dataset import from_frame

N = 400


def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    wage = np.exp(rng.normal(size=N))
    treat = rng.integers(0, 2, N)
    return pd.DataFrame(
        {
            "treat": treat,
            "wage": wage,
            "lwage": np.log(wage),
            "wage_noise": wage + rng.normal(size=N),
            "control": np.where(treat == 1, "treated", "not"),
            "person_id": rng.permutation(N) + 1000,
            "number": np.arange(N),
            "constant": 3,
            "empty": np.full(N, np.nan),
            "age": rng.integers(20, 60, N),
            "female": rng.integers(0, 2, N),
            "region": rng.choice(["north", "south"], N),
            "town": [f"town {i % 60}" for i in range(N)],
            "remark": [f"said {i} things" for i in range(N)],
            "born": pd.Timestamp("1990-01-01"),
            "score (%)": rng.normal(size=N),
        }
    )


def test_which_columns_serve() -> None:
    found = bystanders(from_frame(frame()), ("treat", "wage", "derived elsewhere"))
    assert found == ("wage_noise", "age", "female", "region", "score (%)")


def test_at_most_fifty() -> None:
    rng = np.random.default_rng(0)
    wide = pd.DataFrame(rng.normal(size=(50, 80)), columns=[f"v{i}" for i in range(80)])
    found = bystanders(from_frame(wide), ("v0", "v3"))
    assert len(found) == 50 and found[:3] == ("v1", "v2", "v4")


def test_a_sample_is_enough_and_always_the_same() -> None:
    long = pd.concat([frame()] * 40, ignore_index=True)
    assert bystanders(from_frame(long), ("treat", "wage")) == bystanders(from_frame(long), ("treat", "wage"))
    assert "lwage" not in bystanders(from_frame(long), ("wage",))


def test_nothing_to_find() -> None:
    assert bystanders(from_frame(pd.DataFrame({"d": [0, 1], "y": [1.0, 2.0]})), ("d", "y")) == ()
