"""Which expressions are anchors, and where their two sides are."""

import pytest

from leucippus.agents.anchors import anchors


def sides(text: str) -> list[tuple[str, str, str]]:
    """(expression, cause window, effect window), trimmed."""
    return [
        (text[slice(*anchor.cue)], text[slice(*anchor.cause)].strip(" ,"), text[slice(*anchor.effect)].strip(" ,."))
        for anchor in anchors(text)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Heavy rain caused flooding.", [("caused", "Heavy rain", "flooding")]),
        ("The outage was caused by a fault.", [("was caused by", "a fault.", "The outage")]),
        ("Because the pump failed, the cellar flooded.", [("Because", "the pump failed", "the cellar flooded")]),
        ("It rained. As a result, the road was closed.", [("As a result", "It rained.", "the road was closed")]),
        ("Traffic is the main cause of smog.", [("cause of", "Traffic", "smog")]),
        ("He said that rain causes delays.", [("causes", "rain", "delays")]),
        ("Note: rain causes delays.", [("causes", "rain", "delays")]),
        (
            "Rain caused flooding, which led to outages.",
            [("caused", "Rain", "flooding, which led to outages"), ("led to", "flooding, which", "outages")],
        ),
        (
            "The tax reduced smoking and increased revenue.",
            [("reduced", "The tax", "smoking and increased revenue"), ("increased", "The tax", "revenue")],
        ),
        ("Storms led to delayed flights.", [("led to", "Storms", "delayed flights")]),
    ],
)
def test_the_sides_of_an_expression(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert sides(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Line 4 stops at the gate.",
        "Please drive slowly.",
        "Blocked drains were reported.",
        "Raised beds are for sale.",
        "The talk is at nine.",
        "After the match the crowd left.",
        "",
    ],
)
def test_no_anchor_where_a_side_is_missing(text: str) -> None:
    assert sides(text) == []


def test_the_comma_of_a_number_parts_nothing() -> None:
    assert sides("Because 1,200 homes lost power, schools closed.") == [
        ("Because", "1,200 homes lost power", "schools closed")
    ]
