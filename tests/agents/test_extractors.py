"""The tagger's way and the cascade, from passages to claims. The tagger and the language model are scripted."""

import asyncio
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leucippus.agents.asking import Anchored, Asking, Brief, Open, Pair, Pairs
from leucippus.agents.confidence import FILE, Confidence, Line
from leucippus.agents.extractors import connect_extractor, reading_of
from leucippus.agents.model_extractor import ModelExtractor, way_of
from leucippus.agents.tagger_extractor import DOUBTFUL, TaggerExtractor, characters, compare
from leucippus.agents.tagging import (
    ANCHOR,
    CAUSE,
    CLAIM,
    EFFECT,
    HEDGED,
    LINK,
    NEGATED,
    SIGN,
    SIGNS,
    WIDTH,
)
from leucippus.config import ExtractSettings, Settings
from leucippus.errors import ConfigError, ModelNotFound
from leucippus.serving.calls import Answer, Call, Copied, Failed, FailureKind, Usage
from leucippus.serving.tagger import DESCRIPTION, Scores
from leucippus.store.triples import Claim, Document, Passage, Sign
from leucippus.store.write import PassageResult

Reply = Callable[[str], Answer[Any] | Failed]
BEFORE = "The minutes of May. "
RAIN = "Heavy rain caused floods in town."
SAID = ("Heavy rain", "floods in town")
BRIEF = Settings(model="scripted", extract=ExtractSettings(asking="brief"))
CONFIDENCE = Confidence(
    threshold=0.5,
    another=0.5,
    doubtful=(0.2, 0.8),
    keep=0.4,
    tagger=Line(weights=(1, 0, 0), bias=0),
    both=Line(weights=(1, 0, 0, 3, -3), bias=0),
)
"""A claim is as probable as that there is one; the second reader moves its log-odds by 3."""


class Taggers:
    """A pool of taggers that knows the scores of some texts by heart."""

    batches_at_once = 3

    def __init__(self, known: Mapping[str, Scores]) -> None:
        self._known = known
        self.open = False

    async def start(self) -> None:
        self.open = True

    async def score(self, texts: Sequence[str]) -> list[Scores]:
        return [self._known[text] for text in texts]

    async def close(self) -> None:
        self.open = False


class Client:
    """A language model that answers by a function of the text, and remembers what it was asked."""

    batches_at_once = 1

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self.asked: list[str] = []
        self.open = False

    @property
    def usage(self) -> Usage:
        return Usage()

    async def start(self) -> None:
        self.open = True

    async def close(self) -> None:
        self.open = False

    async def generate(self, call: Call) -> Answer[Any] | Failed:
        (answer,) = await self.generate_batch([call])
        return answer

    async def generate_batch(self, calls: Sequence[Call]) -> list[Answer[Any] | Failed]:
        texts = []
        for call in calls:
            assert isinstance(call.shape, Copied) and call.shape.model is Pairs
            texts.append(call.messages[-1]["content"])
        self.asked += texts
        return [self._reply(text) for text in texts]


def _says(*pairs: tuple[str, str]) -> Reply:
    value = Pairs(claims=[Pair(cause=cause, effect=effect) for cause, effect in pairs])
    return lambda _: Answer(value, "", Usage(10, 5), 0.75)


def _fails(_: str) -> Failed:
    return Failed(FailureKind.TIMED_OUT, "too slow", usage=Usage(10, 0))


def _words(offsets: Sequence[tuple[int, int]], text: str, phrase: str) -> slice:
    start = text.index(phrase)
    inside = [i for i, (a, b) in enumerate(offsets) if start <= a and b <= start + len(phrase)]
    return slice(inside[0], inside[-1] + 1)


