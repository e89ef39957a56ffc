"""How well credibility tells edges that gold bears out from edges that it does not, and how well pairs are extracted.

    python benchmarks/credibility.py FOLDER INDEX SCORER [--folder KEPT] [--write agents/shipped/credibility.json]

FOLDER holds abstracts, INDEX their gold pairs of a chemical and a disease it induces (a JSON object a line: `id`,
`gold_causal_pairs` with `cause_mentions` and `effect_mentions`), SCORER is the script that scores predicted pairs of
documents; its function `hit` also decides here whether a phrase means a mention, loosely: one contains the other.

An edge is labelled if its concepts are a chemical and a disease, in either order, as far as mentions of the whole
index go; it holds if a document of one of its claims has that pair in gold. Edges that assert less of the effect are
left out: gold knows what a chemical induces, not what it relieves. All weights are fitted on four fifths of the edges
and judged on the rest, no document being in both. AUC compares edges of one fifth only, since each fifth has weights of
its own; intervals are bootstrapped over documents. With --write, weights fitted on all edges are written to a file.
"""

import argparse
import asyncio
import json
import runpy
import subprocess
import sys
import tempfile
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leucippus.agents.extract import extract
from leucippus.agents.extractors import connect_extractor
from leucippus.agents.weaving import weave_store
from leucippus.config import load_settings
from leucippus.graphs.credibility import (
    PRIORS,
    Weight,
    area_under_curve,
    brier,
    credibilities,
    expected_calibration_error,
    fit_weights,
    reliability,
)
from leucippus.serving.encoder import encode
from leucippus.store.database import Store, open_store
from leucippus.store.weave import FEATURES, weave

Floats = NDArray[np.float64]
FOLDS = 5
DRAWS = 1000
SEED = 7
NAMES = tuple(FEATURES)


