"""JOB map: a woven store → where its concepts lie, and the domains they fall into. Reads top to bottom.

What concepts mean (vectors of their names) is bettered by who drives whom, if that foretells edges held out better than
the names alone; the comparison is part of the result.
"""

from dataclasses import dataclass

import numpy as np

from leucippus.agents.weaving import add_vectors
from leucippus.errors import InputError
from leucippus.graphs.layout import clusters, lay_out
from leucippus.graphs.manifold import METHODS, Chosen, Method, choose
from leucippus.serving.encoder import Encode
from leucippus.store.database import Store
from leucippus.store.links import all_nodes
from leucippus.store.places import Place, record_places
from leucippus.store.query import concept_vectors


@dataclass(frozen=True)
class Mapped:
    """A map: how concepts were placed and why so, and the domains with their sizes, the largest first."""

    concepts: int
    chosen: Chosen
    drawn: str
    """umap or pca."""
    domains: tuple[tuple[str, int], ...]


def map_store(store: Store, encode: Encode, *, method: str | None = None) -> Mapped:
    """Place the concepts of the model and name its domains; written to the store.

    Parameters
    ----------
    method : one of `graphs.manifold.METHODS`; none = the best on edges held out, the plainest in doubt.

    Raises
    ------
    InputError : there is no such method, or the model is empty: nothing was woven.
    """
    methods: tuple[Method, ...] = METHODS if method is None else tuple(one for one in METHODS if one == method)
    if not methods:
        raise InputError(f"There is no method {method!r}.", expected=f"one of {', '.join(METHODS)}")
    nodes = all_nodes(store)
    if not nodes:
        raise InputError(
            "This store has no concepts to map.", next_step="Extract documents into it, then: leucippus lcm weave"
        )
    add_vectors(store, encode)
    vectors = concept_vectors(store)
    features = np.stack([vectors[node.concept_id] for node in nodes])
    found = store.columns("SELECT cause, effect, positive, negative, credibility FROM edges ORDER BY cause, effect")
    edges = np.stack([found["cause"], found["effect"]], axis=1).astype(np.int64)
    signs = np.sign(found["positive"].astype(np.int64) - found["negative"].astype(np.int64)).astype(np.int8)
    weights = np.maximum(found["credibility"].astype(np.float32), np.float32(1e-3))
    chosen = choose(features, edges, signs, weights, methods=methods)
    shown = chosen.manifold.representation
    flat, deep = lay_out(shown), lay_out(shown, dimensions=3)
    domains = clusters(shown, [node.name for node in nodes])
    domain = {int(member): one.name for one in domains for member in one.members}
    record_places(
        store,
        [
            Place(node.concept_id, (float(x), float(y)), (float(u), float(v), float(w)), domain[at])
            for at, (node, (x, y), (u, v, w)) in enumerate(zip(nodes, flat.places, deep.places, strict=True))
        ],
    )
    sizes = sorted(((one.name, len(one.members)) for one in domains), key=lambda one: (-one[1], one[0]))
    return Mapped(len(nodes), chosen, flat.method, tuple(sizes))