def _scores(
    text: str,
    *pairs: tuple[str, str],
    claim: float = 0.9,
    link: str = "",
    sign: Sign = Sign.POSITIVE,
    negated: bool = False,
    hedged: bool = False,
    cut: bool = False,
) -> Scores:
    """What a tagger says that finds these pairs, for certain, in a text that makes a claim with probability `claim`."""
    offsets = [match.span() for match in re.finditer(r"\w+|[^\w\s]", text)]
    head, words = np.zeros(WIDTH, np.float32), np.zeros((len(offsets), WIDTH), np.float32)
    head[CLAIM] = math.log(claim / (1 - claim))
    words[:, ANCHOR] = -30
    words[:, SIGN.start + SIGNS.index(sign)] = 1
    words[:, NEGATED], words[:, HEDGED] = (1 if negated else -1), (1 if hedged else -1)
    for rank, pair in enumerate(pairs):  # each hangs on a word of its own, whichever
        words[rank, ANCHOR] = 0
        for layer, phrase in zip((CAUSE, EFFECT), pair, strict=True):
            span = _words(offsets, text, phrase)
            for asked, own, word in zip(layer.asked, layer.own, (span.start, span.stop - 1), strict=False):
                words[rank, asked.start + rank] = 1
                words[word, own.start + rank] = 25
    if link:
        words[_words(offsets, text, link), LINK] = 1
    return Scores(tuple(offsets), head, words, cut)


def _document(*texts: str) -> tuple[Document, list[Passage]]:
    """A document that does not start with these texts, and the passages they are."""
    document = Document.of(BEFORE + " ".join(texts) + " And so on.", media_type="text/plain", title="t")
    at, passages = len(BEFORE), []
    for text in texts:
        passages.append(Passage.of(document, at, at + len(text)))
        at += len(text) + 1
    assert [passage.text for passage in passages] == list(texts)
    return document, passages


def _read(
    folder: Path,
    known: Mapping[str, Scores],
    client: Client | None = None,
    *,
    confidence: Confidence = CONFIDENCE,
) -> list[PassageResult]:
    second = ModelExtractor(client, BRIEF) if client else None
    extractor = TaggerExtractor(Taggers(known), folder, confidence, second)
    return asyncio.run(extractor.read(_document(*known)[1]))


def _read_one(folder: Path, scores: Scores, client: Client | None = None, text: str = RAIN) -> PassageResult:
    (result,) = _read(folder, {text: scores}, client)
    return result


def _pairs(result: PassageResult) -> list[tuple[str, str]]:
    return [(claim.cause, claim.effect) for claim in result.claims]


def _verbatim(document: Document, claim: Claim) -> bool:
    text = document.text
    return (
        text[claim.cause_start : claim.cause_end] == claim.cause
        and text[claim.effect_start : claim.effect_end] == claim.effect
        and text[claim.start : claim.end] == claim.quote
    )


def test_spans_are_verbatim_and_offsets_count_from_the_start_of_the_document(tmp_path: Path) -> None:
    other = "The bank failed because old loans went bad."
    document, _ = _document(RAIN, other)
    known = {RAIN: _scores(RAIN, SAID), other: _scores(other, ("old loans went bad", "The bank failed"))}
    results = _read(tmp_path, known)
    assert [_pairs(result) for result in results] == [[SAID], [("old loans went bad", "The bank failed")]]
    claims = [claim for result in results for claim in result.claims]
    assert all(_verbatim(document, claim) for claim in claims)
    assert [claim.cause_start for claim in claims] == [document.text.index("Heavy"), document.text.index("old loans")]
    assert [claim.quote for claim in claims] == [RAIN, other]


def test_a_claim_has_what_the_tagger_read(tmp_path: Path) -> None:
    text = "A ban may not cut smoking if prices fall."
    scores = _scores(text, ("A ban", "smoking"), link="cut", sign=Sign.NEGATIVE, negated=True, hedged=True)
    (claim,) = _read_one(tmp_path, scores, text=text).claims
    assert (claim.sign, claim.negated, claim.hedged) == (Sign.NEGATIVE, True, True)
    assert (claim.relation, claim.conditions) == ("cut", "if prices fall")
    assert claim.confidence == pytest.approx(0.9)


