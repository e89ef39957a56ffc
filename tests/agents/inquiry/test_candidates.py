"""What is proposed beside the likeliest: rival columns, rival instruments; and what is taken out of a design."""

from __future__ import annotations

import numpy as np
import pandas as pd

from leucippus.agents.dataset import from_frame
from leucippus.agents.designs.registry import parse_design
from leucippus.agents.inquiry.case import Case
from leucippus.agents.inquiry.confounders import said_to_decide
from leucippus.agents.inquiry.features import cues
from leucippus.agents.inquiry.identities import without_identities
from leucippus.agents.inquiry.instruments import instruments
from leucippus.agents.inquiry.propose import propose
from leucippus.agents.inquiry.rank import rank
from leucippus.agents.inquiry.refuse import impossible
from tests.agents.inquiry.cases import case_of
from tests.agents.inquiry.test_propose import fields, told

N = 400


def test_a_column_computed_from_the_treatment_is_no_control() -> None:
    rng = np.random.default_rng(0)
    schooling, age = rng.integers(8, 20, N), rng.integers(25, 60, N)
    work = age - schooling - 6
    frame = pd.DataFrame(
        {"schooling": schooling, "age": age, "work": work, "work2": work**2, "pay": rng.normal(size=N)}
    )
    spec = {"strategy": "backdoor", "treatment": "schooling", "outcome": "pay"}
    design = parse_design({**spec, "controls": ["age", "work", "work2"]})
    assert without_identities(from_frame(frame), design).controls == ("age",)
    fine = parse_design({**spec, "controls": ["age"]})
    assert without_identities(from_frame(frame), fine) is fine


def test_controls_that_fix_the_instrument_go() -> None:
    rng = np.random.default_rng(1)
    prime = rng.integers(0, 2, N)
    frame = pd.DataFrame(
        {"prime": prime, "neutral": 1 - prime, "trust": prime + rng.normal(size=N), "vote": rng.normal(size=N)}
    )
    spec = {"strategy": "iv", "treatment": "trust", "outcome": "vote", "instrument": ["prime"], "controls": ["neutral"]}
    assert without_identities(from_frame(frame), parse_design(spec)).controls == ()


def test_a_rival_column_steps_in_where_the_likeliest_cannot_be_used() -> None:
    rng = np.random.default_rng(2)
    data = {"grade": np.where(rng.random(N) < 0.5, "KK", "K8"), "size": rng.normal(20, 3, N), "x": rng.normal(size=N)}
    data["mark"] = 60 - data["size"] + data["x"] + rng.normal(size=N)
    case = told(
        case_of(data, "How do marks change with one more pupil in a class?"),
        {"grade": "treatment", "size": "treatment", "mark": "outcome", "x": "confounder"},
        "backdoor",
    )
    for name, share in (("grade", 0.9), ("size", 0.6)):
        case.reading.roles[name]["treatment"] = share  # type: ignore[index]
    left_out: list[str] = []
    choice = rank(case, list(propose(case, left_out))).choice
    assert choice is not None and choice.candidate.design.treatment == "size"


def test_what_cannot_be_put_together_is_said() -> None:
    rng = np.random.default_rng(3)
    data = {"law": rng.integers(0, 2, N), "deaths": rng.normal(size=N), "rain": rng.normal(size=N)}
    case = told(case_of(data, "Did the law cut deaths?"), {"law": "treatment", "deaths": "outcome"}, "did")
    left_out: list[str] = []
    list(propose(case, left_out))
    assert any("difference-in-differences was left out" in sentence for sentence in left_out)


def test_an_instrument_with_no_first_stage_gives_way_to_one_that_moves_the_treatment() -> None:
    rng = np.random.default_rng(4)
    near2, near4 = rng.integers(0, 2, N), rng.integers(0, 2, N)
    ability = rng.normal(size=N)
    schooling = 12 + 2.0 * near4 + ability + rng.normal(size=N)
    data = {"near2": near2, "near4": near4, "schooling": schooling, "pay": schooling + ability + rng.normal(size=N)}
    roles = {"near2": "instrument", "near4": "instrument", "schooling": "treatment", "pay": "outcome"}
    case = told(case_of(data, "What does a year of schooling add to pay?"), roles, "iv", "natural")
    sets = list(instruments(case, "schooling", "pay"))
    assert {name for _, names in sets for name in names} == {"near2", "near4"}
    choice = rank(case, list(propose(case))).choice
    assert choice is not None and "near4" in choice.candidate.design.instrument  # type: ignore[attr-defined]


