"""What the copying grammar lets a model write. The vocabulary is all 256 bytes, so any text can be spelled."""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal

import pytest
import xgrammar
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from leucippus.serving.calls import Source
from leucippus.serving.copying import copy_grammar

TEXT = "Heavy rain in the upper valley caused, in May, the worst flood since 1954."


class Span(BaseModel):
    words: str


class Pair(BaseModel):
    cause: str
    effect: str


class Pairs(BaseModel):
    pairs: list[Pair]


@cache
def _compiler() -> xgrammar.GrammarCompiler:
    every_byte = [bytes([value]) for value in range(256)]
    return xgrammar.GrammarCompiler(xgrammar.TokenizerInfo([*every_byte, b"<end>"], stop_token_ids=[256]))


def accepts(model: type[BaseModel], sources: Mapping[str, Source], text: str) -> bool:
    """Whether a model held to the grammar could write `text` and then stop."""
    compiled = _compiler().compile_grammar(copy_grammar(model, sources))
    matcher = xgrammar.GrammarMatcher(compiled, terminate_without_stop_token=True)
    return matcher.accept_string(text) and matcher.is_completed()


def written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def may_copy(words: str, source: Source) -> bool:
    return accepts(Span, {"": source}, written({"words": words}))


@pytest.mark.parametrize("words", ["rain", "Heavy rain", "upper valley caused, in May", "1954", "the"])
def test_a_run_of_whole_words_can_be_copied(words: str) -> None:
    assert may_copy(words, Source(TEXT))


@pytest.mark.parametrize(
    "words",
    ["snow", "Heavy snow", "heavy rain", "Heavy  rain", "rain upper", "rain the", "", " rain", "rain Heavy"],
    ids=["a word", "one of two", "case", "space", "a gap", "a jump", "nothing", "leading space", "backwards"],
)
def test_what_the_text_does_not_say_cannot_be_written(words: str) -> None:
    assert not may_copy(words, Source(TEXT))


@pytest.mark.parametrize("words", ["ain", "Heavy ra", "195", "valley cause"])
def test_words_are_not_cut(words: str) -> None:
    assert not may_copy(words, Source(TEXT))


def test_punctuation_is_copied_inside_a_span_but_never_starts_or_ends_one() -> None:
    source = Source("Rain (heavy), then floods.")
    assert may_copy("Rain (heavy), then floods", source)
    assert may_copy("heavy), then", source)
    assert not may_copy("Rain (heavy)", source)
    assert not may_copy("(heavy", source)
    assert not may_copy("floods.", source)


@pytest.mark.parametrize("word", ["low-cost", "it's", "it’s", "3.5", "1,000", "snake_case"])
def test_joined_words_are_one_word(word: str) -> None:
    source = Source(f"The {word} thing")
    assert may_copy(word, source)
    assert not may_copy(re.split(r"[-'’.,_]", word)[0], source)


def test_a_span_starts_where_its_source_says() -> None:
    text = "one, two three four"
    source = Source(text, starts=frozenset({text.index("one"), text.index("three")}))
    assert may_copy("one", source)
    assert may_copy("one, two three", source)
    assert may_copy("three four", source)
    assert not may_copy("two three", source)
    assert not may_copy("four", source)


def test_a_span_ends_where_its_source_says() -> None:
    text = "one two three, four."
    source = Source(text, ends=frozenset({len("one two"), text.index(".")}))
    assert may_copy("one two", source)
    assert may_copy("two three, four", source)
    assert not may_copy("one", source)
    assert not may_copy("one two three", source)


def test_both_limits_hold_together() -> None:
    text = "one two three four"
    source = Source(text, starts=frozenset({0, text.index("two")}), ends=frozenset({len("one two three")}))
    assert may_copy("one two three", source)
    assert may_copy("two three", source)
    assert not may_copy("three", source)
    assert not may_copy("one two", source)


def test_what_starts_can_always_end() -> None:
    source = Source("one two three", starts=frozenset({len("one ")}), ends=frozenset({len("one")}))
    assert may_copy("two three", source)
    assert not may_copy("two", source)


def test_no_start_leaves_nothing_to_copy() -> None:
    source = Source("one two", starts=frozenset())
    assert may_copy("", source)
    assert not may_copy("one", source)


def test_offsets_inside_words_count_for_nothing() -> None:
    source = Source("one two", starts=frozenset({0, 1}), ends=frozenset({2, 7}))
    assert may_copy("one two", source)
    assert not may_copy("ne two", source)
    assert not may_copy("on", source)


