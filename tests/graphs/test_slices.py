"""Slices and gluing: laws that hold for any slices, and what is said of agreement and disagreement."""

from hypothesis import given
from hypothesis import strategies as st

from leucippus.graphs.slices import Scope, Slice, glue
from leucippus.store.slices import Said
from leucippus.store.triples import Evidence, Sign


def said(
    claim: str,
    cause: str = "smoking",
    effect: str = "cancer",
    sign: Sign = Sign.POSITIVE,
    *,
    negated: bool = False,
    document: str | None = None,
    source: str | None = None,
    population: str | None = None,
    place: str | None = None,
    quote: str | None = None,
) -> Said:
    document = document or f"document of {claim}"
    return Said(
        cause, effect, sign, negated, claim, document, source or document,
        population=population, place=place, quote=f"words of {claim}" if quote is None else quote,
    )  # fmt: skip


_anything = st.builds(
    Said,
    cause=st.sampled_from("abc"),
    effect=st.sampled_from("abc"),
    sign=st.sampled_from(Sign),
    negated=st.booleans(),
    claim_id=st.sampled_from(["1", "2", "3", "4", "5", "6"]),
    document_id=st.sampled_from(["d", "e", "f"]),
    source=st.sampled_from(["d", "e"]),
    evidence=st.sampled_from(Evidence),
    population=st.sampled_from([None, "adults", "Children", " children "]),
    place=st.sampled_from([None, "Oslo"]),
    period=st.sampled_from([None, "1990", "2020"]),
    quote=st.sampled_from(["", "one", "two"]),
)
slices = st.builds(Slice.of, st.sampled_from(["medicine", "economics", "the reports"]), st.lists(_anything, max_size=8))


@given(slices, slices, slices)
def test_gluing_is_associative(one: Slice, two: Slice, three: Slice) -> None:
    assert glue(glue(one, two), three) == glue(one, glue(two, three)) == glue(one, two, three)


@given(slices, slices)
def test_gluing_is_commutative(one: Slice, two: Slice) -> None:
    assert glue(one, two) == glue(two, one)


@given(slices, slices)
def test_gluing_is_idempotent(one: Slice, two: Slice) -> None:
    assert glue(one, one) == glue(one)
    assert glue(glue(one, two), one) == glue(one, two)


@given(slices, st.text())
def test_an_empty_slice_changes_nothing(one: Slice, name: str) -> None:
    assert glue(one, Slice.of(name, [])) == glue(Slice(), one) == glue(one)


@given(slices, slices)
def test_nothing_is_lost_and_nothing_added(one: Slice, two: Slice) -> None:
    glued = glue(one, two)
    parts = one.parts | two.parts
    assert glued.whole.parts == parts
    held = {claim for seam in glued.seams for side in (seam.asserted, seam.denied) for claim in side.claims}
    assert held == {item.claim_id for _, item in parts if item.cause != item.effect}
    for seam in glued.seams:
        signed = {claim for side in (seam.raises, seam.lowers, seam.unsigned) for claim in side.claims}
        assert signed == set(seam.asserted.claims)
        for side in (seam.raises, seam.lowers, seam.unsigned, seam.denied):
            assert side.sources <= len(side.documents)
            assert bool(side) == (side.sources > 0)


@given(slices, slices)
def test_apart_is_what_comparing_every_pair_of_claims_says(one: Slice, two: Slice) -> None:
    for found in glue(one, two).disagreements:
        clash = [
            any(
                a != b and a is not None and b is not None
                for a, b in zip(vars(here).values(), vars(there).values(), strict=True)
            )
            for here in found.one.scopes
            for there in found.other.scopes
        ]
        assert found.apart == all(clash)
        assert bool(found.differing) >= any(clash)
        assert found.in_words()


def test_agreement_of_independent_documents_reinforces() -> None:
    (seam,) = glue(Slice.of("a", [said("1"), said("2")]), Slice.of("b", [said("3")])).seams

    assert (seam.raises.sources, seam.slices, seam.reinforced) == (3, ("a", "b"), True)


def test_one_document_in_two_slices_counts_once() -> None:
    (seam,) = glue(Slice.of("a", [said("1")]), Slice.of("b", [said("1")])).seams

    assert (seam.raises.claims, seam.raises.sources, seam.slices, seam.reinforced) == (("1",), 1, ("a", "b"), False)