def test_what_is_to_be_adjusted_for_is_no_instrument_and_alone_is_adjusted_for() -> None:
    rng = np.random.default_rng(5)
    names = ("cost", "price", "sales", "income", "size")
    data = {name: rng.normal(size=N) for name in names}
    roles = {
        "cost": "instrument",
        "income": "instrument",
        "price": "treatment",
        "sales": "outcome",
        "size": "confounder",
    }
    case = told(case_of(data, "Allowing for income, how does the price change sales?"), roles, "iv")
    assert [names for _, names in instruments(case, "price", "sales")] == [("cost",)]
    assert fields(case, "iv")["controls"] == ["income"]


def _sown() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(6)
    sown = rng.integers(0, 2, N)
    rating = rng.integers(1, 6, N)
    return {
        "sown": sown,
        "bags": np.where(sown == 1, rng.integers(1, 9, N), 0),
        "rating": rating,
        "plain": (rating <= 2).astype(int),
        "crop": rng.normal(size=N),
        "village": np.repeat(np.arange(20), 20),
    }


def test_amounts_and_bands_are_the_treatment_in_another_form() -> None:
    case = case_of(_sown(), "Did the seed raise the crop?")
    assert case.amounts("sown") == ("bags",)
    assert case.bands("plain") == ("rating",)
    assert case.amounts("plain") == ()


def test_groups_drawn_whole_are_clusters_though_nothing_says_so() -> None:
    data = _sown()
    data["sown"] = np.repeat(np.arange(20) % 2, 20)
    data["bags"] = data["sown"] * 3
    case = told(case_of(data, "Did the seed raise the crop?"), {"sown": "treatment", "crop": "outcome"}, "rct")
    assert fields(case, "rct")["cluster"] == "village"
    data["sown"] = np.tile([0, 1], N // 2)
    case = told(case_of(data, "Did the seed raise the crop?"), {"sown": "treatment", "crop": "outcome"}, "rct")
    assert fields(case, "rct")["cluster"] is None


def test_what_the_treatment_is_said_to_depend_on() -> None:
    text = (
        "It was each one's own decision. Whether farms took it depended mostly on rainfall, plot size and the crop of the "
        "year before, which we have. Columns: took; rain = rainfall; plot = plot size; crop0 = crop of the year before; "
        "dog = owns a dog; crop1 = crop."
    )
    case = case_of(("took", "rain", "plot", "crop0", "dog", "crop1"), "Did taking it raise the crop?", text)
    assert {"rain", "plot", "crop0"} <= set(said_to_decide(case)) and "dog" not in said_to_decide(case)


def test_a_draw_that_there_was_not() -> None:
    assert "lot" in cues("A coin decided who got it.")
    denied = cues("It was not handed out by any draw: staff suggested it.")
    assert "lot" not in denied and "no lot" in denied


def test_the_first_of_two_questions_is_read_and_the_other_named() -> None:
    names = ("fence", "thefts", "lamps", "accidents")
    case = case_of(names, "Did the fence cut thefts, and did the lamps lower accidents?")
    assert case.question.text == "Did the fence cut thefts?" and case.question.others == 1
    assert case_of(names, "Did the fence cut thefts? By how much?").question.others == 0


def test_the_offer_is_the_treatment_where_the_question_is_of_the_offer() -> None:
    rng = np.random.default_rng(7)
    offer = rng.integers(0, 2, N)
    data = {"offered": offer, "took": offer * rng.integers(0, 2, N), "pay": rng.normal(size=N)}
    case = told(
        case_of(
            data, "What does merely being offered training do to pay?", "Columns: offered = offered training; took."
        ),
        {"offered": "instrument", "took": "treatment", "pay": "outcome"},
        "rct",
    )
    assert fields(case, "rct")["treatment"] == "offered"


def test_an_outcome_that_some_column_fits_is_not_missing() -> None:
    case = case_of(
        ("flow", "year"), "By how much did the annual flow change from 1899 on?", "Columns: flow = annual flow; year."
    )
    assert impossible(case) is None or "not in the file" not in impossible(case).sentence  # type: ignore[union-attr]


def _line(columns: dict[str, np.ndarray], question: str) -> Case:
    return case_of(columns, question)


def test_a_cutoff_read_off_the_middle_is_owned_up_to() -> None:
    from leucippus.agents.inquiry.words import not_followed

    rng = np.random.default_rng(8)
    months = np.repeat(np.arange(19 * 12, 23 * 12) / 12 + 1 / 24, 10)
    data = {"age": months, "deaths": 5.0 * (months >= 21) + rng.normal(size=len(months))}
    case = told(
        _line(data, "How many deaths does reaching the drinking age bring about?"),
        {"age": "running", "deaths": "outcome"},
        "rd",
    )
    found = fields(case, "rd")
    assert found["cutoff"] == 21
    design = parse_design({**found, "strategy": "rd"})
    assert any("Nothing names 21 as the cutoff" in note for note in not_followed(case, design))
