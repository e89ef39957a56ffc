"""Weaving claims into a large causal model."""

import pytest

from leucippus.errors import InputError
from leucippus.store.concepts import concept_id
from leucippus.store.database import Store
from leucippus.store.links import causes_of, conflicts, effects_of, links_between, phrases_of, roots
from leucippus.store.merges import Merge, merges, record_merges, undo_merge
from leucippus.store.triples import Sign
from leucippus.store.weave import not_woven, weave

WEIGHTS = {"one": -1.0, "sources": 2.0, "denied": -2.0}
CANCER, SMOKING, TAXES = concept_id("lung cancer"), concept_id("smoking"), concept_id("taxe")


def test_an_edge_counts_what_is_said_of_it(filled: Store) -> None:
    woven = weave(filled, WEIGHTS)

    (link,) = links_between(filled, [SMOKING], [CANCER])
    assert (woven.claims, woven.selfish, not_woven(filled)) == (12, 0, 0)
    assert (link.claims, link.documents, link.positive, link.denied, link.hedged) == (3, 3, 2, 1, 1)
    assert (link.sign, link.contested) == (Sign.POSITIVE, True)
    assert link.support.quote.startswith("Smoking changes")


def test_causes_and_effects_come_the_most_credible_first(filled: Store) -> None:
    weave(filled, WEIGHTS)

    found = causes_of(filled, [CANCER])
    assert [found[0].cause, found[-1].cause] == ["smoking", "vitamin c"]
    assert [link.credibility for link in found] == sorted((one.credibility for one in found), reverse=True)
    assert [link.effect for link in effects_of(filled, [SMOKING])] == ["lung cancer", "tar"]
    assert len(causes_of(filled, [CANCER], limit=2)) == 2


def test_a_merge_turns_the_sign_and_can_be_undone(filled: Store) -> None:
    record_merges(filled, [Merge("tar", "clean air", -1, "person", "for the test")])
    weave(filled, WEIGHTS)

    (link,) = links_between(filled, [SMOKING], [concept_id("clean air")])
    assert link.sign is Sign.NEGATIVE
    (clean,) = effects_of(filled, [concept_id("clean air")])
    assert (clean.effect, clean.sign) == ("lung damage", Sign.NEGATIVE)
    assert phrases_of(filled, concept_id("clean air")) == [("clean air", 1), ("tar", -1)]

    (decided,) = merges(filled)
    undo_merge(filled, decided.merge_id)
    weave(filled, WEIGHTS)
    assert not links_between(filled, [SMOKING], [concept_id("clean air")])
    assert links_between(filled, [SMOKING], [concept_id("tar")])[0].sign is Sign.POSITIVE
    again = record_merges(filled, [Merge("clean air", "tar", -1, "vector", "near", 0.9)])
    assert (again.made, again.vetoed) == (0, 1)
    with pytest.raises(InputError, match="in force"):
        undo_merge(filled, decided.merge_id)


def test_merges_chain_and_contradictions_are_counted(filled: Store) -> None:
    made = record_merges(
        filled,
        [
            Merge("tar", "soot", 1, "vector", "near"),
            Merge("soot", "grime", -1, "vector", "near"),
            Merge("tar", "grime", 1, "vector", "near"),
            Merge("tar", "grime", -1, "vector", "near"),
        ],
    )
    assert (made.made, made.known, made.contrary) == (2, 1, 1)
    weave(filled, WEIGHTS)
    assert roots(filled, [concept_id("tar"), concept_id("soot")]) == [concept_id("grime")]


def test_a_claim_of_a_concept_about_itself_makes_no_edge_and_is_counted(filled: Store) -> None:
    record_merges(filled, [Merge("tar", "smoking", 1, "person", "for the test")])
    assert weave(filled, WEIGHTS).selfish == 1


def test_disagreements_are_on_record(filled: Store) -> None:
    weave(filled, WEIGHTS)
    (denied,) = conflicts(filled)
    assert (denied.kind, denied.cause, denied.effect, denied.one, denied.other) == (
        "denied",
        "smoking",
        "lung cancer",
        2,
        1,
    )


def test_weaving_twice_is_weaving_once(filled: Store) -> None:
    first, second = weave(filled, WEIGHTS), weave(filled, WEIGHTS)
    assert (first.nodes, first.edges) == (second.nodes, second.edges)
    with pytest.raises(ValueError, match="no such features"):
        weave(filled, {"luck": 1.0})