def test_an_echo_and_a_repeated_quote_count_once() -> None:
    first = said("1", quote="the words")
    echo = said("2", source=first.document_id)
    (seam,) = glue(Slice.of("a", [first]), Slice.of("b", [echo])).seams
    assert (len(seam.raises.documents), seam.raises.sources, seam.reinforced) == (2, 1, False)

    (seam,) = glue(Slice.of("a", [first]), Slice.of("b", [said("3", quote="the words")])).seams
    assert (seam.raises.sources, seam.reinforced) == (1, False)


def test_an_echo_that_one_slice_knows_of_is_one_in_all() -> None:
    known = said("2", source="document of 1")
    (seam,) = glue(Slice.of("a", [said("1"), known]), Slice.of("b", [said("2")])).seams

    assert seam.raises.sources == 1


def test_opposite_signs_stay_on_two_sides_with_their_sources() -> None:
    glued = glue(Slice.of("a", [said("1"), said("2")]), Slice.of("b", [said("3", sign=Sign.NEGATIVE)]))

    (found,) = glued.disagreements
    assert (found.kind, found.one.claims, found.other.claims, found.new) == ("sign", ("1", "2"), ("3",), True)
    assert (found.differing, found.apart) == ((), False)
    assert found.in_words() == (
        "smoking raises cancer: 2 independent sources (a); lowers it: 1 independent source (b)."
    )
    assert not glued.seams[0].reinforced


def test_a_denial_disagrees_with_what_is_asserted() -> None:
    (found,) = glue(Slice.of("a", [said("1"), said("2", negated=True)]), Slice.of("b", [said("3")])).disagreements

    assert (found.kind, found.one.claims, found.other.claims, found.new) == ("denied", ("1", "3"), ("2",), False)


def test_both_directions_stay_unless_one_is_denied() -> None:
    there, back = said("1", "a", "b"), said("2", "b", "a")
    glued = glue(Slice.of("x", [there]), Slice.of("y", [back]))
    assert [(seam.cause, seam.effect) for seam in glued.seams] == [("a", "b"), ("b", "a")]
    (found,) = glued.disagreements
    assert (found.kind, found.cause, found.one.documents, found.other.documents) == (
        "direction", "a", (there.document_id,), (back.document_id,),
    )  # fmt: skip

    denied = said("2", "b", "a", negated=True)
    assert not glue(Slice.of("x", [there]), Slice.of("y", [denied])).disagreements


def test_unlike_populations_may_be_no_contradiction() -> None:
    adults = Slice.of("a", [said("1", population="Adults")])
    children = Slice.of("b", [said("2", sign=Sign.NEGATIVE, population="children")])
    (found,) = glue(adults, children).disagreements
    assert (found.differing, found.apart) == (("population",), True)
    assert found.in_words().endswith("Said of unlike population (adults against children): it may be no contradiction.")

    anyone = Slice.of("c", [said("3", sign=Sign.NEGATIVE, place="Oslo")])
    (found,) = glue(adults, children, anyone).disagreements
    assert (found.differing, found.apart) == (("population",), False)
    assert found.in_words().endswith("that does not settle it.")


def test_a_claim_that_slices_read_unlike_is_named() -> None:
    glued = glue(Slice.of("a", [said("1"), said("2")]), Slice.of("b", [said("1", effect="lung cancer"), said("2")]))

    assert glued.unsettled == ("1",)


def test_a_concept_about_itself_makes_no_seam() -> None:
    glued = glue(Slice.of("a", [said("1", effect="smoking")]))

    assert (glued.seams, glued.selfish, len(glued.whole.parts)) == ((), 1, 1)


def test_thousands_of_scopes_on_either_side_take_no_time() -> None:
    many = [
        said(f"{at}", sign=Sign.POSITIVE if at % 2 else Sign.NEGATIVE, population=f"group {at}") for at in range(20_000)
    ]
    (found,) = glue(Slice.of("a", many)).disagreements

    assert found.apart and len(found.one.scopes) == len(found.other.scopes) == 10_000


def test_scopes_ignore_case_and_space() -> None:
    assert Scope.of(said("1", population=" Older\nAdults ")) == Scope("older adults")
    assert Scope.of(said("1", population="  ")) == Scope()