@dataclass(frozen=True)
class Labelled:
    """Edges with a label, (edges, …). `edge`: their nodes; `group`: those of two groups share no document; `fold`: the
    fifth that a group is in."""

    features: Floats
    holds: NDArray[np.bool_]
    group: NDArray[np.int64]
    fold: NDArray[np.int64]
    edge: list[tuple[int, int]]
    left_out: Counter[str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("abstracts", type=Path, metavar="FOLDER")
    parser.add_argument("index", type=Path, metavar="INDEX")
    parser.add_argument("scorer", type=Path, metavar="SCORER")
    parser.add_argument("--folder", type=Path, default=None, help="where to keep the store; none = a temporary folder")
    parser.add_argument("--write", type=Path, default=None, help="file for the weights fitted on all edges")
    given = parser.parse_args()
    gold = {
        row["id"]: row["gold_causal_pairs"]
        for row in map(json.loads, given.index.read_text(encoding="utf-8").splitlines())
    }
    hit = runpy.run_path(str(given.scorer))["hit"]
    with tempfile.TemporaryDirectory() as temporary:
        path = (given.folder or Path(temporary)) / "credibility.duckdb"
        with open_store(path) as store:
            if not store.rows("SELECT 1 FROM runs WHERE status = 'finished' LIMIT 1"):
                asyncio.run(read(store, given.abstracts))
            named = weave_store(store, encode)
            woven = weave(store, {name: prior.mean for name, prior in PRIORS.items()})
            print(
                f"{len(gold)} documents, {named.echoes} of them echoes; {woven.claims} claims, {woven.edges} edges, "
                f"{named.merges.made} merges"
            )
            verbatim(store)
            quality(store, given.scorer, given.index, gold)
            found = label(store, gold, hit)
            scores = judge(store, found)
    show(found, scores)
    if given.write:
        write(given.write, found, scores["credibility"])


async def read(store: Store, folder: Path) -> None:
    settings = load_settings()
    extractor = connect_extractor(settings)
    try:
        await extract(store, extractor, [str(folder)], settings.extract)
    finally:
        await extractor.close()


def verbatim(store: Store) -> None:
    """The share of claims whose quote, cause and effect stand at their offsets, letter for letter."""
    ((claims, quotes, spans),) = store.rows(
        """
        SELECT count(*), count(*) FILTER (substring(text, start + 1, "end" - start) = quote),
               count(*) FILTER (substring(text, cause_start + 1, cause_end - cause_start) = cause
                                AND substring(text, effect_start + 1, effect_end - effect_start) = effect)
        FROM claims JOIN documents USING (document_id)
        """
    )
    scoped = store.rows(
        "SELECT evidence, count(*), count(population), count(place), count(period) FROM claims GROUP BY evidence ORDER BY 2 DESC"
    )
    print(f"verbatim at their offsets: {quotes} of {claims} quotes, {spans} of {claims} pairs of spans")
    print("evidence: claims (with population, place, period)")
    print("\n".join(f"  {kind}: {said} ({of}, {where}, {when})" for kind, said, of, where, when in scoped))


def quality(store: Store, scorer: Path, index: Path, gold: Mapping[str, Any]) -> None:
    """Precision, recall and F1 of pairs by the scorer: phrases as written, and concepts with all merges followed."""
    merged = store.rows("SELECT count(*) FROM merges WHERE undone_at IS NULL")[0][0]
    written, concepts, asserted = [
        store.rows(
            f"""
            SELECT uri, {cause}, {effect} FROM claims JOIN (
                SELECT document_id, min(uri) AS uri FROM sources GROUP BY document_id
            ) USING (document_id)
            JOIN meanings AS c ON c.concept_id = cause_concept JOIN concepts AS cn ON cn.concept_id = c.root_id
            JOIN meanings AS e ON e.concept_id = effect_concept JOIN concepts AS en ON en.concept_id = e.root_id
            WHERE {wanted}
            """
        )
        for cause, effect, wanted in (
            ("cause", "effect", "TRUE"),
            ("cn.name", "en.name", "TRUE"),
            ("cn.name", "en.name", "NOT negated AND c.root_id <> e.root_id"),
        )
    ]
    for words, rows in (
        ("as written", written),
        (f"as concepts ({merged} merges)", concepts),
        ("as concepts, denials and circles left out", asserted),
    ):
        pairs: dict[str, list[dict[str, str]]] = {document: [] for document in gold}
        for uri, cause, effect in rows:
            pairs[Path(uri).stem].append({"cause": cause, "effect": effect})
        with tempfile.TemporaryDirectory() as folder:
            predictions = Path(folder) / "predictions.jsonl"
            predictions.write_text(
                "\n".join(json.dumps({"id": document, "triples": found}) for document, found in pairs.items())
            )
            command = [sys.executable, str(scorer), str(predictions), "--gold", str(index)]
            scored = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        print(f"pairs {words}:\n  " + scored.strip().replace("\n", "\n  "))


def label(store: Store, gold: Mapping[str, Any], hit: Callable[[str, Sequence[str], bool], bool]) -> Labelled:
    chemicals = sorted({mention for pairs in gold.values() for pair in pairs for mention in pair["cause_mentions"]})
    diseases = sorted({mention for pairs in gold.values() for pair in pairs for mention in pair["effect_mentions"]})

    @cache
    def is_chemical(phrase: str) -> bool:
        return hit(phrase, chemicals, True)

    @cache
    def is_disease(phrase: str) -> bool:
        return hit(phrase, diseases, True)

    claims: dict[tuple[int, int], list[tuple[str, str, str]]] = {}
    for cause_node, effect_node, cause, effect, uri in store.rows(
        """
        SELECT cn.node, en.node, cause, effect, uri FROM claims
        JOIN (SELECT document_id, min(uri) AS uri FROM sources GROUP BY document_id) USING (document_id)
        JOIN meanings AS c ON c.concept_id = cause_concept JOIN nodes AS cn ON cn.concept_id = c.root_id
        JOIN meanings AS e ON e.concept_id = effect_concept JOIN nodes AS en ON en.concept_id = e.root_id
        WHERE cn.node <> en.node ORDER BY claim_id
        """
    ):
        claims.setdefault((cause_node, effect_node), []).append((Path(uri).stem, cause, effect))
    terms = ", ".join(f"({sql})::DOUBLE" for sql in FEATURES.values())
    rows = store.rows(
        f"SELECT cause, effect, negative > positive + unsigned, {terms} FROM edges ORDER BY cause, effect"
    )
    left_out: Counter[str] = Counter()
    features, holds, edge = [], [], []
    for cause_node, effect_node, lowers, *values in rows:
        said = claims[cause_node, effect_node]
        induces = any(is_chemical(cause) and is_disease(effect) for _, cause, effect in said)
        reversed_ = any(is_disease(cause) and is_chemical(effect) for _, cause, effect in said)
        if not (induces or reversed_):
            left_out["not of a chemical and a disease that gold knows"] += 1
        elif lowers:
            left_out["of a chemical and a disease, but says that it lowers"] += 1
        else:
            features.append(values)
            edge.append((cause_node, effect_node))
            holds.append(
                any(
                    hit(cause, pair["cause_mentions"], True) and hit(effect, pair["effect_mentions"], True)
                    for document, cause, effect in said
                    for pair in gold[document]
                )
            )
    groups = _groups([{document for document, _, _ in claims[one]} for one in edge])
    held = np.array(holds)
    return Labelled(np.array(features), held, groups, _folds(groups, held), edge, left_out)


def judge(store: Store, found: Labelled) -> dict[str, Floats]:
    """Scores of the labelled edges, none by weights that its documents had a part in. Each but the ego graphs' is the
    probability of a logistic regression on what it is called after, so that all can be compared as probabilities."""
    fold = found.fold
    claims, documents = (
        np.log(
            [
                store.rows(f"SELECT {column} FROM edges WHERE cause = ? AND effect = ?", list(one))[0][0]
                for one in found.edge
            ]
        )
        for column in ("claims", "documents")
    )
    confidence = found.features[:, NAMES.index("confidence")]
    scores = {"credibility": np.zeros(len(fold)), "prior weights alone": np.zeros(len(fold))}
    for held in range(FOLDS):
        weights = fit_weights(found.features[fold != held], found.holds[fold != held], NAMES)
        scores["credibility"][fold == held] = credibilities(found.features[fold == held], NAMES, values(weights))
    scores["prior weights alone"] = credibilities(found.features, NAMES, {n: p.mean for n, p in PRIORS.items()})
    for name, column in (
        ("number of claims", claims),
        ("number of documents", documents),
        ("mean confidence", confidence),
    ):
        scores[name] = _alone(column, found.holds, fold)
    ego = ego_graph_credibility(store)
    scores["ego graphs"] = np.array([ego.get(one, 0.0) for one in found.edge])
    scores["base rate"] = np.array([found.holds[fold != one].mean() for one in fold])
    return scores


def _alone(column: Floats, holds: NDArray[np.bool_], fold: NDArray[np.int64]) -> Floats:
    from sklearn.linear_model import LogisticRegression

    scores = np.zeros(len(fold))
    for held in range(FOLDS):
        model = LogisticRegression().fit(column[fold != held, None], holds[fold != held])
        scores[fold == held] = model.predict_proba(column[fold == held, None])[:, 1]
    return scores


def ego_graph_credibility(store: Store) -> dict[tuple[int, int], float]:
    """What the published pipeline calls credibility: how much weight the best of many neighbourhoods have that hold an
    edge. Neighbourhoods: of the 200 nodes of highest degree, within 1 to 3 steps, cut to their 10 to 60 nodes of
    highest degree. Score: sum of log(1 + claims) - 0.25 over edges; weights: softmax over the best five."""
    counts = {
        (cause, effect): claims for cause, effect, claims in store.rows("SELECT cause, effect, claims FROM edges")
    }
    following: dict[int, list[int]] = {}
    degree: Counter[int] = Counter()
    for cause, effect in counts:
        following.setdefault(cause, []).append(effect)
        degree.update((cause, effect))
    models: dict[frozenset[tuple[int, int]], float] = {}
    for focus in sorted(degree, key=lambda node: (-degree[node], node))[:200]:
        for radius in (1, 2, 3):
            near = _within(following, focus, radius)
            ranked = [focus, *sorted(near - {focus}, key=lambda node: (-degree[node], node))]
            for most in range(10, 61, 10):
                kept = set(ranked[:most])
                edges = frozenset((a, b) for a in kept for b in following.get(a, ()) if b in kept)
                models[edges] = sum(np.log1p(counts[edge]) - 0.25 for edge in edges)
    best = sorted(models.items(), key=lambda model: (-model[1], sorted(model[0])))[:5]
    weights = np.exp(np.array([score for _, score in best]) - best[0][1])
    credibility: dict[tuple[int, int], float] = {}
    for (edges, _), weight in zip(best, weights / weights.sum(), strict=True):
        for edge in edges:
            credibility[edge] = credibility.get(edge, 0.0) + float(weight)
    return credibility


def _within(following: Mapping[int, Sequence[int]], focus: int, radius: int) -> set[int]:
    seen, waiting = {focus}, deque([(focus, 0)])
    while waiting:
        node, steps = waiting.popleft()
        for other in following.get(node, ()) if steps < radius else ():
            if other not in seen:
                seen.add(other)
                waiting.append((other, steps + 1))
    return seen


def _groups(documents: Sequence[set[str]]) -> NDArray[np.int64]:
    """(edges,): the number of each edge's group; edges that share a document, also through others, are in one."""
    up: dict[str, str] = {}

    def root(one: str) -> str:
        while up.setdefault(one, one) != one:
            one = up[one]
        return one

    for shared in documents:
        first, *others = sorted(shared)
        for other in others:
            up[root(other)] = root(first)
    _, numbers = np.unique([root(min(shared)) for shared in documents], return_inverse=True)
    return np.asarray(numbers, dtype=np.int64)


def _folds(group: NDArray[np.int64], holds: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Groups dealt out in a fixed random order, each to the fold that is furthest behind with edges of its label."""
    dealt, fold = np.zeros((FOLDS, 2)), np.zeros(len(group), dtype=np.int64)
    share = np.array([1 - holds.mean(), holds.mean()])
    for one in np.random.default_rng(SEED).permutation(np.unique(group)):
        members = group == one
        counts = np.array([(members & ~holds).sum(), (members & holds).sum()])
        chosen = int((((dealt + counts) ** 2 - dealt**2) / share).sum(axis=1).argmin())
        fold[members] = chosen
        dealt[chosen] += counts
    return fold


def within_folds(found: Labelled, scores: Floats, rows: NDArray[np.intp] | slice = slice(None)) -> float:
    """P(an edge that holds scores above one of its own fold that does not)."""
    scores, holds, fold = scores[rows], found.holds[rows], found.fold[rows]
    total, pairs = 0.0, 0
    for one in range(FOLDS):
        held = holds[fold == one]
        weight = int(held.sum()) * int((~held).sum())
        total += weight * area_under_curve(scores[fold == one], held) if weight else 0.0
        pairs += weight
    return total / pairs if pairs else float("nan")


def interval(found: Labelled, measure: Callable[[NDArray[np.intp]], float]) -> tuple[float, float]:
    """95 % of bootstrap draws of groups."""
    random = np.random.default_rng(SEED)
    members = [np.flatnonzero(found.group == one) for one in np.unique(found.group)]
    drawn = [
        measure(np.concatenate([members[at] for at in random.integers(0, len(members), len(members))]))
        for _ in range(DRAWS)
    ]
    low, high = np.nanquantile(drawn, (0.025, 0.975))
    return float(low), float(high)


def _difference(found: Labelled, one: Floats, other: Floats, rows: NDArray[np.intp]) -> float:
    return within_folds(found, one, rows) - within_folds(found, other, rows)


def show(found: Labelled, scores: Mapping[str, Floats]) -> None:
    several = int((found.features[:, NAMES.index("sources")] > np.log(2) + 1e-9).sum())
    print(
        f"\n{len(found.holds)} labelled edges in {len(np.unique(found.group))} groups of documents, {found.holds.mean():.1%} hold, "
        f"{several} have several sources, {int((found.features[:, NAMES.index('denied')] > 0).sum())} are denied by a claim"
    )
    for reason, count in found.left_out.items():
        print(f"without a label: {count} {reason}")
    print("\n| score | AUC | Brier | ECE | AUC of credibility less this |\n|---|---|---|---|---|")
    ours = scores["credibility"]
    for name, one in scores.items():
        low, high = interval(found, partial(within_folds, found, one))
        less = interval(found, partial(_difference, found, ours, one))
        versus = "" if name == "credibility" else f"{less[0]:+.3f} to {less[1]:+.3f}"
        print(
            f"| {name} | {within_folds(found, one):.3f} ({low:.3f} to {high:.3f}) | {brier(one, found.holds):.3f}"
            f" | {expected_calibration_error(one, found.holds):.3f} | {versus} |"
        )
    print("\n| edges | credibility said | held |\n|---|---|---|")
    for part in reliability(ours, found.holds):
        print(f"| {part.edges} | {part.said:.3f} | {part.held:.3f} |")
    print("\n| feature | weight | from | edges with more of it than most |\n|---|---|---|---|")
    for name, weight in fit_weights(found.features, found.holds, NAMES).items():
        print(f"| {name} | {weight.value:+.3f} | {weight.origin} | {weight.more} |")


def values(weights: Mapping[str, Weight]) -> dict[str, float]:
    return {name: weight.value for name, weight in weights.items()}


def write(path: Path, found: Labelled, ours: Floats) -> None:
    """The weights with where each comes from, and what they are worth."""
    weights = fit_weights(found.features, found.holds, NAMES)
    made = {
        "about": (
            "Weights of the log odds that an edge holds. Those 'fitted' were fitted to whether gold bears out edges of 300 "
            "biomedical abstracts read by the packaged extractor; for those of 'prior' too few edges there have more of the feature than most, and they are beliefs, with "
            "their reason. How often edges hold at all differs between corpora: elsewhere take credibility as an order, "
            "and as a probability only after fitting 'one' anew."
        ),
        "edges": len(found.holds),
        "hold": round(float(found.holds.mean()), 3),
        "out_of_fold": {
            "auc": round(within_folds(found, ours), 3),
            "brier": round(brier(ours, found.holds), 3),
            "ece": round(expected_calibration_error(ours, found.holds), 3),
        },
        "weights": {
            name: {
                "value": weight.value,
                "origin": weight.origin,
                "more": weight.more,
                "prior": [PRIORS[name].mean, PRIORS[name].deviation],
                "why": PRIORS[name].why,
            }
            for name, weight in weights.items()
        },
    }
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
