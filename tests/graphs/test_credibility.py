"""What makes an edge credible: fitted weights, their sides, and the words for it."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leucippus.agents.credibility import default_weights
from leucippus.graphs.credibility import (
    ENOUGH_EDGES,
    PRIORS,
    Prior,
    area_under_curve,
    brier,
    credibilities,
    expected_calibration_error,
    explain,
    fit_weights,
    reliability,
    tier,
)
from leucippus.store.concepts import concept_id
from leucippus.store.database import open_store
from leucippus.store.links import Link, all_links
from leucippus.store.query import Support
from leucippus.store.triples import Claim, Document, Evidence, Passage, Reader, Sign
from leucippus.store.weave import FEATURES, weave
from leucippus.store.write import PassageResult, Planned, add_documents, add_passages, plan, record_batch, start_run

READER = Reader(model="test", prompt_version="1")


class Said(NamedTuple):
    """One claim; those of one `document` are of one source."""

    document: int = 0
    negated: bool = False
    hedged: bool = False
    evidence: Evidence = Evidence.UNSTATED
    confidence: float = 0.8
    sign: Sign = Sign.POSITIVE


def _woven(edges: Sequence[Sequence[Said]], weights: dict[str, float] | None = None) -> list[Link]:
    """Each edge as the weaving with the shipped weights has it; their causes are numbered."""
    results, passages, documents = [], [], []
    for number, edge in enumerate(edges):
        for document_number in sorted({said.document for said in edge}):
            text = f"cause{number} changes effect. Document {document_number} says so. "
            own = [said for said in edge if said.document == document_number]
            text += " ".join(f"Line {at}." for at in range(len(own)))
            document = Document.of(text, media_type="text/plain", title="t")
            passage = Passage.of(document, 0, len(text))
            documents.append((document, f"file:///{number}/{document_number}"))
            passages.append(passage)
            first = len(f"cause{number}")
            effect = text.index("effect")
            claims = tuple(
                Claim(
                    claim_id=f"{number}-{document_number}-{at}", document_id=document.document_id,
                    passage_id=passage.passage_id, reader_id=READER.reader_id,
                    cause=text[:first], cause_start=0, cause_end=first, relation="changes",
                    effect="effect", effect_start=effect, effect_end=effect + 6, sign=said.sign,
                    negated=said.negated, hedged=said.hedged, evidence=said.evidence, confidence=said.confidence,
                    quote=text, start=0, end=len(text),
                )
                for at, said in enumerate(own)
            )  # fmt: skip
            results.append(PassageResult(passage.passage_id, claims))
    # Its own folder: a property test would leave a store for each of its examples.
    with TemporaryDirectory() as folder, open_store(Path(folder) / "store.duckdb", threads=1) as store:
        add_documents(store, documents)
        add_passages(store, passages)
        run_id = start_run(store, command="test", settings={}, reader=READER)
        plan(store, run_id, READER, [Planned(passage.passage_id, 0, at) for at, passage in enumerate(passages)])
        record_batch(store, run_id, READER.reader_id, results)
        weave(store, weights or default_weights())
        links = {link.cause_id: link for link in all_links(store)}
    return [links[concept_id(f"cause{number}")] for number in range(len(edges))]


_SAID = st.builds(
    Said,
    document=st.integers(0, 4),
    negated=st.booleans(),
    hedged=st.booleans(),
    evidence=st.sampled_from(list(Evidence)),
    confidence=st.sampled_from([0.3, 0.6, 0.9]),
    sign=st.sampled_from(list(Sign)),
)


@given(st.lists(st.tuples(st.lists(_SAID, min_size=1, max_size=6), _SAID, st.booleans()), min_size=1, max_size=8))
@settings(max_examples=8, deadline=None)
def test_a_denial_never_raises_credibility(cases: list[tuple[list[Said], Said, bool]]) -> None:
    edges = []
    for said, denial, new in cases:
        denial = denial._replace(negated=True, document=9 if new else said[0].document)
        edges += [said, [*said, denial]]
    links = _woven(edges)
    for before, after in zip(links[::2], links[1::2], strict=True):
        assert after.credibility <= before.credibility + 1e-6


@given(st.lists(st.lists(_SAID, min_size=1, max_size=6), min_size=1, max_size=8))
@settings(max_examples=8, deadline=None)
def test_sources_never_lower_it_and_hedging_never_raises_it(cases: list[list[Said]]) -> None:
    edges = []
    for said in cases:
        # All of it once more, said by others: nothing else about the edge changes.
        others = [one._replace(document=one.document + 10) for one in said]
        edges += [said, [*said, *others], [one._replace(hedged=True) for one in said]]
    links = _woven(edges)
    for before, more, hedged in zip(links[::3], links[1::3], links[2::3], strict=True):
        assert more.credibility >= before.credibility - 1e-6
        assert hedged.credibility <= before.credibility + 1e-6


def test_saying_it_again_is_not_saying_it_elsewhere() -> None:
    once, again, elsewhere = [Said()], [Said()] * 5, [Said(document=at) for at in range(5)]
    alone, repeated, shared = (link.credibility for link in _woven([once, again, elsewhere]))
    assert alone <= repeated < (alone + shared) / 2 < shared


def test_what_it_rests_on_counts() -> None:
    kinds = [Evidence.EXPERIMENTAL, Evidence.UNSTATED, Evidence.OPINION, Evidence.ELICITED]
    found = [link.credibility for link in _woven([[Said(evidence=kind)] for kind in kinds])]
    assert found == sorted(found, reverse=True)
    assert len(set(found)) == len(kinds)


def test_the_shipped_weights_are_on_their_sides() -> None:
    weights = default_weights()
    assert weights.keys() == FEATURES.keys() == PRIORS.keys()
    assert all(PRIORS[name].low <= weight <= PRIORS[name].high for name, weight in weights.items())
    weights["one"] = 99.0
    assert default_weights()["one"] != 99.0


def test_python_and_the_weaving_agree() -> None:
    edge = [Said(), Said(1, hedged=True, evidence=Evidence.OPINION), Said(1, negated=True, confidence=0.5)]
    one = {name: 1.0 if name == "one" else 0.0 for name in FEATURES}
    features = np.zeros((1, len(FEATURES)))
    for at, name in enumerate(FEATURES):  # each feature's value, read off the credibility it alone makes
        (link,) = _woven([edge], one | {"one": 0.0, name: 0.1})
        features[0, at] = 10 * np.log(link.credibility / (1 - link.credibility))
    (link,) = _woven([edge])
    assert credibilities(features, tuple(FEATURES), default_weights())[0] == pytest.approx(link.credibility, abs=1e-4)


def _drawn(edges: int, truth: dict[str, float], seed: int = 1) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    random = np.random.default_rng(seed)
    names = tuple(truth)
    features = random.random((edges, len(names)))
    features[:, names.index("one")] = 1.0
    chances = credibilities(features, names, truth)
    return features, random.random(edges) < chances, names


def test_fitting_finds_the_weights_that_made_the_data() -> None:
    truth = {"one": -1.5, "sources": 1.8, "hedged": -1.0, "denied": -3.0, "confidence": 3.0}
    fitted = fit_weights(*_drawn(20_000, truth))
    assert {weight.origin for weight in fitted.values()} == {"fitted"}
    assert all(abs(fitted[name].value - weight) < 0.2 for name, weight in truth.items())


def test_no_data_bring_a_weight_to_the_other_side() -> None:
    fitted = fit_weights(*_drawn(5000, {"one": 0.0, "sources": -3.0, "denied": 3.0, "hedged": 2.0}))
    assert (fitted["sources"].value, fitted["denied"].value, fitted["hedged"].value) == (0.5, -0.5, 0.0)


def test_too_few_edges_leave_the_prior() -> None:
    features, holds, names = _drawn(300, {"one": 0.0, "confidence": 2.0, "opinion": 0.0})
    features[:, 2] = 0.0
    features[: ENOUGH_EDGES - 1, 2] = 1.0
    weight = fit_weights(features, holds, names)["opinion"]
    assert (weight.value, weight.origin, weight.more) == (PRIORS["opinion"].mean, "prior", ENOUGH_EDGES - 1)


def test_without_means_and_bounds_it_is_ridge_regression(monkeypatch: pytest.MonkeyPatch) -> None:
    from sklearn.linear_model import LogisticRegression

    names = ("sources", "hedged", "confidence")
    for name in names:
        monkeypatch.setitem(PRIORS, name, Prior(0.0, 1.0, -1e9, 1e9, "flat"))
    truth = {"one": 0.0, "sources": 1.0, "hedged": -2.0, "confidence": 1.0}
    features, holds, _ = _drawn(500, truth)
    fitted = fit_weights(features[:, 1:], holds, names)
    reference = LogisticRegression(C=1.0, fit_intercept=False, tol=1e-10).fit(features[:, 1:], holds).coef_[0]
    assert [fitted[name].value for name in names] == pytest.approx(reference.tolist(), abs=2e-3)


def test_measures_of_scores() -> None:
    scores, holds = np.array([0.9, 0.8, 0.3, 0.3]), np.array([True, False, True, False])
    assert area_under_curve(scores, holds) == pytest.approx(2.5 / 4)
    assert np.isnan(area_under_curve(scores, np.ones(4, dtype=bool)))
    assert brier(scores, holds) == pytest.approx((0.01 + 0.64 + 0.49 + 0.09) / 4)
    bins = reliability(scores, holds, bins=2)
    assert [(one.edges, one.held) for one in bins] == [(2, 0.5), (2, 0.5)]
    assert expected_calibration_error(scores, holds, bins=2) == pytest.approx((0.2 + 0.35) / 2)
    random = np.random.default_rng(3)
    said = random.random(20_000)
    assert expected_calibration_error(said, random.random(20_000) < said) < 0.02
    assert len(reliability(scores, holds, bins=10)) == 4


_PLAIN = Link(
    "a", "smoking", "b", "lung cancer", claims=5, documents=4, sources=3, positive=4, negative=0, unsigned=0,
    denied=1, hedged=2, experimental=2, observational=1, opinion=0, elicited=0, measured=0,
    confidence=0.82, credibility=0.86, support=Support("c", "d", "q"),
)  # fmt: skip


def test_an_edge_in_words() -> None:
    assert explain(_PLAIN) == (
        "Well supported, credibility 0.86: 3 independent sources, 5 claims in 4 documents, 2 from experiments and 1 from "
        "observation. 1 of 5 claims denies it and 2 of 5 claims hedge; the words were read with a mean confidence of 0.82."
    )
    bare = replace(_PLAIN, claims=1, documents=1, sources=1, positive=1, denied=0, hedged=0, experimental=0,
                   observational=0, confidence=None, credibility=0.4)  # fmt: skip
    assert explain(bare) == (
        "Thin, credibility 0.40: 1 independent source, 1 claim in 1 document, none of which says what it rests on. "
        "No claim denies it, hedges or gives it another sign."
    )


def test_tiers() -> None:
    assert tier(_PLAIN) == "well supported"
    assert tier(replace(_PLAIN, sources=1)) == "supported"
    assert tier(replace(_PLAIN, credibility=0.3)) == "thin"
    assert tier(replace(_PLAIN, denied=2)) == "disputed"
    assert tier(replace(_PLAIN, positive=2, negative=2)) == "disputed"


@given(
    counts=st.lists(st.integers(0, 10**6), min_size=13, max_size=13),
    confidence=st.none() | st.floats(0, 1),
    credibility=st.floats(0, 1),
)
@settings(max_examples=200, deadline=None)
def test_every_number_is_the_edges_own(counts: list[int], confidence: float | None, credibility: float) -> None:
    names = ("claims", "documents", "sources", "positive", "negative", "unsigned", "denied", "hedged", "experimental",
             "observational", "opinion", "elicited", "measured")  # fmt: skip
    fields: dict[str, Any] = dict(zip(names, counts, strict=True))
    link = replace(_PLAIN, confidence=confidence, credibility=credibility, **fields)
    own = {str(count) for count in counts} | {f"{credibility:.2f}"}
    own |= set() if confidence is None else {f"{confidence:.2f}"}
    words = explain(link)
    assert set(re.findall(r"\d+(?:\.\d+)?", words)) <= own
    assert len(re.findall(r"\.(?: |$)", words)) == 2
