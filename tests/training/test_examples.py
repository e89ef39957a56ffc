"""From rows of a file to examples with offsets: what is taken, what is left out, and where spans are found."""

import json
from pathlib import Path
from typing import Any

import pytest

from leucippus.errors import InputError
from leucippus.store.triples import Sign
from leucippus.training.examples import (
    LICENSED,
    Example,
    Mark,
    Span,
    apart,
    fingerprint,
    joined,
    never_learned,
    public,
    written,
)

SOURCE = next(iter(LICENSED))
FLOOD = Example(
    "The flood killed the crops",
    (Mark((0, 9), (17, 26), (10, 16), Sign.POSITIVE, False, False),),
    "written",
)
QUEUES = Example(
    "Queues grew because staff were ill!",
    (Mark((20, 34), (0, 11), (12, 19), Sign.POSITIVE, False, True),),
    "written",
)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of this test's own, without anything that must not be learned."""
    monkeypatch.setattr("leucippus.training.examples.DATA", tmp_path)
    (tmp_path / "never_learned.txt").write_text("")
    return tmp_path


def _claim(cause: str, effect: str, relation: str = "", **more: Any) -> dict[str, Any]:
    return {
        "cause": cause,
        "effect": effect,
        "relation": relation,
        "sign": "+",
        "negated": False,
        "hedged": False,
    } | more


def _own(data: Path, text: str, *claims: dict[str, Any]) -> Example:
    """What `written` makes of one row."""
    (data / "written.jsonl").write_text(json.dumps({"text": text, "claims": claims}) + "\n")
    (example,) = written()
    return example


def _public(data: Path, *rows: tuple[str, str, str, str]) -> list[Example]:
    """What `public` makes of rows of (text, source, cause, effect)."""
    path = data / "public.jsonl"
    path.write_text(
        "".join(
            json.dumps({"text": text, "source": source, "triples": [{"cause": cause, "effect": effect}]}) + "\n"
            for text, source, cause, effect in rows
        )
    )
    return public(path)


def _words(example: Example) -> list[tuple[str, str, str | None]]:
    return [
        (
            example.text[slice(*m.cause)],
            example.text[slice(*m.effect)],
            example.text[slice(*m.link)] if m.link else None,
        )
        for m in example.marks
    ]


def _texts(count: int) -> list[Example]:
    return [Example(f"Sentence number {i} says nothing.", (), "written") for i in range(count)]


def test_a_written_row_becomes_spans_and_what_is_said_of_them(data: Path) -> None:
    claim = _claim("rain", "floods", "did not cause", sign="-", negated=True, hedged=True)
    example = _own(data, "Heavy rain did not cause floods.", claim)
    assert example == Example(
        "Heavy rain did not cause floods.", (Mark((6, 10), (25, 31), (11, 24), Sign.NEGATIVE, True, True),), "written"
    )
    assert example.fully_annotated


def test_the_written_sentences_and_those_measured_with_are_different_files() -> None:
    assert len(written()) > len(written("heldout")) > 0
    assert not {example.text for example in written()} & {example.text for example in written("heldout")}


def test_without_a_place_the_first_occurrence_is_meant(data: Path) -> None:
    assert _own(data, "Ice, ice caused ice.", _claim("ice", "caused")).marks[0].cause == (5, 8)


@pytest.mark.parametrize(("n", "start"), [(1, 0), (2, 9), (3, 26)])
def test_a_place_says_which_occurrence_is_meant(data: Path, n: int, start: int) -> None:
    text = "the fog, the fog and then the fog: delays here, delays there"
    cause = _own(data, text, _claim("the fog", "delays", cause_at=n)).marks[0].cause
    effect = _own(data, text, _claim("delays", "the fog", effect_at=n)).marks[0].effect
    assert cause == effect == (start, start + 7)


