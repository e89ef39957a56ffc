"""Where the concepts of a large causal model lie, and which domain each belongs to."""

from collections.abc import Sequence
from dataclasses import dataclass

from leucippus.store.database import Store


@dataclass(frozen=True)
class Place:
    """A concept's place on the flat map, its place in the one of three dimensions, and its domain."""

    concept_id: str
    flat: tuple[float, float]
    deep: tuple[float, float, float]
    domain: str


def record_places(store: Store, places: Sequence[Place]) -> None:
    """Write the map of the model, in place of the one before."""
    rows = [(place.concept_id, list(place.flat), list(place.deep), place.domain) for place in places]
    with store.transaction() as cursor:
        cursor.execute("DELETE FROM places")
        if rows:
            cursor.execute(
                "INSERT INTO places SELECT unnest($1::VARCHAR[]), unnest($2::FLOAT[2][]), unnest($3::FLOAT[3][]),"
                " unnest($4::VARCHAR[])",
                [list(column) for column in zip(*rows, strict=True)],
            )


def places(store: Store) -> list[Place]:
    """The map; empty where none was made."""
    rows = store.rows("SELECT concept_id, flat, deep, domain FROM places ORDER BY concept_id")
    return [Place(concept, tuple(flat), tuple(deep), domain) for concept, flat, deep, domain in rows]
