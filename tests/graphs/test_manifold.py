"""Triangles, messages, training and the choice: what is there is found, and what is not there is not."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from leucippus.errors import InputError
from leucippus.graphs.held_out import answer, interval, keep_back, questions
from leucippus.graphs.link_prediction import Graph, Recipe, spread
from leucippus.graphs.manifold import METHODS, Manifold, Method, choose, compare, learn
from leucippus.graphs.transformer import Geometric, messages_of
from leucippus.graphs.triangles import filled_triangles

Arrays = tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int8], NDArray[np.float32]]
QUICK = Recipe(width=16, epochs=8)


def arrays(features: NDArray[np.float32], edges: NDArray[np.int64]) -> Arrays:
    edges = np.unique(edges[edges[:, 0] != edges[:, 1]], axis=0).reshape(-1, 2)
    signs = (edges.sum(axis=1) % 3 - 1).astype(np.int8)
    return features, edges, signs, np.ones(len(edges), dtype=np.float32)


def chance(nodes: int = 300, count: int = 900, seed: int = 0) -> Arrays:
    random = np.random.default_rng(seed)
    features = random.standard_normal((nodes, 24)).astype(np.float32)
    return arrays(features, random.integers(0, nodes, (count, 2)))


def ring(nodes: int = 300, count: int = 2400) -> Arrays:
    """Nodes are of six kinds, kind k acts on kind k + 1; every third node's features say its kind, neighbours of the rest
    do."""
    random = np.random.default_rng(0)
    features = random.standard_normal((nodes, 24)).astype(np.float32)
    telling = np.arange(0, nodes) // 6 % 3 == 0
    features[telling, np.arange(nodes)[telling] % 6] += 8
    cause = random.integers(0, nodes, count)
    effect = random.integers(0, nodes // 6, count) * 6 + (cause + 1) % 6
    return arrays(features, np.column_stack((cause, effect)))


def plainly(edges: set[tuple[int, int]], nodes: int) -> list[tuple[int, int, int]]:
    return sorted(
        (i, j, k) for i, j in edges for k in range(nodes) if i != j != k != i and (j, k) in edges and (i, k) in edges
    )


@given(st.integers(3, 12), st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=60))
@settings(deadline=None, max_examples=60)
def test_all_filled_triangles_are_found_and_no_others(nodes: int, drawn: list[tuple[int, int]]) -> None:
    pairs = [(a % nodes, b % nodes) for a, b in drawn]
    edges = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    found = [tuple(row) for row in filled_triangles(edges, nodes, cap=10_000).tolist()]
    assert found == plainly(set(pairs), nodes)
    assert filled_triangles(edges[::-1], nodes, cap=2).tolist() == filled_triangles(edges, nodes, cap=2).tolist()


def test_open_paths_and_circles_are_no_triangles() -> None:
    assert not len(filled_triangles(np.array([[0, 1], [1, 2]]), 3))
    assert not len(filled_triangles(np.array([[0, 1], [1, 2], [2, 0]]), 3))
    assert filled_triangles(np.array([[0, 1], [1, 2], [0, 2]]), 3).tolist() == [[0, 1, 2]]


def test_a_hub_does_not_explode_and_its_strongest_triangles_stay() -> None:
    hub = np.column_stack((np.zeros(5000, dtype=np.int64), np.arange(1, 5001)))
    chain = np.column_stack((np.arange(1, 5000), np.arange(2, 5001)))
    assert len(filled_triangles(np.concatenate((hub, chain)), 5001)) == 4999
    full = np.array([(a, b) for a in range(30) for b in range(a + 1, 30)])
    weights = np.where((full[:, 0] == 0) & (full[:, 1] <= 3), 9, 1).astype(np.float32)
    weights[(full[:, 0] == 1) & (full[:, 1] == 2)] = 9
    capped = filled_triangles(full, 30, weights=weights, cap=5)
    assert len(capped) <= 5 * 30 and [0, 1, 2] in capped.tolist()


@pytest.fixture
def awake() -> Callable[[int], Geometric]:
    """A transformer whose blocks say something, as after training; two of one seed are alike."""

    def made(seed: int) -> Geometric:
        torch.manual_seed(seed)
        model = Geometric(torch.randn(6, 12), 8, 1)
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter)
        return model.eval()

    return made


def test_messages_tell_direction_sign_strength_and_triangles(awake: Callable[[int], Geometric]) -> None:
    features, model = torch.randn(6, 12, generator=torch.Generator().manual_seed(1)), awake(0)

    def placed(
        pairs: list[list[int]], signs: list[int], strengths: list[float], corners: list[list[int]]
    ) -> torch.Tensor:
        triangles = torch.tensor(corners, dtype=torch.long).reshape(-1, 3)
        sent = messages_of(torch.tensor(pairs), torch.tensor(signs), torch.tensor(strengths), triangles)
        with torch.no_grad():
            return model(features, sent)  # type: ignore[no-any-return]

    plain = placed([[0, 1], [2, 1]], [1, 1], [1.0, 1.0], [])
    for other in (
        placed([[1, 0], [2, 1]], [1, 1], [1.0, 1.0], []),
        placed([[0, 1], [2, 1]], [-1, 1], [1.0, 1.0], []),
        placed([[0, 1], [2, 1]], [1, 1], [5.0, 1.0], []),
        placed([[0, 1], [2, 1]], [1, 1], [1.0, 1.0], [[0, 2, 1]]),
    ):
        assert not torch.allclose(plain[1], other[1], atol=1e-4)
        assert torch.equal(plain[3:], other[3:])  # nobody spoke to these
    swapped = placed([[2, 1], [0, 1]], [1, 1], [1.0, 1.0], [])
    assert torch.allclose(plain, swapped, atol=1e-5)


def test_an_untrained_transformer_is_the_text() -> None:
    features, edges, signs, weights = chance(nodes=60, count=20)
    placed = learn(features, edges[:10], signs[:10], weights[:10], "triangles", recipe=Recipe(width=24, depth=0))
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    np.testing.assert_allclose(placed.representation @ placed.representation.T, unit @ unit.T, atol=1e-4)


def test_the_triangle_loss_is_the_squared_distance_from_the_middle() -> None:
    corners = torch.tensor([[0.0, 0.0], [3.0, 0.0], [0.0, 3.0], [9.0, 9.0]])
    assert spread(corners, torch.tensor([[0, 1, 2]])).item() == pytest.approx(12.0)  # 2 + 5 + 5
    assert spread(corners, torch.empty(0, 3, dtype=torch.long)).item() == 0.0


def test_hiding_an_edge_hides_its_triangles() -> None:
    edges = np.array([[0, 1], [1, 2], [0, 2], [2, 3]])
    graph = Graph(4, edges, np.zeros(4, dtype=np.int8), np.ones(4, dtype=np.float32), filled_triangles(edges, 4))
    assert graph.whole(torch.ones(4, dtype=torch.bool)).tolist() == [[0, 1, 2]]
    assert graph.whole(torch.tensor([True, True, True, False])).tolist() == [[0, 1, 2]]
    assert not len(graph.whole(torch.tensor([True, False, True, True])))


@pytest.mark.parametrize("method", METHODS)
def test_the_same_seed_gives_the_same_numbers(method: Method) -> None:
    given_arrays = ring(nodes=120, count=500)
    before = torch.random.get_rng_state()
    one, two = (learn(*given_arrays, method, recipe=QUICK) for _ in range(2))
    np.testing.assert_array_equal(one.representation, two.representation)
    np.testing.assert_array_equal(one.as_cause, two.as_cause)
    assert torch.equal(before, torch.random.get_rng_state())
    if method in ("transformer", "triangles"):
        other = learn(*given_arrays, method, recipe=Recipe(width=16, epochs=8, seed=1))
        assert not np.array_equal(one.representation, other.representation)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=40, unique=True))
def test_both_directions_of_a_pair_are_held_out_together(drawn: list[tuple[int, int]]) -> None:
    edges = np.array(drawn)
    held = keep_back(edges, 0.3, 0)
    side: dict[frozenset[int], bool] = {}
    for (a, b), out in zip(drawn, held.tolist(), strict=True):
        assert side.setdefault(frozenset((a, b)), out) == out


def test_wrong_effects_are_wrong_and_do_not_give_themselves_away() -> None:
    features, edges, _, _ = ring(nodes=300, count=600)
    held = keep_back(edges, 0.4, 0)
    asked = questions(features / np.linalg.norm(features, axis=1, keepdims=True), edges, held, 0)
    known = set(map(tuple, edges.tolist()))
    linked = np.bincount(edges[~held].reshape(-1), minlength=300) > 0
    assert not linked.all()
    for (cause, effect), *wrongs in zip(asked.edges, asked.random, asked.plausible, strict=True):
        for wrong in np.concatenate(wrongs):
            if wrong >= 0:
                assert (cause, wrong) not in known and wrong != cause
                assert linked[wrong] == linked[effect]
    assert (asked.random >= 0).mean() > 0.9 and (asked.plausible >= 0).mean() > 0.9


def test_perfect_and_useless_scores_get_what_they_deserve() -> None:
    features, edges, _, _ = chance()
    held = keep_back(edges, 0.2, 0)
    asked = questions(features, edges, held, 0)
    known = np.zeros((300, 300), dtype=np.float32)
    known[tuple(edges.T)] = 1
    eye = np.eye(300, dtype=np.float32)
    perfect = answer(asked, known, eye)
    assert np.nanmin(perfect.random) == np.nanmin(perfect.plausible) == perfect.reciprocal_rank.min() == 1
    assert np.nanmin(perfect.direction) == 1
    nothing = answer(asked, np.zeros_like(eye), eye)
    assert np.nanmin(nothing.random) == np.nanmax(nothing.random) == np.nanmax(nothing.plausible) == 0.5
    assert np.median(nothing.reciprocal_rank) < 0.05
    middle = interval(perfect.random - nothing.random, asked.edges[:, 0])
    assert (middle.mean, middle.low, middle.high) == (0.5, 0.5, 0.5)


def test_intervals_draw_causes_and_not_edges() -> None:
    values = np.repeat(np.arange(10, dtype=np.float64), 100)
    wide = interval(values, np.repeat(np.arange(10), 100))
    narrow = interval(values, np.arange(1000))
    assert wide.high - wide.low > 5 * (narrow.high - narrow.low)
    assert np.isnan(interval(np.full(3, np.nan), np.arange(3)).mean)


def test_nothing_is_foretold_where_nothing_is_to_be_known() -> None:
    """No edge held out leaves a trace: with edges by chance every method is at chance, and the plainest is used."""
    found = choose(*chance(nodes=400, count=500), recipe=QUICK)
    assert found.manifold.method == "embeddings" and found.comparison is not None
    for score in found.comparison.scores:
        assert abs(score.auc_random.mean - 0.5) < 0.1 and abs(score.auc_plausible.mean - 0.5) < 0.1


def test_the_transformer_wins_where_only_neighbours_tell() -> None:
    features, edges, signs, weights = ring()
    found = choose(features, edges, signs, weights, recipe=Recipe(width=32, epochs=40))
    assert found.manifold.method in ("transformer", "triangles") and found.comparison is not None
    score = {one.method: one for one in found.comparison.scores}
    assert score["transformer"].auc_random.mean > score["directed"].auc_random.mean + 0.1
    assert score["transformer"].direction.mean > 0.7 and score["embeddings"].direction.mean == 0.5
    assert "mean reciprocal rank" in found.reason and found.manifold.representation.shape == (300, 32)


def test_held_out_edges_do_not_reach_what_is_learned() -> None:
    features, edges, signs, weights = ring(nodes=120, count=500)
    kept = ~keep_back(edges, 0.2, 0)
    seen: list[int] = []

    def learnt(given_edges: NDArray[np.int64]) -> Manifold:
        seen.append(len(given_edges))
        return learn(features, given_edges, signs[kept], weights[kept], "triangles", recipe=QUICK)

    moved = edges.copy()
    moved[~kept] = moved[~kept][:, ::-1]
    np.testing.assert_array_equal(learnt(edges[kept]).representation, learnt(moved[kept]).representation)


@pytest.mark.parametrize("nodes", [0, 1, 2])
@pytest.mark.parametrize("method", METHODS)
def test_next_to_nothing(nodes: int, method: Method) -> None:
    features = np.eye(nodes, 24, dtype=np.float32)
    edges = np.array([[0, 1]] if nodes == 2 else [], dtype=np.int64).reshape(-1, 2)
    given_arrays = (features, edges, np.ones(len(edges), dtype=np.int8), np.ones(len(edges), dtype=np.float32))
    placed = learn(*given_arrays, method)
    assert len(placed.representation) == nodes and np.isfinite(placed.representation).all() and placed.epochs == 0
    found = choose(*given_arrays)
    assert found.comparison is None and "too few" in found.reason and found.manifold.method == "embeddings"


@pytest.mark.parametrize("method", METHODS)
def test_features_all_alike_or_nothing_and_nodes_alone(method: Method) -> None:
    features, edges, signs, weights = ring(nodes=120, count=300)
    features[:60], features[60:] = 1.0, 0.0
    alone = np.concatenate((features, features[:30]))
    placed = learn(alone, edges, signs, weights, method, recipe=QUICK)
    assert np.isfinite(placed.representation).all() and np.isfinite(placed.as_cause).all()
    comparison = compare(alone, edges, signs, weights, recipe=QUICK, methods=("embeddings", method))
    assert all(np.isfinite(score.mrr.mean) for score in comparison.scores)


def test_no_edges_leave_the_text() -> None:
    features = np.random.default_rng(0).standard_normal((50, 24)).astype(np.float32)
    none = np.empty((0, 2), dtype=np.int64), np.empty(0, dtype=np.int8), np.empty(0, dtype=np.float32)
    assert choose(features, *none).manifold.method == "embeddings"
    with pytest.raises(InputError, match="too few"):
        compare(features, *none)


def spoilt(field: int, change: Callable[[NDArray[np.float64]], object]) -> Arrays:
    made = [array.copy() for array in chance(nodes=20, count=60)]
    change(made[field])  # type: ignore[arg-type]
    return tuple(made)  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("field", "change", "said"),
    [
        (0, lambda x: x.__setitem__((7, 3), np.nan), "node 7"),
        (0, lambda x: x.__setitem__((0, 0), np.inf), "node 0"),
        (1, lambda x: x.__setitem__((0, 0), 20), "0 to 19"),
        (1, lambda x: x.__setitem__((0, 0), -1), "0 to 19"),
        (1, lambda x: x.__setitem__((0, 0), x[0, 1]), "itself"),
        (1, lambda x: x.__setitem__(0, x[1]), "twice"),
        (2, lambda x: x.__setitem__(0, 2), "sign"),
        (3, lambda x: x.__setitem__(0, 0), "weight"),
        (3, lambda x: x.__setitem__(0, np.nan), "weight"),
    ],
)
def test_what_is_no_graph_is_refused(field: int, change: Callable[[NDArray[np.float64]], object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        learn(*spoilt(field, change), "embeddings")


@pytest.mark.parametrize("wrong", range(4))
def test_arrays_of_the_wrong_form_are_refused(wrong: int) -> None:
    features, edges, signs, weights = chance(nodes=20, count=60)
    made: list[Any] = [
        (features[0], edges, signs, weights),
        (features, edges[:, 0], signs, weights),
        (features, edges.astype(float), signs, weights),
        (features, edges, signs[1:], weights),
    ]
    one, two, three, four = made[wrong]
    with pytest.raises(InputError):
        learn(one, two, three, four, "embeddings")
