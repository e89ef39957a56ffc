"""Routes over woven edges, against every route there is."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from math import prod
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leucippus.store import routes
from leucippus.store.concepts import concept_id
from leucippus.store.database import Store
from leucippus.store.links import Link, links_between
from leucippus.store.merges import Merge, record_merges
from leucippus.store.query import Support
from leucippus.store.routes import Route, bridges, claims_behind, clear_sign, meanings_of, why
from leucippus.store.triples import Sign
from leucippus.store.weave import weave

WEIGHTS = {"one": -1.0, "sources": 2.0, "denied": -3.0}
CANCER, SMOKING, DEATH, TAR, TAXES, ADVERTISING = (
    concept_id(name) for name in ("lung cancer", "smoking", "death", "tar", "tax", "advertising")
)


def named(found: Sequence[Route]) -> list[list[str]]:
    return [[route.links[0].cause, *(link.effect for link in route.links)] for route in found]


def write_edges(store: Store, edges: Sequence[tuple[int, int, float, bool]], nodes: int) -> None:
    """(cause, effect, credibility, only denied) straight into the woven tables."""
    with store.transaction() as cursor:
        for table in ("nodes", "edges", "edges_by_effect"):
            cursor.execute(f"DELETE FROM {table}")
        rows = [
            (
                cause,
                effect,
                1,
                1,
                1,
                int(not denied),
                0,
                0,
                int(denied),
                0,
                0,
                0,
                0,
                0,
                0,
                None,
                credibility,
                "",
                "",
                "",
            )
            for cause, effect, credibility, denied in edges
        ]
        if rows:
            cursor.executemany(f"INSERT INTO edges VALUES ({', '.join('?' * 20)})", rows)
        cursor.execute("INSERT INTO edges_by_effect FROM edges ORDER BY effect, credibility DESC, cause")
        cursor.execute(
            """
            INSERT INTO nodes SELECT range, printf('%04d', range), 'n' || range, 1,
                (SELECT count(*) FROM edges WHERE cause = range), (SELECT count(*) FROM edges WHERE effect = range)
            FROM range(?) ORDER BY range
            """,
            [nodes],
        )


def every_route(
    edges: Sequence[tuple[int, int, float, bool]], causes: set[int], effects: set[int], most: int
) -> dict[tuple[int, ...], float]:
    onward: dict[int, list[tuple[int, float]]] = {}
    for cause, effect, credibility, denied in edges:
        if not denied:
            onward.setdefault(cause, []).append((effect, credibility))
    found: dict[tuple[int, ...], float] = {}
    open_ways: list[tuple[tuple[int, ...], float]] = [((cause,), 1.0) for cause in causes]
    while open_ways:
        way, score = open_ways.pop()
        for node, credibility in onward.get(way[-1], ()):
            if node in way or node in causes:
                continue
            if node in effects:
                found[*way, node] = score * credibility
            elif len(way) < most:
                open_ways.append(((*way, node), score * credibility))
    return found


def numbers_of(route: Route) -> tuple[int, ...]:
    return (int(route.links[0].cause_id), *(int(link.effect_id) for link in route.links))


NODES = 9
EDGES = st.lists(
    st.tuples(
        st.integers(0, NODES - 1), st.integers(0, NODES - 1), st.integers(1, 99).map(lambda n: n / 100), st.booleans()
    ),
    max_size=40,
    unique_by=lambda edge: edge[:2],
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    edges=EDGES,
    causes=st.sets(st.integers(0, NODES - 1), min_size=1, max_size=2),
    effects=st.sets(st.integers(0, NODES - 1), min_size=1, max_size=2),
    hops=st.integers(1, 4),
)
def test_the_best_route_is_the_best_of_all(
    store: Store, edges: list[tuple[int, int, float, bool]], causes: set[int], effects: set[int], hops: int
) -> None:
    edges = [(a, b, c, denied and a % 3 == 0) for a, b, c, denied in edges if a != b]
    write_edges(store, edges, NODES)
    found = why(store, [f"{one:04d}" for one in causes], [f"{one:04d}" for one in effects], max_hops=hops, limit=5)
    there = every_route(edges, causes, effects - causes, hops)
    assert bool(found) == bool(there)
    assert {numbers_of(route) for route in found} <= there.keys()
    assert len({numbers_of(route) for route in found}) == len(found) <= 5
    if there:
        assert found[0].score == pytest.approx(max(there.values()), rel=1e-5)
        assert min(len(route.links) for route in found) == min(len(way) for way in there) - 1
        assert [route.score for route in found[:-1]] == sorted((r.score for r in found[:-1]), reverse=True)
    for route in found:
        assert route.score == pytest.approx(there[numbers_of(route)], rel=1e-5)


def test_a_hub_on_either_side_hides_nothing_near(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "BEAM", 20)
    fan = [(0, node, 0.9, False) for node in range(2, 500)] + [(node, 1, 0.9, False) for node in range(500, 1000)]
    # The only way of two links is the least credible of both fans; from a hub to a plain concept it is a way of four.
    write_edges(store, [*fan, (0, 1000, 0.01, False), (1000, 1, 0.01, False), (499, 1001, 0.1, False),
                        (1001, 1002, 0.1, False), (1002, 1003, 0.1, False)], 1004)  # fmt: skip
    assert [numbers_of(route) for route in why(store, ["0000"], ["0001"])] == [(0, 1000, 1)]
    assert [numbers_of(route) for route in why(store, ["0000"], ["1003"])] == [(0, 499, 1001, 1002, 1003)]


def test_routes_of_the_small_store(filled: Store) -> None:
    weave(filled, WEIGHTS)
    found = why(filled, [TAXES], [DEATH])
    assert named(found) == [
        ["tax", "smoking", "lung cancer", "death"],
    ]
    assert found[0].sign is Sign.NEGATIVE
    assert found[0].score == pytest.approx(prod(link.credibility for link in found[0].links))
    assert found[0].weakest.credibility == min(link.credibility for link in found[0].links)
    assert all(one.effect_id == other.cause_id for one, other in pairwise(found[0].links))
    assert named(why(filled, [SMOKING], [CANCER])) == [
        ["smoking", "lung cancer"],
        ["smoking", "tar", "lung damage", "lung cancer"],
    ]


def test_what_is_only_denied_is_no_way(filled: Store) -> None:
    weave(filled, WEIGHTS)
    assert why(filled, [concept_id("coffee")], [DEATH]) == []
    assert why(filled, [concept_id("vitamin c")], [DEATH]) == []


def test_unknown_concepts_the_same_concept_and_no_room_give_no_route(filled: Store) -> None:
    weave(filled, WEIGHTS)
    assert why(filled, ["nobody"], [DEATH]) == why(filled, [DEATH], [DEATH]) == why(filled, [], [DEATH]) == []
    assert why(filled, [SMOKING], [CANCER], limit=0) == []
    for hops in (0, 5):
        with pytest.raises(ValueError, match="max_hops"):
            why(filled, [SMOKING], [CANCER], max_hops=hops)


LINK = Link("a", "a", "b", "b", 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, None, 0.5, Support("", "", ""))


@pytest.mark.parametrize(
    ("counts", "sign"),
    [
        ({"positive": 2, "negative": 1}, Sign.POSITIVE),
        ({"positive": 1, "negative": 2}, Sign.NEGATIVE),
        ({"positive": 1, "negative": 1}, Sign.NONE),
        ({"positive": 2, "denied": 1}, Sign.POSITIVE),
        ({"positive": 1, "denied": 1}, Sign.NONE),
        ({"positive": 2, "negative": 1, "denied": 1}, Sign.NONE),
        ({"positive": 0, "unsigned": 3}, Sign.NONE),
    ],
)
def test_a_sign_is_clear_if_more_bear_it_than_speak_against_it(counts: dict[str, int], sign: Sign) -> None:
    assert clear_sign(replace(LINK, **counts)) is sign  # type: ignore[arg-type]


def test_signs_multiply(filled: Store) -> None:
    down, none = replace(LINK, positive=0, negative=1), replace(LINK, positive=0)
    assert Route((LINK, LINK)).sign is Sign.POSITIVE
    assert Route((down, LINK)).sign is Sign.NEGATIVE
    assert Route((down, down)).sign is Sign.POSITIVE
    assert Route((down, none)).sign is Sign.NONE


def test_bridges_lead_over_what_is_not_asked_about(filled: Store) -> None:
    weave(filled, WEIGHTS)
    found = bridges(filled, [ADVERTISING, CANCER, TAR])
    assert sorted(named(found)) == [
        ["advertising", "smoking", "lung cancer"],
        ["advertising", "smoking", "tar"],
        ["tar", "lung damage", "lung cancer"],
    ]
    assert bridges(filled, [SMOKING]) == bridges(filled, []) == []


def test_claims_behind_an_edge_are_of_every_way(filled: Store) -> None:
    record_merges(filled, [Merge("tar", "clean air", -1, "person", "for the test")])
    weave(filled, WEIGHTS)
    links = links_between(filled, [SMOKING], [CANCER, concept_id("clean air")])
    found = claims_behind(filled, links)
    assert [(one.way, one.negated) for one in found[SMOKING, CANCER]] == [(1, False), (1, False), (1, True)]
    assert [(one.way, one.negated) for one in found[SMOKING, concept_id("clean air")]] == [(-1, False)]
    assert claims_behind(filled, []) == {}


def test_meanings(filled: Store) -> None:
    assert meanings_of(filled, [TAR]) == {TAR: (TAR, 1)}
    record_merges(filled, [Merge("tar", "clean air", -1, "person", "for the test")])
    weave(filled, WEIGHTS)
    assert meanings_of(filled, [TAR, "new"]) == {TAR: (concept_id("clean air"), -1), "new": ("new", 1)}


def test_an_empty_store_has_no_routes(store: Store, path: Path) -> None:
    assert why(store, [SMOKING], [CANCER]) == [] and path.exists()