def test_the_tagger_decides_against_the_rules(tmp_path: Path) -> None:
    text = "A ban may not cut smoking if prices fall."
    (claim,) = _read_one(tmp_path, _scores(text, ("A ban", "smoking")), text=text).claims
    assert (claim.sign, claim.negated, claim.hedged) == (Sign.POSITIVE, False, False)


def test_without_a_link_the_expression_of_the_rules_is_the_relation(tmp_path: Path) -> None:
    (by_rules,) = _read_one(tmp_path, _scores(RAIN, SAID)).claims
    (by_tagger,) = _read_one(tmp_path, _scores(RAIN, ("Heavy rain", "floods"), link="in town")).claims
    assert (by_rules.relation, by_tagger.relation) == ("caused", "in town")


def test_two_claims_of_one_passage_are_both_kept(tmp_path: Path) -> None:
    text = "Heavy rain caused floods in town and the floods caused a long blackout."
    pairs = [("Heavy rain", "floods in town"), ("the floods", "a long blackout")]
    (result,) = _read(tmp_path, {text: _scores(text, *pairs)})
    assert sorted(_pairs(result)) == sorted(pairs)
    assert len({claim.claim_id for claim in result.claims}) == 2


def test_a_passage_without_a_claim_has_a_result_without_one(tmp_path: Path) -> None:
    results = _read(
        tmp_path, {"The museum is open.": _scores("The museum is open.", claim=0.1), RAIN: _scores(RAIN, SAID)}
    )
    assert [len(result.claims) for result in results] == [0, 1]
    assert results[0].rejected == () and results[0].failure is None


@pytest.mark.parametrize(
    "text, phrase, trimmed",
    [
        ("“Heavy rain”, he said, caused floods.", "“Heavy rain”,", "Heavy rain"),
        ("So - (heavy rain) caused floods.", "(heavy rain", "heavy rain"),
        ("Aid of $5 caused envy.", "$5", "$5"),
        ("A rise of 20%. It caused envy.", "20%.", "20%"),
        ("The tax (VAT), it is said, caused envy.", "The tax (VAT),", "The tax (VAT)"),
        ("The well-known rule caused envy.", "well-known rule", "well-known rule"),
        ("Then ... nothing.", "...", ""),
    ],
)
def test_punctuation_at_the_edges_is_trimmed_and_what_belongs_to_a_number_is_not(
    text: str, phrase: str, trimmed: str
) -> None:
    scores = _scores(text)
    span = _words(scores.offsets, text, phrase)
    start, end = characters(text, scores, (span.start, span.stop))
    assert text[start:end] == trimmed


def test_the_spans_of_a_claim_are_trimmed(tmp_path: Path) -> None:
    text = "“Heavy rain,” she said, caused floods in town."
    document, _ = _document(text)
    (claim,) = _read_one(tmp_path, _scores(text, ("“Heavy rain,”", "floods in town.")), text=text).claims
    assert (claim.cause, claim.effect) == SAID and _verbatim(document, claim)


def test_brackets_around_a_span_go_together() -> None:
    text = "It flooded (heavy rain)."
    scores = _scores(text)
    span = _words(scores.offsets, text, "(heavy rain)")
    start, end = characters(text, scores, (span.start, span.stop))
    assert text[start:end].count("(") == text[start:end].count(")")


@pytest.mark.parametrize("pair, side", [(("This", "floods"), "cause"), (("rain", "it"), "effect")])
def test_a_span_that_names_nothing_is_rejected_with_its_words(tmp_path: Path, pair: tuple[str, str], side: str) -> None:
    text = "This rain caused it all and floods."
    result = _read_one(tmp_path, _scores(text, pair), text=text)
    assert result.claims == ()
    (failure,) = result.rejected
    assert (failure.stage, failure.error, failure.message) == ("ground", "Rejected", f"{side} names nothing")
    assert json.loads(failure.detail or "") == {"cause": pair[0], "effect": pair[1]}


