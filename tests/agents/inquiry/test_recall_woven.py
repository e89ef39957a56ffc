"""What a woven store recalls about the columns of a case: the same roles, and what merged phrases add."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from leucippus.agents.inquiry.case import Case
from leucippus.agents.inquiry.recall import recall
from leucippus.store.database import Store, open_store
from leucippus.store.merges import Merge, record_merges
from leucippus.store.weave import weave
from tests.agents.inquiry.cases import case_of
from tests.agents.inquiry.test_recall import COLUMNS, QUESTION, ROLES, SAID
from tests.agents.marked import write_marked

WEIGHTS = {"one": -1.0, "sources": 2.0, "hedged": -1.0, "denied": -3.0, "contested": -1.0}
Stores = Callable[..., Store]


@pytest.fixture
def stored(tmp_path: Path) -> Iterator[Stores]:
    opened: list[Store] = []

    def make(marked: Sequence[str], merges: Sequence[Merge] = ()) -> Store:
        opened.append(open_store(tmp_path / f"{len(opened)}.duckdb", threads=1))
        write_marked(opened[-1], marked)
        record_merges(opened[-1], merges)
        weave(opened[-1], WEIGHTS)
        return opened[-1]

    yield make
    for store in opened:
        store.close()


@pytest.fixture(scope="module")
def case() -> Case:
    return case_of(COLUMNS, QUESTION)


def test_every_role_is_found_with_quotes_and_how_well_it_is_supported(stored: Stores, case: Case) -> None:
    found = recall(stored(SAID), case, "Smoking", "LungCancer")
    texts = [said.translate(dict.fromkeys(map(ord, "{}[]"))) for said in SAID]
    assert dict(found.hints) == ROLES
    assert all(texts[int(one.document.removeprefix("note "))] == one.quote for one in found.citations)
    assert {one.role for one in found.citations} == set(ROLES.values())
    direct = next(one.claim for one in found.citations if "Smoking → LungCancer" in one.claim)
    assert "2 claims in 2 documents, " in direct and "supported" in direct
    assert found.graph is not None and found.graph.parents("hospital_visits") == {"Smoking", "LungCancer"}


def test_a_merged_phrase_brings_its_claims_along(stored: Stores, case: Case) -> None:
    said = [*SAID[:2], "{Penury} causes [smoking].", "{Penury} causes [lung tumours]."]
    merges = [Merge("penury", "poverty", 1, "person", ""), Merge("lung tumour", "lung cancer", 1, "person", "")]
    assert "poverty" not in recall(stored(said), case, "Smoking", "LungCancer").hints
    found = recall(stored(said, merges), case, "Smoking", "LungCancer")
    assert found.hints["poverty"] == "confounder"
    assert {one.quote for one in found.citations} >= {"Penury causes smoking.", "Penury causes lung tumours."}


def test_a_denial_is_cited_beside_what_it_contradicts(stored: Stores, case: Case) -> None:
    found = recall(stored([*SAID, "{Asbestos} did not cause [lung cancer]."]), case, "Smoking", "LungCancer")
    about = [one for one in found.citations if "asbestos" in one.claim]
    assert found.hints["asbestos"] == "direct cause"
    assert [one.quote for one in about] == ["Asbestos causes lung cancer.", "Asbestos did not cause lung cancer."]
    assert "contradicted by 1 claim" in about[0].claim and "a denial" in about[1].claim


def test_what_more_deny_than_affirm_is_no_cause_and_no_silence_either(stored: Stores, case: Case) -> None:
    denials = [
        "{Tobacco prices} caused [lung cancer].",
        "{Tobacco prices} did not cause [lung cancer].",
        "{Tobacco prices} never caused [lung cancer].",
    ]
    assert "tobacco_price" not in recall(stored([*SAID, *denials]), case, "Smoking", "LungCancer").hints


def test_what_means_the_treatment_by_a_merge_means_no_other_column(stored: Stores, case: Case) -> None:
    merges = [Merge("asbestos", "smoking", 1, "person", "for the test")]
    assert "asbestos" not in recall(stored(SAID, merges), case, "Smoking", "LungCancer").hints


def test_a_store_about_other_things_recalls_nothing(stored: Stores) -> None:
    found = recall(stored(SAID), case_of(["rain", "floods"], "Does rain cause floods?"), "rain", "floods")
    assert (found.citations, dict(found.hints), found.graph) == ((), {}, None)
