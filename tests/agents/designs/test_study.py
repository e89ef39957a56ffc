"""A design and its rows: codings, who is left out and why, and what is refused."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from leucippus.agents.answer import answer, answer_json
from leucippus.agents.dataset import from_frame
from leucippus.agents.designs.base import estimand_name
from leucippus.agents.designs.registry import parse_design
from leucippus.agents.designs.study import Study, prepare
from leucippus.errors import DataError, DesignError, LeucippusError
from leucippus.graphs.reading import read_graph

N = 40
RNG = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {
        "treat": np.arange(N) % 2,
        "arm": np.where(np.arange(N) % 4 == 0, "high", np.where(np.arange(N) % 4 == 1, "low", "control")),
        "word": np.where(np.arange(N) % 2 == 0, "placebo", "drug"),
        "y": RNG.normal(size=N),
        "yes": np.where(RNG.random(N) < 0.5, "Yes", "no"),
        "group": np.repeat(["a", "b", "c", "d"], N // 4),
        "net price ;--": RNG.normal(size=N),
        "code": np.arange(N) % 3,
    }
)
RCT = {"strategy": "rct", "treatment": "treat", "outcome": "y"}


def study(frame: pd.DataFrame = FRAME, **fields: Any) -> Study:
    return prepare(from_frame(frame), parse_design({**RCT, **fields}))


def test_two_words_are_coded_where_one_names_the_control() -> None:
    made = study(treatment="word")
    assert made.binary and made.d.sum() == N / 2 and made.contrast == "word = drug rather than placebo"
    with pytest.raises(DesignError, match="neither says which is treated"):
        study(FRAME.assign(word=np.where(FRAME["treat"], "red", "blue")), treatment="word")


def test_a_contrast_leaves_the_other_values_out_and_counts_them() -> None:
    made = study(treatment="arm", treated_value="high", control_value="control")
    assert made.n == 30 and made.d.sum() == 10
    assert [(row.reason, row.rows) for row in made.dropped] == [("arm is neither of the two values compared", 10)]
    assert study(treatment="arm", treated_value="high").d.sum() == 10  # against everything else
    with pytest.raises(DesignError, match="never 'higher'"):
        study(treatment="arm", treated_value="higher")


def test_values_written_as_text_still_match() -> None:
    assert study(FRAME.assign(treat=FRAME["treat"].astype(bool)), treated_value=1).d.sum() == N / 2
    assert study(FRAME.assign(treat=FRAME["treat"].astype(bool)), treated_value="True").d.sum() == N / 2
    assert study(treated_value="1", control_value="0").d.sum() == N / 2


def test_yes_and_no_become_one_and_zero() -> None:
    assert set(study(outcome="yes").y) == {0.0, 1.0}
    with pytest.raises(DesignError, match="holds text"):
        study(outcome="group")


def test_indicators_leave_the_first_level_out() -> None:
    made = study(controls=["group", "C(code)", "net price ;--"])
    assert list(made.x.columns) == ["group=b", "group=c", "group=d", "code=1", "code=2", "net price ;--"]
    with pytest.raises(DesignError, match="different values"):
        study(pd.concat([FRAME] * 20).assign(name=[f"n{i}" for i in range(20 * N)]), controls=["name"]).x  # noqa: B018


def test_rows_with_missing_values_are_counted_once() -> None:
    frame = FRAME.assign(y=FRAME["y"].where(FRAME.index > 4), code=FRAME["code"].where(FRAME.index > 5))
    made = study(frame, controls=["code"], subset="treat >= 0 and `net price ;--` < 100")
    assert [(row.reason, row.rows) for row in made.dropped] == [("missing y", 5), ("missing code", 1)]
    assert made.attrition is not None and made.attrition.treated_missing + made.attrition.control_missing == 5


def test_derived_columns_may_build_on_each_other() -> None:
    made = study(outcome="z", derived={"w": "y * 2", "z": "w + 1"}, subset="z > 1")
    assert np.allclose(made.y, 2 * FRAME["y"][FRAME["y"] > 0] + 1)
    with pytest.raises(DesignError, match="in the data already"):
        study(derived={"y": "treat"})


@pytest.mark.parametrize(
    ("frame", "fields", "error", "words"),
    [
        (FRAME, {"treatment": "treet"}, DataError, "Did you mean 'treat'"),
        (FRAME, {"derived": {"z": "nothing + 1"}, "outcome": "z"}, DataError, "no column 'nothing'"),
        (FRAME, {"subset": "y > 'a'"}, DesignError, "the data refuse"),
        (FRAME, {"subset": "y > 100"}, DataError, "no rows are left"),
        (FRAME.assign(y=np.inf), {}, DataError, "infinite"),
        (FRAME.assign(y=np.nan), {}, DataError, "no rows are left: 40 missing y"),
        (FRAME.assign(treat=np.nan), {}, DataError, "no rows are left: 40 missing treat"),
        (FRAME.assign(word="drug"), {"treatment": "word"}, DesignError, "'drug' in every row"),
        (FRAME, {"controls": 3}, DesignError, "controls"),
        (FRAME, {"estimand": "LATE"}, DesignError, "ATE, ITT"),
        (FRAME, {"bandwidth": 3}, DesignError, "no field 'bandwidth'"),
        (FRAME, {"contols": "y"}, DesignError, "Did you mean 'controls'"),
        (FRAME, {"strategy": "magic"}, DesignError, "unknown strategy"),
    ],
)
def test_what_cannot_be_used_says_why(
    frame: pd.DataFrame, fields: dict[str, Any], error: type[LeucippusError], words: str
) -> None:
    with pytest.raises(error) as caught:
        study(frame, **fields)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("frame", "fields", "words"),
    [
        (FRAME.assign(treat=1), {}, "is constant"),
        (FRAME.assign(y=3.0), {}, "is constant"),
        (FRAME.head(5), {}, "5 of 5 rows"),
        (FRAME.assign(one="a"), {"cluster": "one"}, "1 clusters"),
        (FRAME.assign(copy=1 - FRAME["treat"]), {"controls": ["copy"]}, "perfect collinearity"),
        (FRAME, {"controls": ["code"], "after_treatment": ["code"]}, "came after the treatment"),
        (FRAME.assign(ly=np.exp(FRAME["y"])), {"controls": ["ly"]}, "in another form"),
    ],
)
def test_what_carries_no_number_is_refused_with_the_reason(
    frame: pd.DataFrame, fields: dict[str, Any], words: str
) -> None:
    said = answer_json(answer(from_frame(frame), parse_design({**RCT, **fields})))
    assert said["refused"] and "estimate" not in said
    assert words in " ".join(said["reason"]) and said["remedy"]


def test_columns_may_not_share_a_name() -> None:
    with pytest.raises(DataError, match="both called 'a'"):
        from_frame(pd.DataFrame([[1, 2]], columns=["A", "a"]))


def test_an_answer_holds_what_a_reader_needs() -> None:
    said = answer_json(answer(from_frame(FRAME), parse_design(RCT)))
    assert {"estimate", "se", "ci_low", "ci_high", "estimand", "n_used", "assumptions", "units"} <= said.keys()
    assert said["ci_low"] < said["estimate"] < said["ci_high"] and said["n_used"] == N and not said["refused"]


@pytest.mark.parametrize(
    ("text", "among", "name"),
    [
        ("ATT (group-time average, never-treated comparison)", ("ATE", "ATT"), "ATT"),
        ("average treatment effect on the treated", ("ATE", "ATT"), "ATT"),
        ("ATE on the treated", ("ATE", "ATT"), "ATT"),
        ("local average treatment effect", ("LATE",), "LATE"),
        ("LATE at cutoff", ("effect at the cutoff",), "effect at the cutoff"),
        ("ACME (indirect effect)", ("indirect effect", "direct effect"), "indirect effect"),
        ("ATE over time (level shift)", ("level shift",), "level shift"),
        ("average effect on the treated", ("ATE",), None),
        ("ate (att)", ("ATE", "ATT"), None),
        ("ATEX", ("ATE",), None),
    ],
)
def test_an_estimand_is_read_whole(text: str, among: tuple[str, ...], name: str | None) -> None:
    assert estimand_name(text, among) == name


def test_lag_needs_an_order_and_one_row_a_period() -> None:
    panel = {"strategy": "did", "treatment": "treat", "outcome": "z", "time": "when", "unit": "group"}
    derived = {"derived": {"z": "lag(y)"}}
    texts = FRAME.assign(when="Jan 2020")
    with pytest.raises(DesignError, match="which is text"):
        prepare(from_frame(texts), parse_design({**panel, **derived}))
    with pytest.raises(DesignError, match="no one row to look back to"):
        prepare(from_frame(FRAME.assign(when=2000)), parse_design({**panel, **derived}))


def test_names_that_differ_in_case_are_one() -> None:
    with pytest.raises(DesignError, match="in the data already"):
        study(derived={"Y": "y * 2"}, outcome="Y")


def test_whole_numbers_too_large_to_tell_apart() -> None:
    with pytest.raises(DataError, match="more than can be told apart"):
        study(FRAME.assign(code=2**60 + np.arange(N)), controls=["code"])


def test_infinite_values_nobody_named_count_as_missing() -> None:
    frame = FRAME.assign(ratio=np.where(np.arange(N) == 3, np.inf, 1.0 + np.arange(N)))
    said = answer(from_frame(frame), parse_design({**RCT, "before_treatment": ["ratio"]}))
    assert said.estimate is not None and said.estimate.n_used == N


def test_one_treated_row_shows_no_chance() -> None:
    said = answer(from_frame(FRAME.assign(treat=np.arange(N) == 3)), parse_design(RCT))
    assert said.refused and "smaller arm has 1 rows" in said.reasons[0]


def test_a_challenge_that_fails_costs_no_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("nothing to divide by")

    monkeypatch.setattr("leucippus.agents.designs.rct.permutation", broken)
    said = answer(from_frame(FRAME), parse_design(RCT))
    assert said.estimate is not None
    assert said.challenges[-1].verdict == "not testable" and "nothing to divide by" in said.challenges[-1].sentence


def test_a_graph_that_runs_the_other_way_is_fatal() -> None:
    said = answer(from_frame(FRAME), parse_design(RCT), read_graph("y -> treat"))
    assert said.refused and "y is a cause of treat" in said.reasons[0]
