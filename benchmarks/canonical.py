"""One vocabulary: how many names are merged wrongly or missed, and how time grows with their number.

    PYTHONPATH=. python benchmarks/canonical.py --gold INDEX.jsonl --texts FOLDER
    PYTHONPATH=. python benchmarks/canonical.py --choose
    PYTHONPATH=. nice -n 10 python benchmarks/canonical.py --grow 10000 100000 1000000 --vectors

--gold: a JSONL file of documents with `gold_causal_pairs`, whose `cause_mentions` and `effect_mentions` are the names one
entity has in one document. Entities of several documents are taken for one if they share a name. Two mentions of one
entity should end up together, two of different entities should not. Many aliases cannot be known from their strings
(synonyms, trade names), so no method that reads names alone can find all; --texts adds the abbreviations they define.

--choose: the thresholds, on the pairs written for the project in tests/graphs/name_pairs.py.

--grow: invented names with known duplicates. With --vectors, random ones, near each other for duplicates: encoding is
timed apart, on 2,000 names with the packaged encoder.
"""

import argparse
import json
import math
import resource
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from leucippus.graphs.abbreviations import unambiguous
from leucippus.graphs.canonical import Proposal, propose
from leucippus.graphs.normal import normal_form
from leucippus.graphs.wording import conflict, plain_words, same_thing, slips, stem
from leucippus.serving.encoder import encode
from leucippus.store.concepts import concept_name
from leucippus.store.merges import Merge
from tests.graphs import name_pairs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gold", type=Path, default=None)
    parser.add_argument("--texts", type=Path, default=None, help="the folder of the documents' .txt files")
    parser.add_argument("--examples", type=int, default=12, help="errors of each kind that are shown")
    parser.add_argument("--choose", action="store_true")
    parser.add_argument("--grow", type=int, nargs="*", default=[])
    parser.add_argument("--vectors", action="store_true")
    given = parser.parse_args()
    if given.gold:
        quality(given.gold, given.texts, given.examples)
    if given.choose:
        choose()
    if given.grow:
        grow(given.grow, given.vectors)


# --- wrong and missed, against gold aliases -----------------------------------------------------------------------------


