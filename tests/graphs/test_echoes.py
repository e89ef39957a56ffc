"""Documents that repeat another."""

import random
import time

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from leucippus.graphs.echoes import LIKE, Echo, contained, echoes, likeness, sketch

_WORDS = [f"w{at}" for at in range(5000)]


def _text(seed: int, words: int) -> str:
    return " ".join(random.Random(seed).choices(_WORDS, k=words))


def _edited(text: str, every: int) -> str:
    return " ".join("changed" if at % every == every - 1 else word for at, word in enumerate(text.split()))


def test_the_same_news_twice_is_an_echo_of_the_first() -> None:
    news = [_text(seed, 400) for seed in range(6)]
    again = _edited(news[2], 40).upper().replace(" ", "\n")
    found = echoes([sketch(text) for text in (*news, again, news[2] + " the end")])
    assert [(echo.document, echo.origin) for echo in found] == [(6, 2), (7, 2)]
    assert all(echo.likeness > 0.8 for echo in found)


def test_a_release_quoted_whole_and_an_excerpt() -> None:
    release, around = _text(1, 200), _text(2, 500)
    article = f"{around[:1000]} {release} {around[1000:]}"
    assert [(e.document, e.origin) for e in echoes([sketch(release), sketch(article)])] == [(1, 0)]
    assert [(e.document, e.origin) for e in echoes([sketch(article), sketch(release)])] == [(1, 0)]
    book = f"{_text(3, 20_000)} {release}"
    assert not echoes([sketch(release), sketch(book)])  # it has much more to say
    assert echoes([sketch(book), sketch(release)])  # this one has nothing else


def test_a_shared_quotation_is_no_echo_and_what_everybody_says_hides_nothing() -> None:
    small_print = _text(9, 60)
    texts = [f"{_text(100 + at, 200)} {small_print}" for at in range(60)]
    texts.append(_edited(texts[50], 50))
    assert [(e.document, e.origin) for e in echoes([sketch(text) for text in texts])] == [(60, 50)]


def test_echoes_of_echoes_lead_to_the_first() -> None:
    first = _text(5, 300)
    chain = [first, _edited(first, 25), _edited(_edited(first, 25), 33)]
    found = echoes([sketch(text) for text in chain * 1])
    assert [(e.document, e.origin) for e in found] == [(1, 0), (2, 0)]
    copies = echoes([sketch(first)] * 200)
    assert len(copies) == 199 and {e.origin for e in copies} == {0}


def test_samples_tell_what_all_shingles_would() -> None:
    one = _text(11, 4000).split()
    for share in (0.3, 0.6, 0.9):
        cut = int(4000 * share)
        other = " ".join(one[:cut]) + " " + _text(12, 4000 - cut)
        estimate = contained(sketch(" ".join(one)), sketch(other))
        assert abs(estimate - share) < 0.08  # 500 hashes: a standard error of 0.02


def test_short_empty_and_foreign_texts() -> None:
    texts = ["", "!!!", "Smoking kills.", "smoking KILLS", "Tea helps.", "", "吸烟导致肺癌", "吸烟导致肺癌。"]
    assert [(e.document, e.origin) for e in echoes([sketch(text) for text in texts])] == [(3, 2), (7, 6)]
    assert echoes([]) == []
    assert len(sketch("\ud800 half a pair").hashes) == 1
    assert sketch("word " * 200_000).shingles == 1


@given(st.lists(st.text(alphabet="ab c", max_size=40), max_size=12))
@settings(max_examples=100, deadline=None)
def test_an_origin_is_older_and_repeats_nothing(texts: list[str]) -> None:
    sketches = [sketch(text) for text in texts]
    found = echoes(sketches)
    repeated = {echo.document for echo in found}
    assert all(e.origin < e.document and e.origin not in repeated and LIKE <= e.likeness <= 1 for e in found)
    assert found == echoes(sketches)
    for at, one in enumerate(sketches):  # nothing that is plainly the same is missed
        same = any(len(one.hashes) and np.array_equal(one.hashes, other.hashes) for other in sketches[:at])
        assert not same or at in repeated


@given(st.text(max_size=60), st.text(max_size=60))
@settings(max_examples=100, deadline=None)
def test_a_text_is_like_itself_and_what_holds_it(one: str, other: str) -> None:
    assert likeness(sketch(one), sketch(one)) == (1.0 if sketch(one).shingles else 0.0)
    assert 0 <= contained(sketch(one), sketch(other)) <= 1


def test_the_work_grows_with_the_documents_not_with_their_pairs() -> None:
    # Every text shares a paragraph with all the others; one in ten repeats an earlier one.
    common = _text(0, 40)
    texts = [f"{common} {_text(at if at % 10 else max(at - 5, 0), 80)}" for at in range(1, 4001)]
    sketches = [sketch(text) for text in texts]

    def seconds(count: int) -> float:
        began = time.process_time()
        assert len(echoes(sketches[:count])) >= count // 10 - 1
        return time.process_time() - began

    seconds(500)
    assert seconds(4000) < 30 * max(seconds(500), 0.02)  # all pairs would take 64 times as long


def test_an_echo_is_a_plain_tuple() -> None:
    assert tuple(Echo(2, 1, 0.7)) == (2, 1, 0.7)