def test_what_the_second_reader_does_not_find_is_rejected_with_its_reason(tmp_path: Path) -> None:
    result = _read_one(tmp_path, _scores(RAIN, SAID, claim=0.6), Client(_says()))
    assert result.claims == () and result.failure is None
    (failure,) = result.rejected
    assert failure.item == result.passage_id
    assert (failure.stage, failure.error) == ("ground", DOUBTFUL)
    assert failure.message == "doubtful: right with probability 0.07"
    assert json.loads(failure.detail or "") == {"cause": SAID[0], "effect": SAID[1]}


def test_what_the_second_reader_finds_too_gains_by_it(tmp_path: Path) -> None:
    result = _read_one(tmp_path, _scores(RAIN, SAID, claim=0.3), Client(_says(("heavy rain", "floods"))))
    assert _pairs(result) == [SAID] and result.rejected == ()
    assert result.claims[0].confidence == pytest.approx(1 / (1 + math.exp(-math.log(0.3 / 0.7) - 3)), abs=1e-4)


@pytest.mark.parametrize("claim, kept", [(0.6, True), (0.3, False)])
def test_where_the_second_reader_finds_another_claim_the_probability_decides(
    tmp_path: Path, claim: float, kept: bool
) -> None:
    result = _read_one(tmp_path, _scores(RAIN, SAID, claim=claim), Client(_says(("town", "Heavy rain"))))
    assert (len(result.claims), len(result.rejected)) == ((1, 0) if kept else (0, 1))
    assert all(found.confidence == pytest.approx(claim, abs=1e-4) for found in result.claims)


def test_every_claim_of_the_tagger_is_kept_or_rejected(tmp_path: Path) -> None:
    text = "Heavy rain caused floods in town and the floods caused a long blackout."
    pairs = [("Heavy rain", "floods in town"), ("the floods", "a long blackout")]
    client = Client(_says(pairs[1]))
    confidence = CONFIDENCE.model_copy(update={"both": Line(weights=(1, 0, 0, 3, 0), bias=-2)})
    (result,) = _read(tmp_path, {text: _scores(text, *pairs, claim=0.6)}, client, confidence=confidence)
    assert _pairs(result) == [pairs[1]]
    assert [json.loads(failure.detail or "")["cause"] for failure in result.rejected] == ["Heavy rain"]


def _weather(at: int) -> str:
    return f"Heavy rain caused floods in town {at}."


def test_only_doubtful_passages_are_asked_about(tmp_path: Path) -> None:
    claims = [0.1, 0.3, 0.6, 0.9]
    known = {_weather(i): _scores(_weather(i), SAID, claim=claim) for i, claim in enumerate(claims)}
    client = Client(_says(SAID))
    results = _read(tmp_path, known, client)
    assert client.asked == [_weather(1), _weather(2)]
    assert [len(result.claims) for result in results] == [0, 1, 1, 1]
    assert results[3].claims[0].confidence == pytest.approx(0.9)


def test_where_nothing_is_doubtful_the_second_reader_is_left_alone(tmp_path: Path) -> None:
    client = Client(_fails)
    result = _read_one(tmp_path, _scores(RAIN, SAID, claim=0.9), client)
    assert client.asked == [] and _pairs(result) == [SAID]


def test_alone_the_tagger_claims_what_is_above_its_threshold(tmp_path: Path) -> None:
    known = {_weather(i): _scores(_weather(i), SAID, claim=claim) for i, claim in enumerate([0.3, 0.6])}
    results = _read(tmp_path, known)
    assert [len(result.claims) for result in results] == [0, 1]


def test_the_tagger_alone_has_to_be_as_sure_as_with_a_second_reader(tmp_path: Path) -> None:
    strict = CONFIDENCE.model_copy(update={"keep": 0.7})
    for claim, kept in ((0.6, False), (0.75, True)):
        (result,) = _read(tmp_path, {RAIN: _scores(RAIN, SAID, claim=claim)}, confidence=strict)
        assert _pairs(result) == ([SAID] if kept else [])
        assert [failure.message for failure in result.rejected] == (
            [] if kept else ["doubtful: right with probability 0.60"]
        )


