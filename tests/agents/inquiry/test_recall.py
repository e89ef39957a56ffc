"""What a small hand-made store recalls about the columns of a case."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from leucippus.agents.inquiry.case import Case
from leucippus.agents.inquiry.recall import Recalled, recall, with_hints
from leucippus.store.database import Store, open_store
from leucippus.store.query import without_vectors
from leucippus.store.write import (
    add_concept_vectors,
)
from tests.agents.inquiry.cases import case_of
from tests.agents.marked import write_marked

# Each is a document; {braces} hold the cause, [brackets] the effect.
SAID = [
    "{Smoking} causes [lung cancer].",
    "{Smoking} caused [lung cancer].",
    "{Poverty} causes [smoking].",
    "{Poverty} causes [lung cancer].",
    "{Tobacco prices} reduce [smoking].",
    "{Smoking} causes [tar deposits].",
    "{Tar deposits} cause [lung cancer].",
    "{Smoking} causes [hospital visits].",
    "{Lung cancer} causes [hospital visits].",
    "{Asbestos} causes [lung cancer].",
    "{Stress} causes [smoking].",
    "{Stress} causes [inflammation].",
    "{Inflammation} causes [lung cancer].",
    "{Smoking} reduces [body weight].",
]
COLUMNS = ["Smoking", "LungCancer", "poverty", "tobacco_price", "tar_deposits", "hospital_visits", "asbestos", "stress"]
ROLES = {
    "poverty": "confounder",
    "tobacco_price": "instrument",
    "tar_deposits": "mediator",
    "hospital_visits": "collider",
    "asbestos": "direct cause",
    "stress": "confounder",
}
QUESTION = "Does smoking cause lung cancer?"
Stores = Callable[[Sequence[str]], Store]


@pytest.fixture
def stored(tmp_path: Path) -> Iterator[Stores]:
    """Write sentences into a new store, and open it for reading."""
    opened: list[Store] = []

    def make(marked: Sequence[str]) -> Store:
        path = tmp_path / f"{len(opened)}.duckdb"
        with open_store(path, threads=1) as store:
            write_marked(store, marked)
        opened.append(open_store(path, "read", threads=1))
        return opened[-1]

    yield make
    for store in opened:
        store.close()


@pytest.fixture(scope="module")
def case() -> Case:
    return case_of(COLUMNS, QUESTION)


def _hints(found: Recalled) -> dict[str, str]:
    return dict(found.hints)


def test_every_role_is_found(stored: Stores, case: Case) -> None:
    assert _hints(recall(stored(SAID), case, "Smoking", "LungCancer")) == ROLES


def test_every_hint_has_quotes_that_a_document_says(stored: Stores, case: Case) -> None:
    texts = [said.translate(dict.fromkeys(map(ord, "{}[]"))) for said in SAID]
    found = recall(stored(SAID), case, "Smoking", "LungCancer")
    for citation in found.citations:
        assert citation.quote in texts
        assert citation.document == f"note {texts.index(citation.quote)}"
    for name, role in ROLES.items():
        assert [one for one in found.citations if one.role == role and name in one.claim]
    assert sum("poverty" in one.claim for one in found.citations) == 2  # one for each end of the fork
    assert "2 claims in 2 documents" in next(
        one.claim for one in found.citations if "Smoking → LungCancer" in one.claim
    )


def test_the_graph_holds_the_columns_and_the_question(stored: Stores, case: Case) -> None:
    graph = recall(stored(SAID), case, "Smoking", "LungCancer").graph
    assert graph is not None
    assert graph.nodes == tuple(COLUMNS)
    assert ("Smoking", "LungCancer") in graph.directed
    assert graph.parents("LungCancer") == {"Smoking", "poverty", "tar_deposits", "asbestos", "stress"}
    assert graph.parents("hospital_visits") == {"Smoking", "LungCancer"}


def test_the_same_store_recalls_the_same(stored: Stores, case: Case) -> None:
    store = stored(SAID)
    one, other = (recall(store, case, "Smoking", "LungCancer") for _ in range(2))
    assert (one.citations, one.hints, one.graph) == (other.citations, other.hints, other.graph)
    assert [name for name in COLUMNS if name in one.hints] == list(one.hints)


def test_a_store_about_other_things_recalls_nothing(stored: Stores) -> None:
    found = recall(stored(SAID), case_of(["rain", "floods", "drains"], "Does rain cause floods?"), "rain", "floods")
    assert (found.citations, _hints(found), found.graph) == ((), {}, None)


def test_an_empty_store_recalls_nothing(stored: Stores, case: Case) -> None:
    assert recall(stored([]), case, "Smoking", "LungCancer").graph is None


def test_treatment_and_outcome_alone_are_cited_but_make_no_graph(stored: Stores, case: Case) -> None:
    found = recall(stored(SAID[:1]), case, "Smoking", "LungCancer")
    assert [one.quote for one in found.citations] == ["Smoking causes lung cancer."]
    assert found.graph is None and not found.hints


def test_a_denied_cause_is_no_cause(stored: Stores, case: Case) -> None:
    denied = [
        "{Poverty} causes [smoking].",
        "{Poverty} did not cause [lung cancer].",
        "{Asbestos} causes [lung cancer].",
    ]
    assert _hints(recall(stored(denied), case, "Smoking", "LungCancer"))["poverty"] == "instrument"


def test_a_contradiction_is_said_and_quoted(stored: Stores, case: Case) -> None:
    found = recall(stored([*SAID, "{Asbestos} did not cause [lung cancer]."]), case, "Smoking", "LungCancer")
    about = [one for one in found.citations if "asbestos" in one.claim]
    assert found.hints["asbestos"] == "direct cause"
    assert [one.quote for one in about] == ["Asbestos causes lung cancer.", "Asbestos did not cause lung cancer."]
    assert "contradicted by 1 claim in 1 document" in about[0].claim
    assert "does not" in about[1].claim


def test_what_more_documents_deny_than_affirm_is_no_cause_and_no_silence_either(stored: Stores, case: Case) -> None:
    denials = [
        "{Tobacco prices} caused [lung cancer].",
        "{Tobacco prices} did not cause [lung cancer].",
        "{Tobacco prices} never caused [lung cancer].",
    ]
    assert "tobacco_price" not in recall(stored([*SAID, *denials]), case, "Smoking", "LungCancer").hints


def test_another_way_to_the_outcome_makes_no_instrument(stored: Stores, case: Case) -> None:
    ways = ["{Tobacco prices} cause [poverty]."]
    assert recall(stored([*SAID, *ways]), case, "Smoking", "LungCancer").hints["tobacco_price"] == "confounder"


def test_silence_makes_no_instrument_where_nothing_is_said_of_the_outcome(stored: Stores, case: Case) -> None:
    said = ["{Tobacco prices} reduce [smoking].", "{Lung cancer} causes [hospital visits]."]
    assert "tobacco_price" not in recall(stored(said), case, "Smoking", "LungCancer").hints


def test_circles_are_broken_where_least_is_said(stored: Stores, case: Case) -> None:
    said = [
        *SAID,
        "{Lung cancer} causes [poverty].",
        "{Poverty} caused [lung cancer].",
        "{Lung cancer} causes [smoking].",
    ]
    found = recall(stored(said), case, "Smoking", "LungCancer")
    assert found.graph is not None
    assert found.hints["poverty"] == "confounder"
    assert ("LungCancer", "Smoking") not in found.graph.directed


def test_as_much_said_both_ways_is_nothing_said(stored: Stores, case: Case) -> None:
    found = recall(stored([*SAID, "{Lung cancer} causes [asbestos]."]), case, "Smoking", "LungCancer")
    assert "asbestos" not in found.hints


LINKS: list[tuple[str, str, bool]] = [
    ("asbestos", "", True),
    ("Asbestos", "", True),
    ("a1", "asbestos", True),
    ("a1", "1 if asbestos was used in the building", False),
    ("a1", "level of asbestos in 1998", True),
    ("asbestos", "asbestos removal costs", False),
    ("asbestos", "asbestos; parts a million", True),
    ("asbestos", "smoothness of the road", False),
    ("asbestos_ban", "", False),
    ("treatment", "", False),
]


@pytest.mark.parametrize(("name", "said", "linked"), LINKS)
def test_a_column_means_a_concept_of_the_same_words(stored: Stores, name: str, said: str, linked: bool) -> None:
    case = case_of(["Smoking", "LungCancer", name], QUESTION, f"{name}: {said}" if said else "")
    store = stored([*SAID, "{The treatment} causes [lung cancer].", "{Roads} cause [lung cancer]."])
    assert (name in recall(store, case, "Smoking", "LungCancer").hints) is linked


def test_what_means_the_treatment_means_no_other_column(stored: Stores) -> None:
    case = case_of(["Smoking", "LungCancer", "s2"], QUESTION, "s2: level of smoking")
    assert not recall(stored(SAID), case, "Smoking", "LungCancer").hints


class Encoder:
    """Every text gets the first axis; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked += texts
        return np.eye(1, 384, dtype=np.float32).repeat(len(texts), axis=0)


