"""A part of a store: its claims as values over canonical concepts, or the part as a store of its own.

A part is chosen by documents, by concepts and how far from them, or by the domain a model was asked about; with more
than one of these, by all of them. What the values come to together is for graphs/slices.py to say.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from leucippus.errors import InputError
from leucippus.store.database import Store, open_store
from leucippus.store.links import roots
from leucippus.store.triples import Evidence, Sign
from leucippus.store.write import rebuild_search_index

_FEW = 5
"""Names shown where one was not found."""
_LONGEST_NAME = 500
"""Characters of a name that is not found that are compared with those there are."""


@dataclass(frozen=True)
class Said:
    """One claim over canonical concepts, the turns of its phrases taken in. `source` is the document it counts as:
    that which its own document repeats, or its own."""

    cause: str
    effect: str
    sign: Sign
    negated: bool
    claim_id: str
    document_id: str
    source: str
    evidence: Evidence = Evidence.UNSTATED
    population: str | None = None
    place: str | None = None
    period: str | None = None
    quote: str = ""


@dataclass(frozen=True)
class Taken:
    """How much of a store went into a part of it."""

    path: Path
    documents: int
    passages: int
    claims: int
    concepts: int
    merges: int


@dataclass(frozen=True)
class _Choice:
    """Conditions on `documents` and on `claims`, in SQL of this module, and what they are given."""

    documents: str
    claims: str
    given: dict[str, Any]
    whole_documents: bool


def said(
    store: Store,
    *,
    documents: Sequence[str] | None = None,
    about: Sequence[str] | None = None,
    hops: int = 1,
    domain: str | None = None,
) -> list[Said]:
    """The claims of a part of the store, in the order of their ids; none of `documents`, `about`, `domain`: all.

    Concepts are as last woven; what is not woven yet means itself.

    Parameters
    ----------
    documents : ids, places where they were found, or patterns of places with * and ?.
    about : concept ids; claims that touch what these mean.
    hops : 2 = also claims that touch a neighbour of these, and so on.
    domain : a topic that a model was asked about; what it said of it and of the topics below.

    Raises
    ------
    InputError : a document, a concept or a domain is not in the store.
    """
    choice = _choice(store, documents, about, hops, domain)
    rows = store.rows(
        f"""
        WITH meant AS (
            SELECT concepts.concept_id, coalesce(canonical.name, concepts.name) AS name, coalesce(turn, 1) AS turn
            FROM concepts LEFT JOIN meanings USING (concept_id)
            LEFT JOIN concepts AS canonical ON canonical.concept_id = root_id
        )
        SELECT source.name, target.name,
               CASE sign WHEN '+' THEN 1 WHEN '-' THEN -1 ELSE 0 END * source.turn * target.turn,
               negated, claim_id, document_id, coalesce(origin_id, document_id), evidence, population, place, period,
               quote
        FROM (SELECT * FROM claims WHERE {choice.claims})
        JOIN meant AS source ON source.concept_id = cause_concept
        JOIN meant AS target ON target.concept_id = effect_concept
        LEFT JOIN echoes USING (document_id) ORDER BY claim_id
        """,
        choice.given,
    )
    signs = {1: Sign.POSITIVE, -1: Sign.NEGATIVE, 0: Sign.NONE}
    return [
        Said(cause, effect, signs[way], negated, claim_id, document_id, source, Evidence(evidence), *rest)
        for cause, effect, way, negated, claim_id, document_id, source, evidence, *rest in rows
    ]


def take_slice(
    store: Store,
    out: Path,
    *,
    documents: Sequence[str] | None = None,
    about: Sequence[str] | None = None,
    hops: int = 1,
    domain: str | None = None,
    force: bool = False,
) -> Taken:
    """Write a part of the store as a store of its own; parameters as `said`. It is still to be woven.

    By documents or domain it holds these whole, with every reading of them; with `about`, the claims alone and what
    they rest on. Merges come along as far as the concepts of the claims need them, what keeps these apart (merges
    undone) too.

    Raises
    ------
    InputError : as `said`; or nothing is chosen, or there is a file at `out` and `force` is not set.
    """
    if documents is None and about is None and domain is None:
        raise InputError(
            "Nothing says which part of the store to take.", expected="documents, concepts or a domain to take"
        )
    check_free(out, force)
    choice = _choice(store, documents, about, hops, domain)
    out.parent.mkdir(parents=True, exist_ok=True)
    # By way of Parquet: a store that is open for reading cannot write into another one.
    with TemporaryDirectory(dir=out.parent, prefix=f".{out.name[:50]}-") as folder:
        files = _dump(store, Path(folder).absolute(), choice)
        made = Path(folder) / "slice.duckdb"
        with open_store(made) as part:
            with part.transaction() as cursor:
                for table, file in files.items():
                    cursor.execute(f"INSERT INTO {table} BY NAME SELECT * FROM read_parquet(?)", [_as_pattern(file)])
            rebuild_search_index(part)
            counted = part.rows(
                "SELECT (SELECT count(*) FROM documents), (SELECT count(*) FROM passages),"
                " (SELECT count(*) FROM claims), (SELECT count(*) FROM concepts), (SELECT count(*) FROM merges)"
            )[0]
        put_store(made, out)
    return Taken(out, *counted)


def documents_named(store: Store, name: str) -> list[tuple[str, str]]:
    """(id, place) of the documents with this id, found at this place, or at a place that ends in it or matches it.

    The first of these that there are: "b.txt" is also "/a/b.txt" if there is no plain "b.txt".
    """
    within = "SELECT document_id, min(uri) FROM sources WHERE {} GROUP BY document_id ORDER BY 2, 1"
    for condition in (
        "document_id = $1",
        "uri = $1",
        "ends_with(uri, '/' || $1) OR starts_with(uri, $1 || '#')",
        "uri GLOB $1",
    ):
        if rows := store.rows(within.format(condition), [name]):
            return [(document_id, uri) for document_id, uri in rows]
    return [(name, "") for _ in store.rows("SELECT 1 FROM documents WHERE document_id = ?", [name])]


def unknown_document(store: Store, name: str) -> InputError:
    """The error for a name that no document has, with the places most like it."""
    near = store.rows(
        "SELECT uri FROM sources ORDER BY greatest(jaro_winkler_similarity(uri, $1),"
        " jaro_winkler_similarity(regexp_extract(uri, '[^/]*$'), $1)) DESC, uri LIMIT $2",
        [name[:_LONGEST_NAME], _FEW],
    )
    return InputError(
        f"There is no document {_short(name)!r} in {store.path}.",
        expected="the id of a document, or the place where it was found",
        next_step=f"Did you mean {', '.join(uri for (uri,) in near)}?" if near else "The store holds no documents.",
    )


def check_free(out: Path, force: bool) -> None:
    """Raise InputError if there is something at `out` and it must not be replaced."""
    if out.is_dir():
        raise InputError(f"{out} is a folder.", expected="a file", next_step=f"Name a file, e.g. {out}/part.duckdb.")
    if out.exists() and not force:
        raise InputError(f"There is a file at {out}.", next_step="Name another one, or say --force to replace it.")


def put_store(made: Path, out: Path) -> None:
    """Move a closed store into its place in one step."""
    # A log that another store left beside the file would be taken for this one's.
    Path(f"{out}.wal").unlink(missing_ok=True)
    os.replace(made, out)


def _choice(
    store: Store, documents: Sequence[str] | None, about: Sequence[str] | None, hops: int, domain: str | None
) -> _Choice:
    wanted, touching, given = ["TRUE"], ["TRUE"], dict[str, Any]()
    if documents is not None:
        wanted.append("document_id IN (SELECT unnest($documents::VARCHAR[]))")
        given["documents"] = _document_ids(store, documents)
    if domain is not None:
        wanted.append("document_id IN (SELECT unnest($said::VARCHAR[]))")
        given["said"] = _asked_about(store, domain)
    if about is not None:
        touching.append(
            "(cause_concept IN (SELECT unnest($phrases::VARCHAR[]))"
            " OR effect_concept IN (SELECT unnest($phrases::VARCHAR[])))"
        )
        given["phrases"] = _phrases(store, about, hops)
    return _Choice(" AND ".join(wanted), " AND ".join(wanted + touching), given, about is None)


def _document_ids(store: Store, names: Sequence[str]) -> list[str]:
    # Thousands of ids are looked up at once: one by one, each would be a scan.
    ids = {
        document_id
        for (document_id,) in store.rows(
            "SELECT document_id FROM documents WHERE document_id IN (SELECT unnest($1::VARCHAR[]))", [list(names)]
        )
    }
    found: dict[str, None] = {}
    for name in names:
        if name in ids:
            found[name] = None
            continue
        named = documents_named(store, name)
        if not named:
            raise unknown_document(store, name)
        found.update(dict.fromkeys(document_id for document_id, _ in named))
    return list(found)


def _asked_about(store: Store, domain: str) -> list[str]:
    rows = store.rows(
        "SELECT DISTINCT document_id FROM topics WHERE document_id IS NOT NULL"
        " AND list_contains(list_transform(path, lambda topic: lower(topic)), lower($1))",
        [domain],
    )
    if rows:
        return [document_id for (document_id,) in rows]
    asked = store.rows("SELECT DISTINCT path[1] FROM topics WHERE document_id IS NOT NULL ORDER BY 1 LIMIT 20")
    known = ", ".join(topic for (topic,) in asked)
    raise InputError(
        f"No model was asked about {_short(domain)!r} in {store.path}.",
        expected=f"one of {known}, or a topic below" if known else "a topic that a model was asked about",
        next_step="Documents that were read have no domain: choose them by where they are, or by concepts.",
    )


def _phrases(store: Store, about: Sequence[str], hops: int) -> list[str]:
    """The phrases that mean these concepts or what lies up to `hops - 1` claims away from them."""
    if hops < 1:
        raise InputError(f"hops = {hops}", expected="1 or more: the claims that touch the concepts")
    found = store.rows(
        "SELECT concept_id FROM concepts WHERE concept_id IN (SELECT unnest($1::VARCHAR[]))", [list(about)]
    )
    known = {concept for (concept,) in found}
    if unknown := [concept for concept in about if concept not in known]:
        raise InputError(
            f"There is no concept {', '.join(map(_short, unknown[:_FEW]))} in {store.path}.", expected="concept ids"
        )
    met = set(roots(store, about))
    phrases = """
        SELECT concept_id FROM concepts LEFT JOIN meanings USING (concept_id)
        WHERE coalesce(root_id, concept_id) IN (SELECT unnest($1::VARCHAR[]))
    """
    for _ in range(hops - 1):
        rows = store.rows(
            f"""
            WITH here AS MATERIALIZED ({phrases})
            SELECT DISTINCT coalesce(root_id, concept_id) FROM (
                SELECT cause_concept AS concept_id FROM claims WHERE effect_concept IN (FROM here)
                UNION SELECT effect_concept FROM claims WHERE cause_concept IN (FROM here)
            ) LEFT JOIN meanings USING (concept_id)
            """,
            [sorted(met)],
        )
        further = met | {concept for (concept,) in rows}
        if further == met:
            break
        met = further
    return [concept for (concept,) in store.rows(phrases, [sorted(met)])]


def _dump(store: Store, folder: Path, choice: _Choice) -> dict[str, Path]:
    """Every table's share of the part as a file. Later files are chosen by what earlier ones hold."""
    files: dict[str, Path] = {}

    def write(table: str, query: str, **given: Any) -> None:
        files[table] = folder / f"{table}.parquet"
        held = {f"{name}_file": _as_pattern(file) for name, file in files.items() if f"${name}_file" in query}
        # COPY takes no parameter for the name of its file.
        target = str(files[table]).replace("'", "''")
        store.rows(f"COPY ({query}) TO '{target}' (FORMAT parquet)", given | held)

    used = {name: value for name, value in choice.given.items() if f"${name}" in choice.documents}
    write("claims", f"SELECT * FROM claims WHERE {choice.claims}", **choice.given)
    if choice.whole_documents:
        write("documents", f"SELECT * FROM documents WHERE {choice.documents}", **used)
        write("passages", f"SELECT * FROM passages WHERE document_id IN {_held('document_id', 'documents')}")
    else:
        write("documents", f"SELECT * FROM documents WHERE document_id IN {_held('document_id', 'claims')}")
        write("passages", f"SELECT * FROM passages WHERE passage_id IN {_held('passage_id', 'claims')}")
    for table in ("sources", "echoes", "topics"):
        write(table, f"SELECT * FROM {table} WHERE document_id IN {_held('document_id', 'documents')}")
    write("readings", f"SELECT * FROM readings WHERE passage_id IN {_held('passage_id', 'passages')}")
    write("failures", f"SELECT * FROM failures WHERE item IN {_held('passage_id', 'passages')}")
    wrote = " OR ".join(f"run_id IN {_held('run_id', table)}" for table in ("claims", "readings", "failures", "topics"))
    write("runs", f"SELECT * FROM runs WHERE {wrote}")
    read = " OR ".join(f"reader_id IN {_held('reader_id', table)}" for table in ("claims", "readings", "runs"))
    write("readers", f"SELECT * FROM readers WHERE {read}")
    # Up the trees of merges from the phrases of the claims; and of the phrases once parted from a tree that is met so,
    # the way from them to its root, so that the two stay apart when the part is glued to another.
    write(
        "concepts",
        """
        WITH RECURSIVE up(concept_id) AS (
            SELECT cause_concept FROM read_parquet($claims_file)
            UNION SELECT effect_concept FROM read_parquet($claims_file)
            UNION SELECT into_id FROM up JOIN merges USING (concept_id) WHERE undone_at IS NULL
        ),
        parted(phrase, concept_id) AS (
            SELECT concept_id, concept_id FROM merges WHERE undone_at IS NOT NULL
            UNION SELECT into_id, into_id FROM merges WHERE undone_at IS NOT NULL
            UNION SELECT phrase, into_id FROM parted JOIN merges USING (concept_id) WHERE undone_at IS NULL
        ),
        kept AS (
            FROM up UNION SELECT concept_id FROM parted
            WHERE phrase IN (SELECT phrase FROM parted WHERE concept_id IN (FROM up))
        )
        SELECT * FROM concepts WHERE concept_id IN (FROM kept)
        """,
    )
    for table in ("aliases", "concept_vectors"):
        write(table, f"SELECT * FROM {table} WHERE concept_id IN {_held('concept_id', 'concepts')}")
    held = _held("concept_id", "concepts")
    write(
        "merges",
        f"SELECT * FROM merges WHERE concept_id IN {held} AND (undone_at IS NOT NULL OR into_id IN {held})"
        f" OR undone_at IS NOT NULL AND into_id IN {held}",
    )
    return files


def _held(column: str, table: str) -> str:
    return f"(SELECT {column} FROM read_parquet(${table}_file))"


def _as_pattern(file: Path) -> str:
    """A name as read_parquet takes it: it would see a pattern in [, * and ?."""
    return "".join(f"[{sign}]" if sign in "[*?" else sign for sign in str(file))


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:79]}…"
