"""What was measured before or after the treatment: said where names and descriptions say it, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from leucippus.agents.dataset import Dataset, from_frame
from leucippus.agents.designs.rct import Rct
from leucippus.agents.timing import by_description, timing


def data(*names: str, **descriptions: str) -> Dataset:
    found = from_frame(pd.DataFrame({name: [0.0, 1.0] for name in names}))
    return replace(found, descriptions=descriptions)


def when(dataset: Dataset, treatment: str, outcome: str) -> dict[str, str]:
    found = timing(dataset, Rct(strategy="rct", treatment=treatment, outcome=outcome))
    return {name: one.when for name, one in found.items()}


NSW = ("id", "treat", "age", "educ", "black", "hisp", "marr", "nodegree", "u74", "u75", "re74", "re75", "re78")


def test_earlier_years_of_the_outcome_are_baselines() -> None:
    found = when(data(*NSW), "treat", "re78")
    assert found == dict.fromkeys(("re74", "re75", "u74", "u75"), "before")


def test_an_outcome_that_is_the_earliest_of_its_family_is_suspicious() -> None:
    found = timing(data(*NSW), Rct(strategy="rct", treatment="treat", outcome="re74"))
    assert found["re74"].when == "before"
    assert found["re74"].why.startswith("re74 is the earliest of re74, re75, re78")


def test_two_years_alone_say_nothing_about_the_earlier() -> None:
    assert "inc90" not in when(data("d", "inc90", "inc95"), "d", "inc90")


def test_a_change_between_years() -> None:
    names = ("qsmk", "wt82_71", "wt82", "wt71", "smkintensity82_71", "smokeintensity", "age", "sbp")
    found = when(data(*names), "qsmk", "wt82_71")
    assert found == {"wt82": "after", "wt71": "before", "smkintensity82_71": "after"}
    assert when(data(*names), "qsmk", "wt71")["wt71"] == "before"


def test_the_year_of_the_treatment_divides_the_others() -> None:
    found = when(data("offer_1995", "y_1990", "y_1999", "age"), "offer_1995", "y_1999")
    assert found == {"y_1990": "before", "y_1999": "after"}


@pytest.mark.parametrize(
    "names",
    [
        ("nearc4", "smsa66", "reg661", "reg662", "reg669", "educ", "wage"),
        ("age2225", "age2629", "age3035", "age4554", "f2sms"),
        ("age1819", "age2021", "q10", "q11", "q12"),
        tuple(f"x{i}" for i in range(1, 99)),
        ("post", "post_office", "post_code", "pre_k", "prewage", "prescription", "postgraduate", "preference"),
        ("after_school_care", "aftertax", "before_breakfast", "baseline", "lag", "wave1", "wave2", "t1", "t2"),
        ("depress1", "depress2", "job_seek", "comply", "work1", "wage", "lwage", "log_y", "y_pct"),
        ("year", "month", "y81", "sow1", "sow2", "kidslt6", "kidsge6", "nearc2", "sqft_1", "sqft_2"),
    ],
)
def test_ordinary_names_say_nothing(names: tuple[str, ...]) -> None:
    for outcome in ("y", names[0], names[-1]):
        others = tuple(name for name in names if name not in ("d", "y"))
        assert when(data("d", "y", *others), "d", outcome) == {}


def test_words_in_names() -> None:
    names = (
        "pre_score",
        "post_score",
        "baseline_bmi",
        "bmi_endline",
        "followUpWeight",
        "pain_t0",
        "pain_t1",
        "post_mark",
    )
    assert when(data("d", "y", *names), "d", "y") == {
        "pre_score": "before",
        "post_score": "after",
        "baseline_bmi": "before",
        "bmi_endline": "after",
        "followUpWeight": "after",
        "pain_t0": "before",
        "pain_t1": "after",
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("depression before the workshop", "before"),
        ("earnings, measured after randomisation", "after"),
        ("Weight at baseline (kg)", "before"),
        ("Weight at 6-month follow-up", "after"),
        ("post-treatment score", "after"),
        ("smoker prior to enrolment", "before"),
        ("confidence after the workshop", "after"),
        ("depression, after", "after"),
        ("earnings after drug_x", "after"),
        ("measured before and after the treatment", None),
        ("hourly wage after taxes", None),
        ("years after graduation", None),
        ("care before school", None),
        ("change from before to after", None),
        ("age in years", None),
        ("", None),
    ],
)
def test_descriptions(text: str, expected: str | None) -> None:
    found = by_description({"x": text}, "drug_x")
    assert (found["x"].when if "x" in found else None) == expected


def test_what_disagrees_is_left_out() -> None:
    assert when(data("d", "y", "baseline_bmi", baseline_bmi="taken after the treatment"), "d", "y") == {}


def test_treatment_unit_and_cluster_have_no_timing() -> None:
    dataset = data("baseline_dose", "y", "pre_group", "post_group")
    design = Rct(strategy="rct", treatment="baseline_dose", outcome="y", cluster="pre_group")
    assert set(timing(dataset, design)) == {"post_group"}
