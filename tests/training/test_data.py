"""The sentences written for this project keep to their guide, as far as a machine can tell."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from leucippus.store.triples import Sign
from leucippus.training.examples import DATA, Span, fingerprint

Row = dict[str, Any]
NAMES = ("written", "heldout")
CLAIM_KEYS = {"cause", "effect", "relation", "sign", "negated", "hedged"}


def _read(name: str) -> list[Row]:
    return [json.loads(line) for line in (DATA / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


ROWS = {name: _read(name) for name in NAMES}


def _claims(name: str) -> Iterator[tuple[int, str, Row]]:
    """(line number, text, claim)."""
    for number, row in enumerate(ROWS[name], 1):
        for claim in row["claims"]:
            yield number, row["text"], claim


def _place(text: str, claim: Row, side: str) -> Span:
    """Where a side of a claim stands; (-1, …) if it does not stand there as often as the claim says."""
    starts = [at for at in range(len(text)) if text.startswith(claim[side], at)]
    whole = [at for at in starts if not _cut(text, (at, at + len(claim[side])))]
    nth = claim.get(f"{side}_at", 1) - 1
    start = (whole or starts)[nth] if nth < len(whole or starts) else -1
    return start, start + len(claim[side])


def _cut(text: str, span: Span) -> bool:
    """Whether a span begins or ends inside a word."""
    return any(text[at - 1 : at].isalnum() and text[at : at + 1].isalnum() for at in span)


@pytest.mark.parametrize("name", NAMES)
def test_every_row_has_exactly_its_four_fields(name: str) -> None:
    odd = [i for i, row in enumerate(ROWS[name], 1) if set(row) != {"text", "domain", "register", "claims"}]
    assert odd == []


@pytest.mark.parametrize("name", NAMES)
def test_texts_domains_and_registers_are_trimmed_and_not_empty(name: str) -> None:
    odd = [
        (i, field)
        for i, row in enumerate(ROWS[name], 1)
        for field in ("text", "domain", "register")
        if not row[field] or row[field] != row[field].strip()
    ]
    assert odd == []


@pytest.mark.parametrize("name", NAMES)
def test_every_claim_has_its_six_fields_and_at_most_two_places(name: str) -> None:
    odd = [i for i, _, claim in _claims(name) if set(claim) - {"cause_at", "effect_at"} != CLAIM_KEYS]
    assert odd == []


@pytest.mark.parametrize("name", NAMES)
def test_spans_stand_in_the_text_to_the_letter(name: str) -> None:
    odd = [
        (i, claim[side])
        for i, text, claim in _claims(name)
        for side in ("cause", "effect")
        if not claim[side] or _place(text, claim, side)[0] < 0
    ]
    assert odd == []


@pytest.mark.parametrize("name", NAMES)
def test_spans_are_trimmed_and_without_punctuation_at_their_edges(name: str) -> None:
    odd = [
        (i, claim[side])
        for i, _, claim in _claims(name)
        for side in ("cause", "effect")
        if claim[side] != claim[side].strip().lstrip(",;:.").rstrip(",;:.")
    ]
    assert odd == []


@pytest.mark.parametrize(
    "name",
    [
        "written",
        "heldout",
    ],
)
def test_spans_are_made_of_whole_words(name: str) -> None:
    odd = [
        (i, claim[side])
        for i, text, claim in _claims(name)
        for side in ("cause", "effect")
        if _cut(text, _place(text, claim, side))
    ]
    assert odd == []


@pytest.mark.parametrize("name", NAMES)
def test_the_two_spans_of_a_claim_do_not_overlap(name: str) -> None:
    odd = []
    for i, text, claim in _claims(name):
        cause, effect = _place(text, claim, "cause"), _place(text, claim, "effect")
        if cause[0] < effect[1] and effect[0] < cause[1]:
            odd.append((i, claim["cause"], claim["effect"]))
    assert odd == []


@pytest.mark.parametrize("name", NAMES)
def test_a_place_is_given_only_where_the_first_one_is_not_meant(name: str) -> None:
    places = [(i, claim.get(f"{side}_at", 2)) for i, _, claim in _claims(name) for side in ("cause", "effect")]
    assert [place for place in places if not (isinstance(place[1], int) and place[1] >= 2)] == []


@pytest.mark.parametrize("name", NAMES)
def test_linking_words_stand_in_the_text_to_the_letter(name: str) -> None:
    odd = [
        (i, claim["relation"])
        for i, text, claim in _claims(name)
        if claim["relation"] not in text or claim["relation"] != claim["relation"].strip()
    ]
    assert odd == []


@pytest.mark.parametrize("name", NAMES)
def test_signs_are_signs_and_attitudes_are_yes_or_no(name: str) -> None:
    signs = {sign.value for sign in Sign}
    odd = [
        i
        for i, _, claim in _claims(name)
        if claim["sign"] not in signs or type(claim["negated"]) is not bool or type(claim["hedged"]) is not bool
    ]
    assert odd == []


@pytest.mark.parametrize("name", NAMES)
def test_no_claim_is_made_twice_in_a_text(name: str) -> None:
    claims = [(i, *(claim[key] for key in sorted(CLAIM_KEYS))) for i, _, claim in _claims(name)]
    assert len(set(claims)) == len(claims)


def test_no_text_is_there_twice_and_none_is_both_learned_and_measured_with() -> None:
    texts = [fingerprint(row["text"]) for name in NAMES for row in ROWS[name]]
    assert len(set(texts)) == len(texts)


def test_there_is_enough_to_learn_from_and_to_measure_with() -> None:
    assert len(ROWS["written"]) >= 1500
    assert abs(len(ROWS["heldout"]) - 300) <= 5


@pytest.mark.parametrize("name", NAMES)
def test_texts_come_from_many_domains(name: str) -> None:
    assert len({row["domain"] for row in ROWS[name]}) >= 12


@pytest.mark.parametrize("name", NAMES)
def test_some_four_in_ten_texts_make_no_claim(name: str) -> None:
    assert 0.33 <= sum(not row["claims"] for row in ROWS[name]) / len(ROWS[name]) <= 0.47


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("attitude", "least", "most"), [("negated", 0.05, 0.20), ("hedged", 0.08, 0.30)])
def test_denied_and_doubted_claims_have_their_share(name: str, attitude: str, least: float, most: float) -> None:
    claims = [claim for _, _, claim in _claims(name)]
    assert least <= sum(claim[attitude] for claim in claims) / len(claims) <= most