def test_a_failed_answer_leaves_the_claim_of_the_tagger(tmp_path: Path) -> None:
    alone = _read_one(tmp_path, _scores(RAIN, SAID, claim=0.6))
    client = Client(_fails)
    result = _read_one(tmp_path, _scores(RAIN, SAID, claim=0.6), client)
    assert client.asked == [RAIN]
    assert _pairs(result) == _pairs(alone) == [SAID]
    assert result.claims[0].confidence == alone.claims[0].confidence == pytest.approx(0.6, abs=1e-4)


def test_a_failed_answer_makes_no_claim_that_the_tagger_alone_does_not(tmp_path: Path) -> None:
    assert _read_one(tmp_path, _scores(RAIN, SAID, claim=0.3), Client(_fails)).claims == ()


def test_the_answers_go_to_the_passages_they_are_about(tmp_path: Path) -> None:
    known = {_weather(i): _scores(_weather(i), SAID, claim=claim) for i, claim in enumerate([0.9, 0.6, 0.1, 0.6])}
    client = Client(lambda text: _says(SAID)(text) if text == _weather(3) else _says()(text))
    results = _read(tmp_path, known, client)
    assert [len(result.claims) for result in results] == [1, 0, 0, 1]
    assert [result.passage_id for result in results] == [passage.passage_id for passage in _document(*known)[1]]


@pytest.mark.parametrize("claim", [0.9, 0.1])
def test_a_text_cut_short_is_recorded_with_how_much_of_it_was_read(tmp_path: Path, claim: float) -> None:
    whole = _scores(RAIN, ("Heavy rain", "floods"), claim=claim, cut=True)
    scores = Scores(whole.offsets[:4], whole.head, whole.words[:4], cut=True)
    result = _read_one(tmp_path, scores)
    assert _pairs(result) == ([("Heavy rain", "floods")] if claim == 0.9 else [])
    (failure,) = result.rejected
    assert (failure.item, failure.stage, failure.error) == (result.passage_id, "generate", "too_long")
    assert re.findall(r"\d+ characters", failure.message) == [f"{len('Heavy rain caused floods')} characters"]


def test_a_text_read_to_its_end_has_no_failure(tmp_path: Path) -> None:
    assert _read_one(tmp_path, _scores(RAIN, SAID)).rejected == ()


def test_words_and_tokens_are_counted(tmp_path: Path) -> None:
    scores = _scores(RAIN, SAID, claim=0.6)
    alone, cascade = _read_one(tmp_path, scores), _read_one(tmp_path, scores, Client(_says(SAID)))
    assert (alone.prompt_tokens, alone.output_tokens) == (7, 0)
    assert (cascade.prompt_tokens, cascade.output_tokens) == (17, 5)


def test_the_same_batch_gives_the_same_results(tmp_path: Path) -> None:
    known = {_weather(i): _scores(_weather(i), SAID, claim=claim) for i, claim in enumerate([0.3, 0.6, 0.9])}
    once, again = (_read(tmp_path, known, Client(_says(SAID))) for _ in range(2))
    assert once == again and any(result.claims for result in once)


def test_claims_bear_the_reader_that_made_them(tmp_path: Path) -> None:
    taggers = Taggers({RAIN: _scores(RAIN, SAID)})
    extractor = TaggerExtractor(taggers, tmp_path, CONFIDENCE)
    (result,) = asyncio.run(extractor.read(_document(RAIN)[1]))
    assert [claim.reader_id for claim in result.claims] == [extractor.reader.reader_id]


