"""Pictures and clusters: the same each time, close things close, every name its own."""

import numpy as np
import pytest
from numpy.typing import NDArray

from leucippus.errors import InputError
from leucippus.graphs.layout import FEWEST_FOR_UMAP, clusters, lay_out
from leucippus.serving.encoder import encode

TOPICS = (
    (
        "high blood pressure|raised blood pressure|blood pressure drops|low blood pressure|arterial blood pressure"
        "|blood pressure control|elevated blood pressure|systolic blood pressure|stable blood pressure|blood pressure spikes"
    ),
    (
        "interest rate hike|higher interest rates|interest rate cuts|central bank interest rates|mortgage interest rates"
        "|falling interest rates|interest rates on loans|rising interest rate|policy interest rate|interest rate risk"
    ),
    (
        "forest fire|wildfire smoke|forest fires in summer|burning forest|forest fire damage|uncontrolled forest fire"
        "|large forest fires|forest fire season|spreading forest fire|forest fire prevention"
    ),
)
NAMES = [name for topic in TOPICS for name in topic.split("|")]
TOPIC = np.repeat(np.arange(3), 10)


@pytest.fixture(scope="module")
def vectors() -> NDArray[np.float32]:
    return encode(NAMES)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_what_is_alike_lies_close_and_each_picture_is_the_same(vectors: NDArray[np.float32], dimensions: int) -> None:
    first, second = lay_out(vectors, dimensions=dimensions), lay_out(vectors, dimensions=dimensions)
    assert first.method == "umap" and first.places.shape == (30, dimensions)
    np.testing.assert_array_equal(first.places, second.places)
    apart = np.linalg.norm(first.places[:, None] - first.places[None, :], axis=2)
    np.fill_diagonal(apart, np.inf)
    assert (TOPIC[apart.argmin(axis=1)] == TOPIC).mean() > 0.9
    assert np.linalg.norm(first.places, axis=1).max() == pytest.approx(1, abs=1e-5)


def test_clusters_are_the_topics_and_named_by_their_words(vectors: NDArray[np.float32]) -> None:
    found = clusters(vectors, NAMES, count=3)
    assert sorted(tuple(TOPIC[cluster.members]) for cluster in found) == [(at,) * 10 for at in range(3)]
    said = {int(TOPIC[cluster.central]): cluster.name for cluster in found}
    assert "blood" in said[0] and "interest" in said[1] and "forest" in said[2]
    again = clusters(vectors, NAMES, count=3)
    assert [(one.name, one.members.tolist()) for one in found] == [(one.name, one.members.tolist()) for one in again]


def test_everyone_is_in_one_cluster_and_no_name_is_given_twice() -> None:
    random = np.random.default_rng(0)
    names = [f"{random.choice(['rain', 'heat'])} {random.choice(['loss', 'gain'])} {at}" for at in range(400)]
    found = clusters(random.standard_normal((400, 16)).astype(np.float32), names, count=50)
    assert sorted(at for cluster in found for at in cluster.members.tolist()) == list(range(400))
    assert len({cluster.name for cluster in found}) == len(found)
    assert all(cluster.central in cluster.members for cluster in found)


@pytest.mark.parametrize("count", [0, 1, 2, FEWEST_FOR_UMAP - 1, FEWEST_FOR_UMAP, FEWEST_FOR_UMAP + 1])
@pytest.mark.parametrize("dimensions", [2, 3])
def test_few_concepts(count: int, dimensions: int) -> None:
    rows = np.random.default_rng(1).standard_normal((count, 8)).astype(np.float32)
    drawn = lay_out(rows, dimensions=dimensions)
    assert drawn.places.shape == (count, dimensions) and np.isfinite(drawn.places).all()
    assert drawn.method == ("umap" if count >= FEWEST_FOR_UMAP else "pca")
    found = clusters(rows, [f"thing {at}" for at in range(count)])
    assert sum(len(cluster.members) for cluster in found) == count and all(cluster.name for cluster in found)


def test_concepts_all_alike_lie_on_one_spot_in_one_cluster() -> None:
    rows = np.ones((50, 8), dtype=np.float32)
    assert not lay_out(rows).places.any()
    assert len(clusters(rows, ["same"] * 50, count=5)) == 1


def test_concepts_without_features_do_not_stop_the_picture() -> None:
    rows = np.random.default_rng(2).standard_normal((40, 8)).astype(np.float32)
    rows[:5] = 0
    assert np.isfinite(lay_out(rows).places).all()


def test_names_of_any_kind_are_taken() -> None:
    names = ["", "…", "的影响", "x" * 1_000_000, "ضغط الدم", "the", "and", "1", "2", "𝔘nicode\x00"] * 2
    rows = np.random.default_rng(3).standard_normal((20, 8)).astype(np.float32)
    found = clusters(rows, names, count=8)
    assert len({cluster.name for cluster in found}) == len(found) and all(len(one.name) < 300 for one in found)


@pytest.mark.parametrize(
    ("rows", "names"),
    [
        (np.full((3, 4), np.nan, dtype=np.float32), ["a", "b", "c"]),
        (np.zeros((3, 4), dtype=np.float32), ["a"]),
        (np.zeros(4, dtype=np.float32), ["a"]),
    ],
)
def test_what_cannot_be_drawn_is_refused(rows: NDArray[np.float32], names: list[str]) -> None:
    with pytest.raises(InputError):
        clusters(rows, names)
    if np.isnan(rows).any():
        with pytest.raises(InputError, match="Row 0"):
            lay_out(rows)


def test_four_dimensions_are_refused(vectors: NDArray[np.float32]) -> None:
    with pytest.raises(InputError, match="4 dimensions"):
        lay_out(vectors, dimensions=4)
