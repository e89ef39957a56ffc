"""Periods as people write them."""

import numpy as np
import pandas as pd
import pytest

from leucippus.agents.estimators.periods import NEVER, read_periods
from leucippus.errors import DesignError


@pytest.mark.parametrize(
    ("written", "order"),
    [
        ([2001, 1999, 2000], [2, 0, 1]),
        ([1982, 1988, 1984], [0, 2, 1]),
        (["1999", "2001", "2000"], [0, 2, 1]),
        (["Q42010", "Q12011", "Q32010"], [1, 2, 0]),
        (["2010Q4", "2011 Q1", "2010-q3"], [1, 2, 0]),
        (["1995-11", "1996-02", "1995-04"], [1, 2, 0]),
        (["May 1987", "April 1988", "Dec 1987"], [0, 2, 1]),
        (["1987-05-12", "1986-12-31", "1987-05-02"], [2, 0, 1]),
        (["wave 10", "wave 9", "wave 1"], [2, 1, 0]),
        (["after", "before"], [1, 0]),
        (pd.to_datetime(["2020-02-01", "2019-12-01"]), [1, 0]),
        ([True, False], [1, 0]),
    ],
)
def test_order(written: list[object], order: list[int]) -> None:
    assert read_periods(pd.Series(written), "when").index.tolist() == order


def test_first_treated_between_and_beyond_the_periods() -> None:
    periods = read_periods(pd.Series([1982, 1984, 1988]), "year")
    assert periods.place(1983) == 1  # treated in 1983 is first seen treated in 1984
    assert periods.place("1984") == 1
    assert periods.place(1990) == NEVER
    assert periods.place(1970) == 0


def test_a_value_written_as_the_periods_or_as_a_year() -> None:
    quarters = read_periods(pd.Series(["Q42010", "Q12011", "Q22011"]), "quarter")
    assert quarters.place("2011 Q1") == 1
    assert quarters.place(2011) == 1
    dates = read_periods(pd.to_datetime(pd.Series(["2010-12-31", "2011-01-05"])), "day")
    assert dates.place("2011-01-01") == 1
    assert dates.place(2011) == 1
    with pytest.raises(DesignError, match="not written as"):
        quarters.place("spring")


@pytest.mark.parametrize(
    "written", [["red", "blue"], ["2010Q4", "May 1987"], ["wave 1", "round 2"], ["1995-13", "1995-01"]]
)
def test_no_order_is_an_error(written: list[str]) -> None:
    with pytest.raises(DesignError, match="no order"):
        read_periods(pd.Series(written), "when")


def test_labels_follow_the_order() -> None:
    assert read_periods(pd.Series([2.0, 1.0, 3.0]), "t").labels == ("1", "2", "3")
    assert np.array_equal(read_periods(pd.Series([5, 5, 3]), "t").index, [1, 1, 0])
