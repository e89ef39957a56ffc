"""Finding passages and concepts by words or by vectors. Read-only; knows no questions, only their words."""

from collections.abc import Sequence
from dataclasses import dataclass

from leucippus.store.concepts import concept_name, concept_words, singular
from leucippus.store.database import Store
from leucippus.store.triples import Passage

# Words that ask; they would match half of all concepts and say nothing about which one is meant.
_ASKING = frozenset({
    "a", "an", "and", "are", "as", "at", "be", "by", "can", "cause", "caused", "causes", "causing", "could",
    "did", "do", "does", "effect", "effects", "for", "from", "had", "has", "have", "how", "if", "in",
    "increase", "influence", "into", "is", "it", "lead", "leads", "of", "on", "or", "that", "the", "their",
    "there", "they", "this", "to", "was", "were", "what", "when", "which", "who", "why", "will", "with", "would",
})  # fmt: skip
_SHORTEST_PREFIX = 4


@dataclass(frozen=True)
class ConceptHit:
    """A concept that words or a vector led to. `score` orders hits of one call and compares with nothing else."""

    concept_id: str
    name: str
    claims: int
    score: float


@dataclass(frozen=True)
class PassageHit:
    """A passage with its document's title; `score` is BM25, or without an index the number of words found."""

    passage: Passage
    title: str
    score: float


def find_concepts(store: Store, text: str, limit: int = 10) -> list[ConceptHit]:
    """Concepts that the words of `text` may mean.

    First the one whose name or alias is `text`; then by words shared, fewest words left over, most claims. The start of
    a word counts as half the word, so "smok" finds "smoking". A score is words shared less a tenth of those left over.
    """
    name = concept_name(text)
    words = [word for word in concept_words(text) if word not in _ASKING] or list(concept_words(text))
    forms = sorted({form for word in words for form in (word, singular(word))})
    starts = sorted({word for word in words if len(word) >= _SHORTEST_PREFIX})
    rows = store.rows(
        """
        WITH matched AS (
            SELECT concept_id, alias = $name AS exact, string_split(alias, ' ') AS words,
                   list_count(list_filter(words, lambda w: list_contains($forms::VARCHAR[], w))) AS whole,
                   list_count(list_filter(words, lambda w: NOT list_contains($forms::VARCHAR[], w)
                       AND list_bool_or(list_transform($starts::VARCHAR[], lambda s: starts_with(w, s))))) AS begun,
                   whole + begun / 2 - (len(words) - whole - begun) / 10 AS score
            FROM aliases WHERE exact OR whole > 0 OR begun > 0
        ),
        best AS (SELECT concept_id, bool_or(exact) AS exact, max(score) AS score FROM matched GROUP BY concept_id),
        said AS (
            SELECT concept_id, count(*) AS claims FROM (
                SELECT cause_concept AS concept_id FROM claims
                UNION ALL SELECT effect_concept FROM claims WHERE effect_concept <> cause_concept
            ) WHERE concept_id IN (SELECT concept_id FROM best) GROUP BY concept_id
        )
        SELECT concept_id, name, coalesce(claims, 0) AS claims, score
        FROM best JOIN concepts USING (concept_id) LEFT JOIN said USING (concept_id)
        ORDER BY exact DESC, score DESC, claims DESC, concept_id LIMIT $limit
        """,
        {"name": name, "forms": forms, "starts": starts, "limit": limit},
    )
    return [ConceptHit(*row) for row in rows]


def search_passages(store: Store, text: str, limit: int = 10) -> list[PassageHit]:
    """Passages with the words of `text`, best first: by BM25 if every passage is indexed, else by words found."""
    if _is_indexed(store):
        found = "fts_main_passages.match_bm25(passage_id, $text)"
        given: dict[str, str | int | list[str]] = {"text": text}
    else:
        found = "nullif(list_count(list_filter($words::VARCHAR[], lambda w: contains(lower(text), w))), 0)"
        given = {"words": sorted(set(concept_words(text)) - _ASKING or set(concept_words(text)))}
    rows = store.rows(
        f"""
        WITH hits AS (
            SELECT * FROM (SELECT *, {found} AS score FROM passages)
            WHERE score IS NOT NULL ORDER BY score DESC, passage_id LIMIT $limit
        )
        SELECT passage_id, hits.document_id, start, "end", hits.text, coalesce(title, ''), score
        FROM hits LEFT JOIN documents USING (document_id) ORDER BY score DESC, passage_id
        """,
        given | {"limit": limit},
    )
    return [
        PassageHit(
            Passage(passage_id=passage_id, document_id=document_id, start=start, end=end, text=words), title, score
        )
        for passage_id, document_id, start, end, words, title, score in rows
    ]


def nearest_concepts(store: Store, vector: Sequence[float], limit: int = 10) -> list[ConceptHit]:
    """Concepts by the cosine of their vector with this one of 384 numbers; exact, by scanning all.

    The packaged HNSW index is not used. On 100,000 random vectors it took nine minutes to build, doubled the file and
    found 10 % of the ten nearest, to save 0.1 s a search; its storage is experimental.
    """
    rows = store.rows(
        """
        WITH near AS (
            SELECT concept_id, array_cosine_similarity(vector, $1::FLOAT[384]) AS score
            FROM concept_vectors ORDER BY score DESC, concept_id LIMIT $2
        )
        SELECT concept_id, name, (
            SELECT count(*) FROM claims WHERE near.concept_id IN (cause_concept, effect_concept)
        ), score
        FROM near JOIN concepts USING (concept_id) ORDER BY score DESC, concept_id
        """,
        [list(vector), limit],
    )
    return [ConceptHit(*row) for row in rows]


def _is_indexed(store: Store) -> bool:
    """Whether the index knows as many passages as there are; it does not follow what is written after it."""
    if not store.rows("SELECT 1 FROM duckdb_tables() WHERE schema_name = 'fts_main_passages' AND table_name = 'docs'"):
        return False
    return bool(
        store.rows("SELECT (SELECT count(*) FROM fts_main_passages.docs) = (SELECT count(*) FROM passages)")[0][0]
    )