def quality(index: Path, folder: Path | None, examples: int) -> None:
    gold, counts = gold_clusters(index)
    names: dict[str, int] = defaultdict(int)
    for mention, times in counts.items():
        names[concept_name(mention)] += times
    listed = sorted(names)
    frequent = [names[name] for name in listed]
    texts = [path.read_text(errors="replace") for path in sorted(folder.glob("*.txt"))] if folder else []
    abbreviations = unambiguous(texts)
    vectors = encode(listed)
    print(
        f"{len(gold)} mentions, {len(listed)} names, {len(set(gold.values()))} entities; {len(abbreviations)} abbreviations"
    )
    stages: list[tuple[str, Proposal]] = [
        ("names alone", Proposal((), ())),
        ("+ rules", propose(listed, frequent)),
        ("+ abbreviations", propose(listed, frequent, None, abbreviations)),
        ("+ vectors", propose(listed, frequent, vectors, abbreviations)),
    ]
    print("| | pairs joined | wrong | precision | recall | B³ precision | B³ recall | B³ F1 |")
    print("|---|---|---|---|---|---|---|---|")
    found: dict[str, str] = {}
    for stage, proposal in stages:
        found = clusters(list(gold), proposal.merges)
        joined, wrong, missed = errors(gold, found)
        precision, recall = b_cubed(gold, found)
        right = len(joined) - len(wrong)
        print(
            f"| {stage} | {len(joined)} | {len(wrong)} | {right / max(len(joined), 1):.3f} |"
            f" {right / (right + len(missed)):.3f} | {precision:.3f} | {recall:.3f} |"
            f" {2 * precision * recall / (precision + recall):.3f} |"
        )
    proposal = stages[-1][1]
    _, wrong, missed = errors(gold, found)
    print(f"merges by method: {dict(Counter(merge.method for merge in proposal.merges))}")
    print(f"doubtful pairs: {len(proposal.doubtful)}, of which one entity: {same_entity(gold, proposal)}")
    why = {merge.name: merge for merge in proposal.merges}
    print(f"\nMerged wrongly ({len(wrong)} pairs of mentions):")
    shown = {tuple(sorted(map(concept_name, pair))) for pair in wrong}
    for one, other in sorted(shown)[:examples]:
        reasons = [f"{why[name].method}: {why[name].reason}" for name in (one, other) if name in why]
        print(f"  {one!r} and {other!r} ({'; '.join(reasons)})")
    print(f"\nMissed ({len(missed)} pairs of mentions):")
    kept = sorted({tuple(sorted(map(concept_name, pair))) for pair in missed})
    for one, other in kept[:: max(len(kept) // max(examples, 1), 1)][:examples]:
        print(f"  {one!r} and {other!r}")
    words = [set(plain_words(one)) & set(plain_words(other)) for one, other in kept]
    print(f"  of {len(kept)} pairs of names, {sum(not shared for shared in words)} have no word in common")


def gold_clusters(index: Path) -> tuple[dict[str, str], Counter[str]]:
    """Mention → its entity, called by one of its names; and in how many documents each mention stands."""
    up: dict[str, str] = {}

    def root(name: str) -> str:
        while up.setdefault(name, name) != name:
            name = up[name]
        return name

    counts: Counter[str] = Counter()
    mentions: set[str] = set()
    for line in index.read_text().splitlines():
        seen: set[str] = set()
        for pair in json.loads(line).get("gold_causal_pairs", []):
            for side in ("cause_mentions", "effect_mentions"):
                names = [mention for mention in pair[side] if concept_name(mention)]
                seen.update(names)
                for name in names:
                    up[root(concept_name(name))] = root(concept_name(names[0]))
        counts.update(seen)
        mentions |= seen
    return {mention: root(concept_name(mention)) for mention in sorted(mentions)}, counts


def clusters(mentions: Sequence[str], merges: Sequence[Merge]) -> dict[str, str]:
    """Mention → the concept it means; more of X and less of X are two."""
    up = {merge.name: merge for merge in merges}
    found = {}
    for mention in mentions:
        name, turn = concept_name(mention), 1
        while name in up:
            name, turn = up[name].into, turn * up[name].turn
        found[mention] = name if turn > 0 else f"less: {name}"
    return found


def errors(
    gold: Mapping[str, str], found: Mapping[str, str]
) -> tuple[set[tuple[str, str]], set[tuple[str, str]], set[tuple[str, str]]]:
    """Pairs of mentions joined; those joined wrongly; those that should have been joined and are not."""
    joined, wanted = pairs(found), pairs(gold)
    return joined, joined - wanted, wanted - joined


def pairs(cluster: Mapping[str, str]) -> set[tuple[str, str]]:
    members: dict[str, list[str]] = defaultdict(list)
    for mention in sorted(cluster):
        members[cluster[mention]].append(mention)
    return {pair for group in members.values() for pair in combinations(group, 2)}


def b_cubed(gold: Mapping[str, str], found: Mapping[str, str]) -> tuple[float, float]:
    """Mean over mentions of the share of its cluster that is of its entity, and of its entity that is in its cluster."""
    both = Counter((gold[mention], found[mention]) for mention in gold)
    entity, cluster = Counter(gold.values()), Counter(found.values())
    precision = sum(times**2 / cluster[of] for (_, of), times in both.items())
    recall = sum(times**2 / entity[of] for (of, _), times in both.items())
    return precision / len(gold), recall / len(gold)


def same_entity(gold: Mapping[str, str], proposal: Proposal) -> int:
    of = {concept_name(mention): entity for mention, entity in gold.items()}
    return sum(of[pair.name] == of[pair.into] for pair in proposal.doubtful if pair.name in of and pair.into in of)


# --- thresholds ---------------------------------------------------------------------------------------------------------


def choose() -> None:
    same, other = name_pairs.SAME_FORMS, name_pairs.OTHER_FORMS + name_pairs.OPPOSITES
    sweep("forms of the same words", forms(same), forms(other))
    same, other = name_pairs.SAME_SLIPS, name_pairs.OTHER_SLIPS + name_pairs.OPPOSITES
    sweep("slips", slipped(same), slipped(other))
    close = [cosine(*map(cored, pair)) for pair in name_pairs.pairs(name_pairs.SYNONYMS)]
    print("synonyms above 0.5, 0.6, 0.7, 0.8:", [sum(one >= least for one in close) for least in (0.5, 0.6, 0.7, 0.8)])


def cored(name: str) -> str:
    return normal_form(concept_name(name)).core


def cosine(one: str, other: str) -> float:
    vectors = encode([one, other])
    return float(vectors[0] @ vectors[1])


def forms(block: str) -> list[float]:
    """Cosines of those pairs that the words would let join, one thing in two words apart; -1 for the others."""
    found = []
    for one, other in name_pairs.pairs(block):
        here, there = plain_words(cored(one)), plain_words(cored(other))
        alike = [*map(stem, here)] == [*map(stem, there)] and conflict(here, there) is None
        thing = alike and [*map(same_thing, here)] == [*map(same_thing, there)]
        if not thing:
            found.append(cosine(cored(one), cored(other)) if alike else -1.0)
    return found


def slipped(block: str) -> list[float]:
    found = []
    for one, other in name_pairs.pairs(block):
        here, there = plain_words(cored(one)), plain_words(cored(other))
        meant = slips({word: 9.0 if word in here else 1.0 for word in (*here, *there)}, times=5.0)
        alike = tuple(meant.get(word, word) for word in there) == here and conflict(here, there) is None
        found.append(cosine(cored(one), cored(other)) if alike else -1.0)
    return found


def sweep(what: str, same: Sequence[float], other: Sequence[float]) -> None:
    print(f"\n{what}: {len(same)} pairs that mean the same, {len(other)} that do not")
    print("| least cosine | of the same joined | of the others joined |\n|---|---|---|")
    for least in (0.0, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.88, 0.9, 0.92, 0.94, 0.96):
        print(f"| {least} | {sum(one >= least for one in same)} | {sum(one >= least for one in other)} |")


# --- growth -------------------------------------------------------------------------------------------------------------

_BEGIN = tuple("b br c cl d dr f fl g gr h k l m n p pl pr r s st t tr v".split())
_VOWEL = tuple("a e i o u ai ea ou".split())
_END = tuple("l n r st nd m rt ck".split())
_CHANGED: tuple[tuple[str, Callable[[str, str], str]], ...] = (
    ("order", lambda first, last: f"{last} of {first}"),
    ("plural", lambda first, last: f"{first}s {last}"),
    ("rise", lambda first, last: f"rise in {first} {last}"),
    ("lack", lambda first, last: f"lack of {first} {last}"),
    ("spacing", lambda first, last: f"{first}{last}"),
    ("slip", lambda first, last: f"{first[:3]}{first[4:]} {last}"),
)


def invented(count: int, seed: int) -> Iterator[tuple[str, str, str]]:
    """(name, the name it should be merged into or itself, kind of duplicate), a fifth of them duplicates."""
    random = np.random.default_rng(seed)
    words = sorted({word_of(random) for _ in range(2 * int(40 * math.sqrt(count)))})[: int(40 * math.sqrt(count))]
    random.shuffle(words)
    made = 0
    seen: set[str] = set()
    while made < count:
        first, last = (words[int(at)] for at in random.random(2) ** 2 * len(words))
        name = concept_name(f"{first} {last}")
        if name in seen:
            continue
        seen.add(name)
        made += 1
        yield name, name, ""
        if random.random() < 0.25 and made < count:
            kind, change = _CHANGED[int(random.integers(len(_CHANGED)))]
            other = concept_name(change(first, last))
            if other not in seen:
                seen.add(other)
                made += 1
                yield other, name, kind


def word_of(random: np.random.Generator) -> str:
    pieces = [
        _BEGIN[random.integers(len(_BEGIN))] + _VOWEL[random.integers(len(_VOWEL))]
        for _ in range(int(random.integers(3, 5)))
    ]
    return "".join(pieces) + _END[random.integers(len(_END))]


def grow(sizes: Sequence[int], with_vectors: bool) -> None:
    if with_vectors:
        sample = [name for name, _, _ in invented(2000, 0)]
        encode(sample[:64])
        began = time.process_time()
        encode(sample)
        spent = time.process_time() - began
        print(f"encoding: {len(sample) / spent:,.0f} names a second of processor time, apart from what follows")
    print("| names | processor seconds | names a second | peak MB | merges | wrong | found |")
    print("|---|---|---|---|---|---|---|")
    took = []
    for size in sizes:
        rows = list(invented(size, 1))
        names = [name for name, _, _ in rows]
        target = {name: into for name, into, _ in rows}
        counts = [20 if name == into else 1 for name, into, _ in rows]
        vectors = near_vectors(rows) if with_vectors else None
        normal_form.cache_clear()
        began = time.process_time()
        proposal = propose(names, counts, vectors)
        took.append(time.process_time() - began)
        root = clusters(names, proposal.merges)
        kinds, found = Counter(kind for _, _, kind in rows if kind), Counter[str]()
        for name, into, kind in rows:
            if kind and root[name] in (root[into], f"less: {root[into]}"):
                found[kind] += 1
        wrong = sum(target.get(merge.name, "") != target.get(merge.into, merge.into) for merge in proposal.merges)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        shares = ", ".join(f"{kind} {found[kind] / times:.2f}" for kind, times in sorted(kinds.items()))
        print(
            f"| {size:,} | {took[-1]:.1f} | {size / took[-1]:,.0f} | {peak:,.0f} | {len(proposal.merges):,} |"
            f" {wrong} | {shares} |",
            flush=True,
        )
    if len(sizes) > 1:
        slope = np.polyfit(np.log(sizes), np.log(took), 1)[0]
        print(f"processor seconds grow as names to the power of {slope:.2f}")


def near_vectors(rows: Sequence[tuple[str, str, str]]) -> NDArray[np.float32]:
    """Random unit vectors; a duplicate's has a cosine of about 0.9 with that of its original, which comes before it."""
    random = np.random.default_rng(2)
    vectors = random.standard_normal((len(rows), 384), dtype=np.float32)
    for at, (name, into, _) in enumerate(rows):
        if name != into:
            vectors[at] = vectors[at - 1] + 0.45 * vectors[at]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


if __name__ == "__main__":
    main()