@pytest.mark.parametrize(
    ("text", "copied"),
    [
        ('the "great" flood', 'the "great" flood'),
        (r"the C:\temp folder", r"the C:\temp folder"),
        ("first line\nsecond\tline", "first line second line"),
        ("Überschwemmung überall", "Überschwemmung überall"),
        ("洪水 は 雨 による", "洪水 は 雨 による"),
        ("rain 🌧 floods", "rain 🌧 floods"),
        ("a\x00b \x07 c", "a\x00b \x07 c"),
        ("the cafe\u0301 burned", "the cafe\u0301 burned"),
    ],
    ids=["quotes", "backslash", "white space", "umlauts", "Japanese", "emoji", "control characters", "combining"],
)
def test_every_sign_survives_as_json(text: str, copied: str) -> None:
    assert may_copy(copied, Source(text))


@pytest.mark.parametrize("text", ["", "   \n", "… — !"])
def test_a_source_without_words_leaves_the_empty_string(text: str) -> None:
    assert may_copy("", Source(text))
    assert not may_copy("rain", Source(text))
    assert not may_copy("!", Source(text))


def test_each_field_is_copied_from_its_own_source() -> None:
    sources = {"cause": Source("heavy rain"), "": Source("the flood")}
    assert accepts(Pair, sources, written({"cause": "heavy rain", "effect": "the flood"}))
    assert not accepts(Pair, sources, written({"cause": "the flood", "effect": "heavy rain"}))


def test_fields_come_in_order_without_white_space() -> None:
    sources = {"": Source(TEXT)}
    assert accepts(Pair, sources, '{"cause":"rain","effect":"flood"}')
    assert not accepts(Pair, sources, '{"cause": "rain", "effect": "flood"}')
    assert not accepts(Pair, sources, '{"effect":"flood","cause":"rain"}')
    assert not accepts(Pair, sources, '{"cause":"rain"}')


def test_a_list_has_any_length() -> None:
    pair = {"cause": "rain", "effect": "flood"}
    for length in (0, 1, 5):
        assert accepts(Pairs, {"": Source(TEXT)}, written({"pairs": [pair] * length}))


@pytest.mark.parametrize("longest", [1, 3])
def test_a_list_stops_at_its_max_length(longest: int) -> None:
    class Few(BaseModel):
        words: Annotated[list[str], Field(max_length=longest)]

    for length in range(longest + 3):
        assert accepts(Few, {"": Source(TEXT)}, written({"words": ["rain"] * length})) is (length <= longest)


def test_a_literal_is_one_of_its_options() -> None:
    class Signed(BaseModel):
        sign: Literal["+", "-", 'say "none"', 0]

    for sign in ("+", "-", 'say "none"', 0):
        assert accepts(Signed, {}, written({"sign": sign}))
    for sign in ("", "?", "rain", 1):
        assert not accepts(Signed, {"": Source(TEXT)}, written({"sign": sign}))


def test_a_model_may_contain_itself() -> None:
    class Tree(BaseModel):
        word: str
        children: "list[Tree]"

    Tree.model_rebuild(_types_namespace={"Tree": Tree})
    tree = {"word": "rain", "children": [{"word": "flood", "children": []}]}
    assert accepts(Tree, {"": Source(TEXT)}, written(tree))


@pytest.mark.parametrize("annotation", [int, float, bool, str | None, dict[str, str], list[int]])
def test_other_types_cannot_be_copied(annotation: Any) -> None:
    model: type[BaseModel] = type("Odd", (BaseModel,), {"__annotations__": {"value": annotation}})
    with pytest.raises(TypeError, match="cannot write"):
        copy_grammar(model, {"": Source(TEXT)})


def test_a_text_of_a_thousand_words_compiles() -> None:
    text = " ".join(f"word{number}" for number in range(1000))
    assert may_copy("word998 word999", Source(text))


# What readers hand over: any sign that UTF-8 can write.
texts = st.text(st.characters(codec="utf-8"), max_size=40) | st.lists(
    st.sampled_from(["rain", "über", '"', "\\", "x-ray", ",", "\n", "雨", "e\u0301", "{", "}", "\x7f", "\u2028"])
).map(" ".join)


@settings(deadline=None)
@given(text=texts, data=st.data())
def test_every_run_of_words_of_any_text_can_be_copied(text: str, data: st.DataObject) -> None:
    ends = [match.span() for match in re.finditer(r"[^\W_]+", text) if _free_standing(text, match.span())]
    if not ends:
        return
    start = data.draw(st.sampled_from(ends))
    end = data.draw(st.sampled_from([each for each in ends if each >= start]))
    run = re.sub(r"\s+", " ", text[start[0] : end[1]])
    answer = written({"words": run})
    assert accepts(Span, {"": Source(text)}, answer)
    assert json.loads(answer)["words"].split() == text[start[0] : end[1]].split()


def _free_standing(text: str, span: tuple[int, int]) -> bool:
    """Between white space on both sides: what counts as a word elsewhere is the business of the code."""
    return (span[0] == 0 or text[span[0] - 1].isspace()) and (span[1] == len(text) or text[span[1]].isspace())
