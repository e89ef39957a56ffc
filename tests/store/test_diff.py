"""What two runs say differently."""

from typing import Any

import pytest

from leucippus.errors import InputError
from leucippus.store.concepts import concept_name
from leucippus.store.database import Store
from leucippus.store.diff import diff
from leucippus.store.merges import Merge, record_merges
from leucippus.store.triples import Claim, Document, Passage, Reader, Sign
from leucippus.store.weave import weave
from leucippus.store.write import PassageResult, Planned, plan, record_batch, start_run

SECOND = Reader(model="second", prompt_version="1")


@pytest.fixture
def second(filled: Store, documents: list[Document], passages: list[Passage], results: list[PassageResult]) -> str:
    """A run of another reader over the first eight passages. It reads the fourth as lowering, denies the eighth, and
    misses the rest."""
    run_id = start_run(filled, command="extract", settings={"folder": "x"}, reader=SECOND)
    plan(filled, run_id, SECOND, [Planned(p.passage_id, 0, at) for at, p in enumerate(passages[:8])])
    changes: dict[int, dict[str, Any]] = {3: {"sign": Sign.NEGATIVE}, 7: {"negated": True}}
    read = []
    for at, result in enumerate(results[:8]):
        (claim,) = result.claims
        update = {"claim_id": f"second {at}", "reader_id": SECOND.reader_id} | changes.get(at, {})
        read.append(PassageResult(result.passage_id, (Claim.model_validate(claim.model_dump() | update),)))
    record_batch(filled, run_id, SECOND.reader_id, read)
    return run_id


def test_edges_are_only_here_only_there_or_read_unlike(filled: Store, run_id: str, second: str) -> None:
    found = diff(filled, run_id, second)

    assert (found.run_a, found.run_b) == (run_id, second)
    assert {(one.cause, one.effect) for one in found.only_a} == {
        ("lung cancer", "death"), ("advertising", "smoking"), (concept_name("taxes"), "smoking"), ("coffee", "death"),
    }  # fmt: skip
    assert all(one.other is None and one.one is not None for one in found.only_a)
    assert (found.edges_only_a, found.edges_only_b, found.edges_changed, found.same) == (4, 0, 2, 4)
    asbestos, damage = sorted(found.changed, key=lambda one: one.cause)
    assert asbestos.one is not None and asbestos.other is not None
    assert (asbestos.one.sign, asbestos.other.sign) == (Sign.POSITIVE, Sign.NEGATIVE)
    assert asbestos.other.support.quote.startswith("asbestos changes lung cancer")
    assert damage.one is not None and damage.other is not None
    assert (damage.cause, damage.one.negated, damage.other.negated) == ("lung damage", False, True)


def test_the_other_way_round_it_is_the_other_way_round(filled: Store, run_id: str, second: str) -> None:
    there, back = diff(filled, run_id, second), diff(filled, second, run_id)

    assert [(one.cause_id, one.effect_id) for one in there.only_a] == [
        (one.cause_id, one.effect_id) for one in back.only_b
    ]
    assert [(one.one, one.other) for one in there.changed] == [(one.other, one.one) for one in back.changed]


def test_a_run_differs_from_itself_in_nothing(filled: Store, run_id: str) -> None:
    found = diff(filled, run_id, run_id)

    assert (found.edges_only_a, found.edges_only_b, found.edges_changed, found.same) == (0, 0, 0, 10)


def test_edges_are_those_of_canonical_concepts(filled: Store, run_id: str, second: str) -> None:
    record_merges(filled, [Merge("asbestos", "clean air", -1, "person", "for the test")])
    weave(filled, {})

    changed = {one.cause: one for one in diff(filled, run_id, second).changed}
    assert changed["clean air"].one is not None and changed["clean air"].one.sign is Sign.NEGATIVE
    assert changed["clean air"].other is not None and changed["clean air"].other.sign is Sign.POSITIVE


def test_the_limit_is_for_what_is_shown(filled: Store, run_id: str, second: str) -> None:
    found = diff(filled, run_id, second, limit=1)
    assert (len(found.only_a), found.edges_only_a, len(found.changed)) == (1, 4, 1)
    assert diff(filled, run_id, second, limit=0).only_a == ()


def test_a_run_is_named_by_how_it_begins(filled: Store, run_id: str, second: str) -> None:
    at = next(n for n in range(1, 17) if run_id[:n] != second[:n])
    assert diff(filled, run_id[:at], second[:at]).run_a == run_id

    with pytest.raises(InputError, match="no run 'xyz'") as caught:
        diff(filled, "xyz", second)
    assert run_id in caught.value.next_step and second in caught.value.next_step
    with pytest.raises(InputError, match="no run ''"):
        diff(filled, run_id, "")
    with pytest.raises(InputError, match="no run"):
        diff(filled, run_id, "x" * 1_000_000)


def test_a_store_without_runs_says_so(store: Store) -> None:
    with pytest.raises(InputError, match="no runs"):
        diff(store, "a", "b")