def test_linking_words_are_those_nearest_to_the_two_spans_and_outside_of_them(data: Path) -> None:
    text = "As the crew slept as logs, the boat sank, as nobody was on watch, as I said."
    example = _own(data, text, _claim("nobody was on watch", "the boat sank", "as"))
    assert example.marks[0].link == (text.index("as nobody"), text.index("as nobody") + 2)
    inside = _own(data, "Rain fell and so the river so rose", _claim("Rain fell", "the river so rose", "so"))
    assert inside.marks[0].link == (14, 16)


@pytest.mark.parametrize(("relation", "effect"), [("", "floods"), ("caused", "caused floods")])
def test_there_are_no_linking_words_where_none_stand_outside_the_spans(data: Path, relation: str, effect: str) -> None:
    assert _own(data, "Rain caused floods.", _claim("Rain", effect, relation)).marks[0].link is None


def test_linking_words_are_whole_words(data: Path) -> None:
    text = "How long it lasts depends on the age of the donor and on how fast it heals."
    example = _own(data, text, _claim("how fast it heals", "How long it lasts", "on"))
    assert example.marks[0].link in {(26, 28), (54, 56)}


def test_only_licensed_sources_are_learned_from(data: Path) -> None:
    rows = [(f"Rain number {i} caused floods.", source, "Rain", "floods") for i, source in enumerate(LICENSED)]
    examples = _public(data, *rows, ("Frost caused losses.", "some_other_corpus", "Frost", "losses"))
    assert [example.source for example in examples] == list(LICENSED)


def test_public_rows_teach_spans_alone(data: Path) -> None:
    (example,) = _public(data, ("Rain caused floods.", SOURCE, "Rain", "floods"))
    assert example.marks == (Mark((0, 4), (12, 18)),) and example.marks[0].sign is None
    assert not example.fully_annotated


@pytest.mark.parametrize(
    ("cause", "effect"),
    [("Snow", "floods"), ("Rain", "flooding"), ("Rain caused", "caused floods"), ("Rain", "Rain"), ("", "floods")],
    ids=["cause is not there", "effect is not there", "overlap", "the same words", "empty"],
)
def test_a_pair_whose_spans_cannot_both_be_placed_is_left_out(data: Path, cause: str, effect: str) -> None:
    assert [mark for e in _public(data, ("Rain caused floods.", SOURCE, cause, effect)) for mark in e.marks] == []


def test_a_pair_that_cannot_be_placed_does_not_take_the_others_with_it(data: Path) -> None:
    triples = [{"cause": "Snow", "effect": "floods"}, {"cause": "Rain", "effect": "floods"}]
    path = data / "public.jsonl"
    path.write_text(json.dumps({"text": "Rain caused floods.", "source": SOURCE, "triples": triples}))
    assert [_words(example) for example in public(path)] == [[("Rain", "floods", None)]]


@pytest.mark.parametrize(
    ("text", "cause", "effect"),
    [
        ("Rain. Talks about rain. The rain brought mud. Later, mud dried.", (28, 32), (41, 44)),
        ("The mud came with rain. Then there was rain, rain, rain.", (18, 22), (4, 7)),
    ],
)
def test_of_words_that_stand_more_than_once_the_nearest_pair_is_taken(
    data: Path, text: str, cause: Span, effect: Span
) -> None:
    (example,) = _public(data, (text, SOURCE, "rain", "mud"))
    assert [(mark.cause, mark.effect) for mark in example.marks] == [(cause, effect)]


def test_sentences_we_measure_with_are_not_learned_whatever_their_spacing(data: Path) -> None:
    (data / "never_learned.txt").write_text(fingerprint("Rain caused floods.") + "\n")
    rows = [(text, SOURCE, "ain", "floods") for text in ("RAIN  caused floods", "Rain caused no floods.")]
    assert [example.text for example in _public(data, *rows)] == ["Rain caused no floods."]


def test_a_fingerprint_is_of_the_words_in_their_order() -> None:
    assert fingerprint("Rain, then mud.") == fingerprint("rain then  MUD")
    assert len({fingerprint(text) for text in ("rain then mud", "mud then rain", "rain mud", "rainthen mud")}) == 4