@pytest.mark.parametrize(("cosine", "linked"), [(0.9, True), (0.7, False)])
def test_vectors_are_a_second_chance_where_they_are_very_near(tmp_path: Path, cosine: float, linked: bool) -> None:
    case, encode = case_of(["Smoking", "LungCancer", "hardship"], QUESTION), Encoder()
    with open_store(tmp_path / "s.duckdb", threads=1) as store:
        write_marked(store, SAID)
        names = {name: concept_id for concept_id, name in without_vectors(store)}
        vectors = np.zeros((1, 384), dtype=np.float32)
        vectors[0, :2] = cosine, (1 - cosine**2) ** 0.5
        add_concept_vectors(store, [names["poverty"]], vectors)
        assert ("hardship" in recall(store, case, "Smoking", "LungCancer", encode).hints) is linked
    assert encode.asked == ["hardship"]


def test_a_derived_outcome_that_is_no_column_does_no_harm(stored: Stores, case: Case) -> None:
    found = recall(stored(SAID), case, "Smoking", "log_lung_cancer")
    assert found.hints["asbestos"] == "direct cause" and found.graph is not None


def test_very_many_columns_are_not_all_looked_up(stored: Stores) -> None:
    case = case_of([*COLUMNS, *(f"asbestos{i}" for i in range(60))], QUESTION)
    assert len(recall(stored(SAID), case, "Smoking", "LungCancer").hints) <= 24


def _with_roles(case: Case, **roles: float) -> Case:
    return replace(case, reading=replace(case.reading, roles={**case.reading.roles, "poverty": roles}))


def test_hints_nudge_and_do_not_overrule(stored: Stores, case: Case) -> None:
    found = recall(stored(SAID), case, "Smoking", "LungCancer")
    unsure = with_hints(_with_roles(case, confounder=0.3, after=0.7).reading, found).roles["poverty"]
    assert unsure["confounder"] == pytest.approx(0.6 / 1.3)
    assert sum(unsure.values()) == pytest.approx(1)
    sure = _with_roles(case, confounder=0.15, after=0.85).reading
    assert with_hints(sure, found).roles["poverty"] == sure.roles["poverty"]


def test_hints_touch_only_the_columns_they_are_about(stored: Stores, case: Case) -> None:
    found = with_hints(case.reading, recall(stored(SAID), case, "Smoking", "LungCancer"))
    assert found.roles["Smoking"] == case.reading.roles["Smoking"]
    assert found.roles["hospital_visits"]["after"] > case.reading.roles["hospital_visits"]["after"]
    assert with_hints(case.reading, Recalled()) == case.reading
