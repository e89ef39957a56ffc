"""What a small hand-made store says of the columns of a data set."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from leucippus.agents.prior import Prior, acyclic, prior
from leucippus.errors import InputError, StoreError
from leucippus.graphs.reading import read_graph
from leucippus.serving.encoder import encode
from leucippus.store.database import Store, open_store
from leucippus.store.merges import Merge, record_merges
from leucippus.store.query import without_vectors
from leucippus.store.triples import Sign
from leucippus.store.weave import weave
from leucippus.store.write import add_concept_vectors
from tests.agents.marked import write_marked

WEIGHTS = {"one": -1.0, "sources": 2.0, "hedged": -1.0, "denied": -3.0, "contested": -1.0}
# Each is a document; {braces} hold the cause, [brackets] the effect.
SAID = [
    "{Smoking} causes [lung cancer].",
    "{Smoking} caused [lung cancer].",
    "{Poverty} causes [smoking].",
    "{Tobacco prices} reduce [smoking].",
    "{Stress} causes [insomnia].",
    "{Insomnia} causes [lung cancer].",
    "{Asbestos} did not cause [lung cancer].",
    "{Lack of sleep} causes [stress].",
]
TEXTS = [said.translate(dict.fromkeys(map(ord, "{}[]"))) for said in SAID]
Stores = Callable[..., Store]


@pytest.fixture
def stored(tmp_path: Path) -> Iterator[Stores]:
    """Write sentences and merges into a new store, and weave it."""
    opened: list[Store] = []

    def make(marked: Sequence[str] = SAID, merges: Sequence[Merge] = ()) -> Store:
        store = open_store(tmp_path / f"{len(opened)}.duckdb", threads=1)
        opened.append(store)
        write_marked(store, marked)
        record_merges(store, merges)
        weave(store, WEIGHTS)
        return store

    yield make
    for store in opened:
        store.close()


def pairs(found: Prior) -> dict[tuple[str, str], Sign]:
    return {(arrow.cause, arrow.effect): arrow.sign for arrow in found.arrows}


def test_arrows_have_signs_and_quotes(stored: Stores) -> None:
    found = prior(stored(), ["Smoking", "LungCancer", "poverty", "tobacco_price", "height"])
    assert pairs(found) == {
        ("Smoking", "LungCancer"): Sign.POSITIVE,
        ("poverty", "Smoking"): Sign.POSITIVE,
        ("tobacco_price", "Smoking"): Sign.NEGATIVE,
    }
    best = found.arrows[0]
    assert (best.cause, best.claims, best.through) == ("Smoking", 2, None)
    assert {row.claim.quote for row in best.evidence} == set(TEXTS[:2])
    assert {row.title for row in best.evidence} == {"note 0", "note 1"}
    assert found.unlinked == ("height",)
    assert found.linked["tobacco_price"] == ("tobacco price",)
    assert [arrow.credibility for arrow in found.arrows] == sorted(
        (arrow.credibility for arrow in found.arrows), reverse=True
    )


def test_a_way_over_what_is_not_measured_is_marked(stored: Stores) -> None:
    (arrow,) = prior(stored(), ["stress", "lung_cancer"]).arrows
    assert (arrow.cause, arrow.effect, arrow.through, arrow.sign) == (
        "stress",
        "lung_cancer",
        "insomnia",
        Sign.POSITIVE,
    )
    assert [row.claim.quote for row in arrow.evidence] == TEXTS[4:6]
    found = prior(stored(), ["stress", "lung_cancer", "insomnia"])
    assert set(pairs(found)) == {("stress", "insomnia"), ("insomnia", "lung_cancer")}


def test_a_denial_makes_no_arrow_and_is_listed(stored: Stores) -> None:
    found = prior(stored(), ["asbestos", "lung_cancer"])
    assert found.arrows == () and found.as_dag().nodes == ()
    (dropped,) = found.dropped
    assert dropped.why == "denied more often than said" and dropped.arrow.evidence[0].claim.negated


def test_a_circle_loses_its_least_credible_arrow(stored: Stores) -> None:
    found = prior(stored([*SAID, "{Lung cancer} causes [poverty]."]), ["smoking", "lung_cancer", "poverty"])
    assert len(found.arrows) == 2 and ("smoking", "lung_cancer") in pairs(found)
    (dropped,) = found.dropped
    assert dropped.why == "closes a circle"
    assert dropped.arrow.credibility <= min(arrow.credibility for arrow in found.arrows)


def test_as_much_said_both_ways_is_nothing_said(stored: Stores) -> None:
    found = prior(stored(["{Rain} causes [floods].", "{Floods} cause [rain]."]), ["rain", "floods"])
    assert found.arrows == () and {one.why for one in found.dropped} == {"said both ways alike"}
    assert [conflict.kind for conflict in found.conflicts] == ["direction"]


def test_what_turns_a_phrase_turns_its_columns_sign(stored: Stores) -> None:
    merge = Merge("lack of sleep", "sleep", -1, "rule", "for the test")
    store = stored(SAID, [merge])
    assert pairs(prior(store, ["sleep", "stress"])) == {("sleep", "stress"): Sign.NEGATIVE}
    assert pairs(prior(store, ["lack_of_sleep", "stress"])) == {("lack_of_sleep", "stress"): Sign.POSITIVE}
    assert pairs(prior(stored(), ["sleep", "stress"])) == {("sleep", "stress"): Sign.NEGATIVE}


def test_descriptions_say_what_columns_mean(stored: Stores) -> None:
    found = prior(stored(), {"x1": "level of smoking", "y": "lung cancer, 1 or 0", "smoking": "smoothness of the road"})
    assert pairs(found) == {("x1", "y"): Sign.POSITIVE}
    assert found.unlinked == ("smoking",)


def test_two_columns_of_one_meaning_are_told(stored: Stores) -> None:
    found = prior(stored(), {"log_smoking": "log smoking", "smoking": "", "lung_cancer": "", "id": ""})
    assert pairs(found) == {("smoking", "lung_cancer"): Sign.POSITIVE}
    assert found.same == {"log_smoking": "smoking"} and found.unlinked == ("id",)


def test_near_words_link_and_others_do_not(stored: Stores) -> None:
    store = stored(["{Schooling} causes [income]."])
    missing = without_vectors(store)
    add_concept_vectors(store, [one for one, _ in missing], encode([name for _, name in missing]))
    assert pairs(prior(store, ["education", "income"], encode)) == {("education", "income"): Sign.POSITIVE}
    assert prior(store, ["rain", "income"], encode).unlinked == ("rain",)


def test_what_is_not_woven_in_is_an_error(stored: Stores) -> None:
    store = stored()
    write_marked(store, ["{Rain} causes [floods]."])
    with pytest.raises(StoreError, match="not woven in"):
        prior(store, ["rain", "floods"])


def test_an_empty_store_and_no_columns(stored: Stores) -> None:
    found = prior(stored([]), ["a", "smoking"])
    assert (found.arrows, found.unlinked, found.text()) == ((), ("a", "smoking"), "")
    assert prior(stored([]), []).columns == ()


@pytest.mark.parametrize("columns", [["a", "a"], [""], ["x" * 300], ["a\nb"]])
def test_names_that_no_graph_can_hold_are_refused(stored: Stores, columns: list[str]) -> None:
    with pytest.raises(InputError):
        prior(stored([]), columns)


@pytest.mark.parametrize("form", ["edges", "dot", "dagitty"])
def test_its_text_is_read_back_as_the_same_graph(stored: Stores, form: str) -> None:
    columns = {'say "smoking" \\ [latent]': "smoking", "node": "lung cancer", "poverty": ""}
    found = prior(stored(), columns)
    read = read_graph(found.text(form))  # type: ignore[arg-type]
    assert set(read.directed) == set(found.as_dag().directed)
    assert len(read.directed) == 2


STRANGE = ["'; DROP TABLE edges; --", "🌧️", "雨", "%_$1", "smoking; -> x", "-1"]


def test_strange_columns_do_no_harm(stored: Stores) -> None:
    found = prior(stored(), {**dict.fromkeys(STRANGE, ""), "smoking": "x" * 1_000_000, "lung_cancer": "\x00\udcff"})
    assert len(found.columns) == len(STRANGE) + 2


def test_the_graph_does_not_depend_on_the_order_of_what_is_offered(stored: Stores) -> None:
    columns = ["smoking", "lung_cancer", "poverty", "stress", "insomnia", "tobacco_price"]
    found = prior(stored([*SAID, "{Lung cancer} causes [poverty].", "{Lung cancer} caused [stress]."]), columns)
    offered = [*found.arrows, *(one.arrow for one in found.dropped)]
    for turned in (offered[::-1], offered[3:] + offered[:3]):
        assert acyclic(turned, columns)[0] == found.arrows
    assert len(found.dropped) >= 2