def test_what_is_never_learned_is_a_list_of_fingerprints() -> None:
    found = never_learned()
    assert len(found) > 500 and {len(each) for each in found} == {len(fingerprint("any"))}


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
def test_a_part_has_about_the_share_asked_and_nothing_is_lost(share: float) -> None:
    examples = _texts(2000)
    rest, part = apart(examples, share)
    assert abs(len(part) / 2000 - share) < 0.03
    assert sorted(e.text for e in rest + part) == sorted(e.text for e in examples)


def test_a_text_stays_in_its_part_whatever_stands_beside_it() -> None:
    examples = _texts(300)
    _, part = apart(examples, 0.3)
    assert apart(part, 0.3) == ([], part)
    assert {e.text for e in apart(list(reversed(examples))[:150], 0.3)[1]} == {
        e.text for e in part if e in examples[150:]
    }


def test_a_larger_part_holds_the_smaller_one() -> None:
    _, small = apart(_texts(300), 0.1)
    _, large = apart(_texts(300), 0.4)
    assert {e.text for e in small} < {e.text for e in large}


def test_joined_texts_keep_their_claims_on_the_same_words() -> None:
    single = {e.text.rstrip("!"): _words(e) for e in (FLOOD, QUEUES)}
    passages = joined([FLOOD, QUEUES], 20, seed=1)
    assert {passage.text for passage in passages} == {
        "The flood killed the crops. Queues grew because staff were ill!",
        "Queues grew because staff were ill! The flood killed the crops",
    }
    for passage in passages:
        first, second = sorted(single, key=passage.text.index)
        assert _words(passage) == single[first] + single[second]


def test_joined_texts_keep_what_is_said_of_their_claims() -> None:
    for passage in joined([FLOOD, QUEUES], 5, seed=0):
        assert sorted(mark.hedged or False for mark in passage.marks) == [False, True]
        assert passage.fully_annotated


def test_the_same_seed_joins_the_same_texts_and_another_others() -> None:
    examples = _texts(50)
    assert joined(examples, 30, seed=3) == joined(examples, 30, seed=3) != joined(examples, 30, seed=4)


def test_a_text_is_not_joined_with_itself() -> None:
    assert all(p.text.count("flood") == 1 for p in joined([FLOOD, QUEUES], 50, seed=0))
    assert joined([FLOOD], 5, seed=0) == []


def test_texts_with_spans_alone_are_not_joined() -> None:
    half = Example("Frost caused losses.", (Mark((0, 5), (13, 19)),), SOURCE)
    passages = joined([FLOOD, half, QUEUES], 50, seed=0)
    assert len(passages) == 50 and not any("Frost" in passage.text for passage in passages)
    assert joined([FLOOD, half], 5, seed=0) == []


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        public(tmp_path / "nowhere.jsonl")
    assert str(tmp_path / "nowhere.jsonl") in caught.value.problem and caught.value.expected


@pytest.mark.parametrize("broken", [b'{"text": ', b"text", b'{"text": "\xff"}'], ids=["cut", "no JSON", "no UTF-8"])
def test_a_broken_line_is_named_with_its_file(tmp_path: Path, broken: bytes) -> None:
    good = json.dumps({"text": "Rain caused floods.", "source": SOURCE, "triples": []}).encode()
    path = tmp_path / "public.jsonl"
    path.write_bytes(b"\n".join([good, b"", broken, good]))
    with pytest.raises(InputError) as caught:
        public(path)
    assert f"{path}, line 3" in caught.value.problem and caught.value.expected


@pytest.mark.parametrize("broken", ["5", '{"text": "Rain fell."}'], ids=["a number", "no source"])
def test_a_line_that_is_json_but_no_row_is_named_too(tmp_path: Path, broken: str) -> None:
    path = tmp_path / "public.jsonl"
    path.write_text(broken + "\n")
    with pytest.raises(InputError, match="line 1"):
        public(path)
