"""A finished analysis becomes a claim, once, in words that stand in a document."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from leucippus.agents.feedback import remember
from leucippus.agents.inquiry.finding import Finding, Refusal
from leucippus.agents.weaving import weave_store
from leucippus.errors import StoreReadOnly
from leucippus.store.concepts import concept_id
from leucippus.store.database import Store, open_store
from leucippus.store.links import effects_of
from leucippus.store.query import ClaimRow, claims
from leucippus.store.triples import Evidence, Sign
from leucippus.store.weave import weave
from tests.agents.inquiry.findings import finding, found_in, said

WORDS = "treat: 1 if trained\ny: weekly income"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "lcm.duckdb", threads=1) as opened:
        yield opened


def only(store: Store) -> ClaimRow:
    (row,) = claims(store)
    return row


def trial(effect: float, treated: object = 1, control: object = 0, **fields: object) -> Finding:
    draw = np.random.default_rng(5)
    lot = draw.integers(0, 2, 400)
    arm = [treated if one else control for one in lot]
    frame = pd.DataFrame({"treat": arm, "y": effect * lot + draw.normal(size=400)})
    return found_in(frame, {"strategy": "rct", "treatment": "treat", "outcome": "y", **fields}, description=WORDS)


def test_a_clear_effect_is_a_measured_claim_with_its_words_in_the_document(store: Store) -> None:
    document = remember(store, trial(1.0))
    row = only(store)
    claim = row.claim
    text, kind = store.rows("SELECT text, kind FROM documents")[0]
    assert document == claim.document_id and kind == "measured"
    assert (claim.cause, claim.relation, claim.effect) == ("trained", "raised", "weekly income")
    assert (claim.sign, claim.negated, claim.hedged) == (Sign.POSITIVE, False, False)
    assert claim.evidence is Evidence.MEASURED
    for words, start, end in (
        (claim.cause, claim.cause_start, claim.cause_end),
        (claim.effect, claim.effect_start, claim.effect_end),
        (claim.quote, claim.start, claim.end),
    ):
        assert text[start:end] == words
    assert text.startswith("In rows.csv, trained raised weekly income by ") and "randomised trial, 400 rows)" in text
    assert row.title == "rows.csv: Did the treatment change the outcome?"
    assert store.rows("SELECT model, prompt_version FROM readers")[0][0] == "leucippus"
    assert '"strategy": "rct"' in store.rows("SELECT prompt_version FROM readers")[0][0]


def test_the_same_analysis_again_changes_nothing(store: Store) -> None:
    first, second = remember(store, trial(1.0)), remember(store, trial(1.0))
    assert first == second and only(store)
    assert store.rows("SELECT count(*) FROM documents") == [(1,)]
    assert store.rows("SELECT status, claims FROM runs") == [("finished", 1)]
    remember(store, trial(-1.0))
    assert {row.claim.sign for row in claims(store)} == {Sign.POSITIVE, Sign.NEGATIVE}


def test_no_clear_effect_is_no_denial(store: Store) -> None:
    remember(store, trial(0.0))
    claim = only(store).claim
    assert (claim.sign, claim.negated, claim.hedged) == (Sign.NONE, False, True)
    assert claim.relation == "had no clear effect on"


def test_a_refused_analysis_is_not_remembered(store: Store) -> None:
    answered = trial(1.0)
    assert remember(store, finding(None)) is None
    assert remember(store, replace(answered, refusal=Refusal("declined", "No.", (), ()))) is None
    assert claims(store) == [] and store.rows("SELECT count(*) FROM documents") == [(0,)]


@pytest.mark.parametrize(
    ("treated", "control", "cause"),
    [("yes", "no", "trained"), ("no", "yes", "no trained"), ("course", "leaflet", "trained course"), (0, 1, "no trained"),
     (2, 3, "lower trained")],
)  # fmt: skip
def test_the_cause_is_what_counts_as_treated(store: Store, treated: object, control: object, cause: str) -> None:
    remember(store, trial(1.0, treated, control, treated_value=treated, control_value=control))
    assert only(store).claim.cause == cause


def test_names_that_tell_nothing_stay_with_their_data(store: Store) -> None:
    remember(store, replace(trial(1.0), description=""))
    claim = only(store).claim
    assert (claim.cause, claim.effect) == ("treat in rows.csv", "y in rows.csv")


def test_time_to_an_event_is_about_the_event(store: Store) -> None:
    remember(store, finding(said("survival")))
    remember(store, finding(said("hazard ratio")))
    by_relation = {row.claim.relation: row.claim for row in claims(store)}
    assert {row.effect for row in by_relation.values()} == {"died"}
    assert by_relation["delayed"].sign is by_relation["lowered the rate of"].sign is Sign.NEGATIVE


def test_doubts_and_scope_are_said(store: Store) -> None:
    remember(store, finding(said("fuzzy rd")))
    claim = only(store).claim
    (text,) = store.rows("SELECT text FROM documents")[0]
    assert "regression discontinuity at 0" in claim.quote and claim.hedged and "Doubt remains: " in text
    assert claim.population is not None and claim.population in text


def test_rows_left_out_are_a_condition(store: Store) -> None:
    draw = np.random.default_rng(5)
    lot, age = draw.integers(0, 2, 400), draw.integers(20, 60, 400)
    frame = pd.DataFrame({"training": lot, "income": 2.0 * lot + draw.normal(size=400), "age": age})
    design = {"strategy": "rct", "treatment": "training", "outcome": "income", "subset": "age > 30"}
    remember(store, found_in(frame, design, description=""))
    claim = only(store).claim
    assert claim.conditions == "among rows with age > 30" and claim.conditions in claim.quote


def test_it_is_woven_with_what_was_read(store: Store) -> None:
    remember(store, trial(1.0))
    weave(store, {"measured": 1.0})
    (link,) = effects_of(store, [concept_id("trained")])
    assert (link.effect, link.measured, link.sign) == ("weekly income", 1, Sign.POSITIVE)


def test_analyses_of_one_data_set_are_one_source(store: Store, tmp_path: Path) -> None:
    def sources() -> tuple[int, int]:
        weave_store(store)
        (link,) = effects_of(store, [concept_id("trained")])
        return link.documents, link.sources

    def analysed(name: str, text: str, effect: float) -> None:
        (tmp_path / name).write_text(text)
        remember(store, replace(trial(effect), source=str(tmp_path / name)))

    analysed("one.csv", "treat,y\n1,2\n", 1.0)
    analysed("one.csv", "treat,y\n1,2\n", 1.2)
    analysed("copy.csv", "treat,y\n1,2\n", 1.4)
    assert sources() == (3, 1)
    analysed("two.csv", "treat,y\n0,5\n", 1.0)
    analysed("one.csv", "treat,y\n3,4\n", 1.6)  # another file of the same name
    assert sources() == (5, 3)


def test_data_frames_of_one_length_are_one_source(store: Store) -> None:
    for effect in (1.0, 1.2):
        remember(store, replace(trial(effect), source="the data frame"))
    made = weave_store(store)
    (link,) = effects_of(store, [concept_id("trained")])
    assert (link.documents, link.sources, made.echoes) == (2, 1, 1)


def test_strange_words_do_no_harm(store: Store) -> None:
    strange = replace(
        trial(1.0), source="a\x00\udcff\n雨.csv", question="x" * 1_000_000, description="y: \udcff\n" * 99
    )
    assert remember(store, strange) is not None
    row = only(store)
    assert len(row.title) < 700 and "\n" not in row.claim.quote


def test_a_store_that_is_read_only_says_so(tmp_path: Path) -> None:
    with open_store(tmp_path / "s.duckdb"):
        pass
    with open_store(tmp_path / "s.duckdb", "read") as opened, pytest.raises(StoreReadOnly):
        remember(opened, trial(1.0))
