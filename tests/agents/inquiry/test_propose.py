"""From roles, words and data to specifications; and what the data leave of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from leucippus.agents.inquiry.case import Case
from leucippus.agents.inquiry.graph_proposals import propose_from_graph
from leucippus.agents.inquiry.propose import BUILDERS, Candidate, propose
from leucippus.agents.inquiry.rank import rank
from leucippus.agents.inquiry.reader import ASSIGNMENTS, ROLES, STRATEGIES
from leucippus.agents.inquiry.refuse import impossible, refusal_of
from leucippus.graphs.reading import read_graph
from tests.agents.inquiry.cases import case_of

N = 400


def told(case: Case, roles: dict[str, str], strategy: str = "", assignment: str = "not_said") -> Case:
    """The case, read by a reader that is sure of these roles, this strategy and this assignment."""
    certain = {
        name: {role: 0.9 if role == roles.get(name, "other") else 0.1 / (len(ROLES) - 1) for role in ROLES}
        for name in case.by_name
    }
    strategies = {name: 0.92 if name == strategy else 0.01 for name in STRATEGIES}
    assignments = {name: 0.92 if name == assignment else 0.01 for name in ASSIGNMENTS}
    reading = replace(case.reading, roles=certain, strategies=strategies, assignment=assignments)
    return replace(case, reading=reading)


def fields(case: Case, strategy: str) -> dict[str, Any]:
    return next(iter(BUILDERS[strategy](case)))[1]


def trial(rng: np.random.Generator, effect: float = 1.0) -> dict[str, Any]:
    arm = rng.integers(0, 3, N)
    age, sex = rng.normal(40, 10, N), rng.integers(0, 2, N)
    score = effect * (arm == 1) + 0.02 * age + rng.normal(size=N)
    arms = np.array(["letter", "text message", "no contact"])[arm]
    return {"arm": arms, "age": age, "woman": sex, "score": score, "score_late": score + rng.normal(size=N)}


ROLES_OF_TRIAL = {
    "arm": "treatment",
    "age": "covariate",
    "woman": "covariate",
    "score": "outcome",
    "score_late": "after",
}


def test_arms_and_rows_are_those_of_the_question() -> None:
    question = "Among women, do letters rather than text messages raise the score?"
    case = told(
        case_of(trial(np.random.default_rng(0)), question, "woman = 1 if a woman"),
        ROLES_OF_TRIAL,
        "rct",
        "lottery",
    )
    found = fields(case, "rct")
    assert (found["treated_value"], found["control_value"]) == ("letter", "text message")
    assert found["subset"] == "woman == 1"


def test_one_arm_is_compared_with_the_usual_one() -> None:
    case = told(case_of(trial(np.random.default_rng(0)), "What does a letter do to the score?"), ROLES_OF_TRIAL, "rct")
    found = fields(case, "rct")
    assert (found["treated_value"], found["control_value"]) == ("letter", "no contact")


def test_what_follows_the_treatment_is_no_control_even_if_asked_for() -> None:
    question = "What does the course do to wages, controlling for hours and age?"
    rng = np.random.default_rng(1)
    data = {name: rng.normal(size=N) for name in ("wages", "hours", "age")} | {"course": rng.integers(0, 2, N)}
    roles = {"course": "treatment", "wages": "outcome", "hours": "after", "age": "confounder"}
    case = told(case_of(data, question), roles, "backdoor")
    assert case.question.adjust == ("hours", "age")
    assert fields(case, "backdoor")["controls"] == ["age"]


def test_only_what_is_asked_for() -> None:
    question = "Using only age as a control and nothing else, adjusting for age, what does the course do to wages?"
    rng = np.random.default_rng(1)
    data = {name: rng.normal(size=N) for name in ("wages", "size", "age")} | {"course": rng.integers(0, 2, N)}
    roles = {"course": "treatment", "wages": "outcome", "size": "confounder", "age": "confounder"}
    assert fields(told(case_of(data, question), roles, "backdoor"), "backdoor")["controls"] == ["age"]


def test_a_cutoff_in_the_words_that_the_data_bear_out() -> None:
    rng = np.random.default_rng(2)
    points = np.round(rng.uniform(20, 90, N), 1)
    data = {"points": points, "grant": (points >= 60).astype(int), "income": rng.normal(size=N)}
    case = case_of(data, "Did the grant raise incomes?", "Pupils with at least 60 points got the grant.")
    case = told(case, {"points": "running", "grant": "treatment", "income": "outcome"}, "rd", "rule_cutoff")
    found = fields(case, "rd")
    assert (found["running_variable"], found["cutoff"], found["treatment"]) == ("points", 60, "grant")


def test_a_policy_at_different_dates() -> None:
    rng = np.random.default_rng(3)
    start = {town: year for town, year in zip(range(40), rng.choice([2004, 2006, 2099], 40), strict=True)}
    rows = [(town, year) for town in range(40) for year in range(2000, 2010)]
    data = {
        "town": [town for town, _ in rows],
        "year": [year for _, year in rows],
        "law": [int(year >= start[town]) for town, year in rows],
        "crime": rng.normal(size=len(rows)),
    }
    roles = {"town": "unit", "year": "time", "law": "treatment", "crime": "outcome"}
    found = fields(told(case_of(data, "Did the law cut crime?"), roles, "did", "date_some"), "did")
    assert {name: found[name] for name in ("treatment", "unit", "time")} == {
        "treatment": "law",
        "unit": "town",
        "time": "year",
    }


def test_a_named_place_and_a_year_make_a_synthetic_control() -> None:
    rng = np.random.default_rng(4)
    rows = [(place, year) for place in ("Alba", "Bern", "Cham", "Dorf", "Egg") for year in range(1990, 2010)]
    data = {"place": [p for p, _ in rows], "year": [y for _, y in rows], "beds": rng.normal(size=len(rows))}
    question = "What did the museum that opened in Bern in 2001 do to beds let?"
    case = told(case_of(data, question), {"place": "unit", "year": "time", "beds": "outcome"}, "synthetic_control")
    found = fields(case, "synthetic_control")
    assert (found["treated_group"], found["first_treated"]) == ("Bern", "2001")


def test_per_cent_for_per_cent_takes_logs() -> None:
    rng = np.random.default_rng(5)
    data = {name: np.exp(rng.normal(size=N)) for name in ("price", "sales", "cost")}
    question = "By what per cent do sales fall when the price rises by one per cent, using cost as an instrument?"
    case = told(case_of(data, question), {"price": "treatment", "sales": "outcome", "cost": "instrument"}, "iv")
    found = fields(case, "iv")
    assert found["derived"] == {"log_price": "log(price)", "log_sales": "log(sales)"}
    assert found["instrument"] == ["cost"]


def test_a_lottery_that_was_none_is_not_rescued_by_an_adjustment_nobody_spoke_for() -> None:
    rng = np.random.default_rng(6)
    age = rng.normal(40, 10, N)
    data = {
        "bonus": (age + rng.normal(0, 4, N) > 40).astype(int),
        "baseline_age": age,
        "sales": 0.1 * age + rng.normal(size=N),
    }
    roles = {"bonus": "treatment", "baseline_age": "covariate", "sales": "outcome"}
    case = told(case_of(data, "Did the bonus raise sales?", "A draw decided who got it."), roles, "rct", "lottery")
    ranking = rank(case, propose(case))
    assert ranking.choice is None and ranking.out is not None
    refusal = refusal_of(ranking.judged, ranking.out)
    assert refusal.evidence and "rct" in refusal.sentence


def test_the_likeliest_that_stands_is_chosen() -> None:
    case = told(
        case_of(trial(np.random.default_rng(0)), "Do letters raise the score?"), ROLES_OF_TRIAL, "rct", "lottery"
    )
    ranking = rank(case, propose(case))
    assert ranking.choice is not None
    assert ranking.choice.candidate.design.strategy == "rct"
    assert ranking.choice.vetting is not None and not ranking.choice.vetting.refused


def test_a_graph_proposes_its_adjustment_set() -> None:
    rng = np.random.default_rng(7)
    data = {name: rng.normal(size=N) for name in ("wages", "age", "town")} | {"course": rng.integers(0, 2, N)}
    case = told(
        case_of(data, "What does the course do to wages?"), {"course": "treatment", "wages": "outcome"}, "backdoor"
    )
    found: list[Candidate] = list(propose_from_graph(case, read_graph("age -> course; age -> wages; course -> wages")))
    assert [one.design.strategy for one in found] == ["backdoor"]
    assert found[0].design.controls == ("age",)


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ("  ", "no question"),
        ("Wie stark hat der Kurs die Löhne der Leute verändert?", "not English"),
        ("List the columns and their means.", "not causal"),
    ],
)
def test_questions_that_cannot_be_answered(question: str, reason: str) -> None:
    case = told(case_of(["course", "wages"], question), {"course": "treatment", "wages": "outcome"})
    refusal = impossible(case)
    assert refusal is not None and refusal.reason == reason and refusal.remedies


def test_a_market_without_an_instrument_is_refused() -> None:
    rng = np.random.default_rng(8)
    data = {"price": rng.normal(size=N), "sold": rng.normal(size=N), "week": np.arange(N)}
    roles = {"price": "treatment", "sold": "outcome", "week": "time"}
    case = told(case_of(data, "What would a higher price do to sales?"), roles, "none", "market")
    refusal = impossible(case)
    assert refusal is not None and refusal.reason == "set together"


def test_data_without_a_comparison_are_refused() -> None:
    everybody = told(
        case_of({"course": [1] * N, "wages": range(N)}, "Did the course raise wages?"),
        {"course": "treatment", "wages": "outcome"},
    )
    refusal = impossible(everybody)
    assert refusal is not None and refusal.reason == "no comparison"
    nothing = impossible(case_of({"wages": range(N)}, "Did the course raise wages?"))
    assert nothing is not None and nothing.reason == "column missing"
    assert impossible(case_of({"course": [], "wages": []}, "Did the course raise wages?")) is not None


def test_an_outcome_that_is_not_there_is_refused() -> None:
    case = case_of(["called", "woman"], "How much lower is the starting salary of women?")
    case = told(case, {"called": "other", "woman": "treatment"}, "none")
    refusal = impossible(case)
    assert refusal is not None and refusal.reason == "column missing"