def test_the_reader_changes_with_the_extractor_and_with_a_second_reader(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
        (folder / "tagger.safetensors").write_text(folder.name)
    second = ModelExtractor(Client(_says()), BRIEF)
    third = ModelExtractor(Client(_says()), BRIEF.model_copy(update={"model": "another"}))
    made = [(one, None), (other, None), (one, second), (one, third)]
    readers = [TaggerExtractor(Taggers({}), folder, CONFIDENCE, asked).reader for folder, asked in made]
    assert len({reader.reader_id for reader in readers}) == len(made)
    assert readers[0].prompt_version != readers[2].prompt_version


@pytest.mark.parametrize("changed", [{"max_tokens": 16}, {"asking": "open"}], ids=str)
def test_the_reader_changes_with_how_the_second_reader_asks(tmp_path: Path, changed: dict[str, Any]) -> None:
    settings = [BRIEF, BRIEF.model_copy(update={"extract": BRIEF.extract.model_copy(update=changed)})]
    seconds = [ModelExtractor(Client(_says()), each) for each in settings]
    one, other = (TaggerExtractor(Taggers({}), tmp_path, CONFIDENCE, second).reader for second in seconds)
    assert seconds[0].reader != seconds[1].reader
    assert one.reader_id != other.reader_id


def test_the_reader_changes_with_the_calibration(tmp_path: Path) -> None:
    readers = []
    for confidence in (CONFIDENCE, CONFIDENCE.model_copy(update={"threshold": 0.7})):
        (tmp_path / FILE).write_text(confidence.model_dump_json())
        readers.append(TaggerExtractor(Taggers({}), tmp_path, confidence).reader.reader_id)
    assert readers[0] != readers[1]


def test_both_readers_are_started_and_closed(tmp_path: Path) -> None:
    taggers, client = Taggers({}), Client(_says())
    extractor = TaggerExtractor(taggers, tmp_path, CONFIDENCE, ModelExtractor(client, BRIEF))
    asyncio.run(extractor.start())
    assert (taggers.open, client.open) == (True, True)
    asyncio.run(extractor.close())
    assert (taggers.open, client.open) == (False, False)
    assert extractor.batches_at_once == 3


def test_the_tagger_reads_all_that_has_letters(tmp_path: Path) -> None:
    extractor = TaggerExtractor(Taggers({}), tmp_path, CONFIDENCE)
    assert extractor.worth("The museum opens at nine.") and extractor.worth("Дождь.")
    assert not extractor.worth("2019 | 4.5 %") and not extractor.worth("")


@pytest.mark.parametrize(
    "said, expected",
    [
        (None, "not asked"),
        ([], "none"),
        ([((0, 10), (20, 30))], "same"),
        ([((0, 5), (25, 30))], "same"),
        ([((0, 3), (20, 30))], "other"),
        ([((0, 10), (27, 30))], "other"),
        ([((20, 30), (0, 10))], "other"),
        ([((0, 10), (40, 50)), ((60, 70), (20, 30))], "other"),
        ([((40, 50), (60, 70)), ((0, 10), (20, 30))], "same"),
    ],
)
def test_readers_agree_where_both_spans_share_half_their_words(
    said: list[tuple[tuple[int, int], tuple[int, int]]] | None, expected: str
) -> None:
    assert compare(said, (0, 10), (20, 30)) == expected


@pytest.fixture
def extractor_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "extractor"
    folder.mkdir()
    (folder / DESCRIPTION).write_text(json.dumps({"base": "all-MiniLM-L6-v2", "width": WIDTH}))
    (folder / FILE).write_text(CONFIDENCE.model_dump_json())
    (folder / "adapter_config.json").write_text("{}")
    return folder


@pytest.mark.parametrize("with_tagger", [True, False])
@pytest.mark.parametrize(
    "given, uses_packaged",
    [
        ({}, True),
        ({"model": "packaged", "adapter": "packaged"}, True),
        ({"adapter": None}, False),
        ({"adapter": "none"}, False),
        ({"model": "scripted"}, False),
        ({"model": "scripted", "adapter": None}, False),
        ({"adapter": "some-lora"}, False),
    ],
    ids=str,
)
def test_the_packaged_tagger_reads_where_it_fits_and_is_there(
    extractor_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    given: dict[str, Any],
    uses_packaged: bool,
    with_tagger: bool,
) -> None:
    settings = Settings(**given)
    if not with_tagger:
        (extractor_folder / DESCRIPTION).unlink()
    monkeypatch.setattr("leucippus.serving.client.EXTRACTOR", extractor_folder)
    tagged = uses_packaged and with_tagger
    assert reading_of(settings) == ("tagger" if tagged else "model")
    assert isinstance(way_of(settings), Brief if tagged else Anchored)


@pytest.mark.parametrize("model", ["packaged", "scripted"])
def test_an_extractor_that_is_named_reads_whatever_the_model(extractor_folder: Path, model: str) -> None:
    settings = Settings(model=model, adapter=str(extractor_folder))
    assert reading_of(settings) == "tagger" and isinstance(way_of(settings), Brief)


def test_the_brief_question_is_for_an_extractor_with_an_adapter(extractor_folder: Path) -> None:
    (extractor_folder / "adapter_config.json").unlink()
    settings = Settings(adapter=str(extractor_folder))
    assert reading_of(settings) == "tagger" and isinstance(way_of(settings), Anchored)


@pytest.mark.parametrize("adapter", [None, "packaged", "named"])
@pytest.mark.parametrize("reading", ["tagger", "cascade", "model"])
def test_a_reading_that_is_asked_for_is_the_one(extractor_folder: Path, adapter: str | None, reading: Any) -> None:
    adapter = str(extractor_folder) if adapter == "named" else adapter
    settings = Settings(model="scripted", adapter=adapter, extract=ExtractSettings(reading=reading))
    assert reading_of(settings) == reading


@pytest.mark.parametrize("asking, way", [("anchored", Anchored), ("open", Open), ("brief", Brief)])
@pytest.mark.parametrize("named", [True, False])
def test_a_way_that_is_asked_for_is_the_one(
    extractor_folder: Path, named: bool, asking: Any, way: type[Asking]
) -> None:
    adapter = str(extractor_folder) if named else None
    settings = Settings(model="scripted", adapter=adapter, extract=ExtractSettings(asking=asking))
    assert type(way_of(settings)) is way


@pytest.mark.parametrize("reading", ["tagger", "cascade"])
@pytest.mark.parametrize("adapter", [None, "some-lora"])
def test_reading_by_a_tagger_that_is_not_there_is_refused_with_what_to_do(reading: Any, adapter: str | None) -> None:
    with pytest.raises(ConfigError) as caught:
        connect_extractor(Settings(adapter=adapter, extract=ExtractSettings(reading=reading)))
    assert reading in caught.value.problem and repr(adapter) in caught.value.problem
    assert "--adapter" in caught.value.expected and "extract.reading to 'model'" in caught.value.next_step


def test_where_another_model_rules_the_packaged_tagger_out_the_model_is_named(
    extractor_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leucippus.serving.client.EXTRACTOR", extractor_folder)
    with pytest.raises(ConfigError) as caught:
        connect_extractor(Settings(model="scripted", extract=ExtractSettings(reading="tagger")))
    assert "scripted" in str(caught.value)


def test_an_extractor_folder_gives_a_tagger(extractor_folder: Path) -> None:
    extractor = connect_extractor(Settings(model="scripted", adapter=str(extractor_folder)))
    assert isinstance(extractor, TaggerExtractor)
    assert (extractor.reader.adapter or "").startswith("extractor@")


def test_an_extractor_without_its_calibration_is_refused(extractor_folder: Path) -> None:
    (extractor_folder / FILE).unlink()
    with pytest.raises(ModelNotFound, match=FILE):
        connect_extractor(Settings(model="scripted", adapter=str(extractor_folder)))


def test_a_remote_model_without_an_adapter_reads_by_itself() -> None:
    extractor = connect_extractor(Settings(model="http://localhost:1/v1#m"))
    assert isinstance(extractor, ModelExtractor)
