"""Which names mean one concept."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from leucippus.graphs.canonical import Proposal, adjudicated, propose
from leucippus.graphs.neighbours import near_pairs
from leucippus.graphs.wording import conflict, plain_words, run_together, slips
from leucippus.serving.encoder import encode
from leucippus.store.concepts import concept_id, concept_name
from leucippus.store.database import open_store
from leucippus.store.links import phrases_of
from leucippus.store.merges import Merge, record_merges
from leucippus.store.weave import weave
from tests.graphs import name_pairs


def proposed(*names: str, counts: Sequence[int] | None = None, abbreviations: dict[str, str] | None = None) -> Proposal:
    return propose(names, counts or [1] * len(names), encode(names), abbreviations)


def joined(proposal: Proposal) -> set[tuple[str, str, int]]:
    return {(merge.name, merge.into, merge.turn) for merge in proposal.merges}


def test_rules_keep_the_sign_and_tell_the_reason() -> None:
    proposal = propose(["rise in oil price", "oil price", "lack of oil", "price of oil"], [9, 1, 1, 1])

    assert proposal.merges == (
        Merge("lack of oil", "oil", -1, "rule", "'lack of' taken off", 1.0),
        Merge("price of oil", "oil price", 1, "rule", "same words in another order", 1.0),
        Merge("rise in oil price", "oil price", 1, "rule", "'rise in' taken off", 1.0),
    )


def test_another_spelling_alone_makes_no_new_name() -> None:
    assert propose(["tumour", "price of oil"], [1, 1]).merges == ()
    assert joined(propose(["tumour", "tumor"], [9, 1])) == {("tumour", "tumor", 1)}


def test_the_same_words_otherwise_written() -> None:
    names = [
        "drugs abuse",
        "drug abuse",
        "health care",
        "healthcare",
        "lead exposure",
        "exposure to lead",
        "wine glass",
    ]

    assert joined(propose([*names, "glass of wine"], [1, 2, 1, 2, 2, 1, 1, 1])) == {
        ("drugs abuse", "drug abuse", 1),
        ("health care", "healthcare", 1),
        ("exposure to lead", "lead exposure", 1),
    }


def test_the_less_frequent_goes_into_the_more_frequent() -> None:
    pair = ("health care", "healthcare")

    assert joined(propose(pair, [3, 2])) == {("healthcare", "health care", 1)}
    assert joined(propose(pair, [2, 3])) == {("health care", "healthcare", 1)}
    assert joined(propose(pair, [2, 2])) == {("health care", "healthcare", 1)}  # the shorter


def test_abbreviations_and_phrases_with_them() -> None:
    proposal = propose(
        [
            "chf",
            "congestive heart failure chf",
            "chf patient",
            "congestive heart failure patient",
            "chf score",
            "rise in chf",
        ],
        [9, 1, 1, 1, 1, 1],
        None,
        {"chf": "congestive heart failure"},
    )

    assert joined(proposal) == {
        ("chf", "congestive heart failure", 1),
        ("congestive heart failure chf", "congestive heart failure", 1),
        ("chf patient", "congestive heart failure patient", 1),
        ("rise in chf", "chf", 1),
    }
    assert {merge.method for merge in proposal.merges} == {"abbreviation", "rule"}


def test_abbreviations_in_a_circle_come_to_an_end() -> None:
    proposal = propose(["aa", "bb"], [1, 1], None, {"aa": "bb", "bb": "aa"})

    assert joined(proposal) == {("aa", "bb", 1)}


def test_vectors_confirm_forms_of_the_same_words() -> None:
    proposal = proposed("renal failure", "kidney failure", "organ", "organic", counts=[3, 1, 1, 1])

    (merge,) = proposal.merges
    assert (merge.name, merge.into, merge.turn, merge.method) == ("kidney failure", "renal failure", 1, "vector")
    assert merge.reason.startswith("cosine 0.9") and "'kidney' for 'renal'" in merge.reason
    assert merge.score is not None and 0.9 < merge.score < 1


def test_a_slip_goes_where_it_was_meant() -> None:
    names = ("government spending", "goverment spending", "government spending cut")

    assert joined(proposed(*names, counts=[9, 1, 1])) >= {("goverment spending", "government spending", 1)}
    # As frequent as the other it is a word of its own.
    assert not joined(proposed(*names[:2], counts=[3, 3]))


@cache
def _written() -> tuple[tuple[str, ...], NDArray[np.float32]]:
    blocks = (name_pairs.OTHER_FORMS, name_pairs.OTHER_SLIPS, name_pairs.OPPOSITES, name_pairs.SYNONYMS)
    names = tuple(sorted({concept_name(name) for block in blocks for pair in name_pairs.pairs(block) for name in pair}))
    return names, encode(names)


def test_names_that_only_look_alike_stay_apart() -> None:
    names, vectors = _written()
    merges = propose(names, [9 if at % 2 else 1 for at in range(len(names))], vectors).merges

    alike = {frozenset(map(concept_name, pair)) for pair in name_pairs.pairs(name_pairs.OPPOSITES)}
    assert not [merge for merge in merges if frozenset((merge.name, merge.into)) in alike]
    wrong = [merge for merge in merges if merge.method == "vector"]
    assert {(merge.name, merge.into) for merge in wrong} <= {
        ("conduction disorder", "conduct disorder"),  # the one pair above the threshold it was chosen with
        ("conduct disorder", "conduction disorder"),
    }


@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_names_changes_nothing(random: object) -> None:
    names, vectors = _written()
    order = list(range(len(names)))
    random.shuffle(order)  # type: ignore[attr-defined]
    counts = [at % 3 + 1 for at in range(len(names))]

    assert propose([names[at] for at in order], [counts[at] for at in order], vectors[order]) == propose(
        names, counts, vectors
    )


def test_only_pairs_with_a_fresh_name() -> None:
    names = ["rise in oil price", "oil price", "lack of sleep", "sleep", "health care", "healthcare"]

    assert joined(propose(names, [1] * 6, fresh=frozenset({"sleep"}))) == {("lack of sleep", "sleep", -1)}
    assert joined(propose(names, [1] * 6, fresh=frozenset({"health care"}))) == {("health care", "healthcare", 1)}
    assert propose(names, [1] * 6, fresh=frozenset()).merges == ()
    # "tumour" alone was not worth a merge; now it is.
    both = propose(["tumour", "rise in tumour"], [1, 1], fresh=frozenset({"rise in tumour"}))
    assert joined(both) == {("tumour", "tumor", 1), ("rise in tumour", "tumor", 1)}


def test_synonyms_are_doubtful_and_a_judge_decides() -> None:
    proposal = proposed(
        "global warming", "climate change", "male infertility", "female infertility", counts=[1, 5, 1, 1]
    )

    assert not proposal.merges
    (doubt,) = proposal.doubtful
    assert (doubt.name, doubt.into) == ("global warming", "climate change")
    assert 0.7 < doubt.cosine < 0.85
    (merge,) = adjudicated(proposal.doubtful, lambda pairs: [True] * len(pairs))
    assert (merge.name, merge.into, merge.method) == ("global warming", "climate change", "model")
    assert adjudicated([doubt, doubt], lambda pairs: [None, False]) == []
    with pytest.raises(ValueError, match="zip"):
        adjudicated([doubt], lambda pairs: [])


def test_proposals_are_recorded_without_contradiction(tmp_path: Path) -> None:
    names = ["tar", "rise in tar", "lack of tar", "chf", "health care", "healthcare", "increase in the lack of tar"]
    proposal = propose(names, [1] * len(names), encode(names), {"chf": "congestive heart failure"})

    with open_store(tmp_path / "store.duckdb") as store:
        written = record_merges(store, proposal.merges)
        again = record_merges(store, proposal.merges)
        weave(store, {})
        meant = phrases_of(store, concept_id("tar"))

    assert (written.made, written.contrary, again.made, again.known) == (5, 0, 0, 5)
    assert meant == [("rise in tar", 1), ("tar", 1), ("increase in the lack of tar", -1), ("lack of tar", -1)]


def test_bad_input() -> None:
    assert propose([], []) == Proposal((), ())
    assert propose([], [], np.empty((0, 384), np.float32)) == Proposal((), ())
    with pytest.raises(ValueError, match="as many"):
        propose(["a"], [])
    with pytest.raises(ValueError, match="twice"):
        propose(["a", "a"], [1, 1])
    hostile = [
        concept_name(name) for name in ("x" * 1_000_000, "no " * 100_000, "癌症 増加", "повышение цен", "- -", "'")
    ]
    names = [*dict.fromkeys(hostile)]
    assert propose(names, [1] * len(names), np.eye(len(names), 384, dtype=np.float32)).merges == ()


def test_words() -> None:
    assert plain_words("prices of the oil") == ("oil", "price")
    assert run_together(("type", "1", "1")) != run_together(("type", "11"))
    assert run_together(("covid", "19")) == run_together(("covid19",))
    assert slips({"government": 10, "goverment": 1, "infection": 10, "injection": 10}, times=5) == {
        "goverment": "government"
    }
    assert conflict(("hypotension",), ("hypertension",)) == "'hypotension' is not 'hypertension'"
    assert conflict(("type", "1", "diabetes"), ("type", "2", "diabetes")) == "other numbers"
    assert conflict(("acute", "heart", "failure"), ("heart", "failure")) == "one says more"
    assert conflict(("warming",), ("climate", "change")) is None


def test_near_pairs_are_found_without_comparing_all() -> None:
    random = np.random.default_rng(0)
    vectors = random.standard_normal((6000, 64), dtype=np.float32)
    vectors[1::2] = vectors[::2] + 0.2 * vectors[1::2]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)

    found = near_pairs(vectors, least=0.9)

    right = (found.one % 2 == 0) & (found.other == found.one + 1)
    assert right.all()
    assert right.sum() > 0.95 * 3000
    few = near_pairs(vectors[:200], least=0.9)
    assert list(zip(few.one.tolist(), few.other.tolist(), strict=True)) == [(at, at + 1) for at in range(0, 200, 2)]
