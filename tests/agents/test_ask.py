"""Questions in plain words, and answers that say no more than the claims of a small hand-made store."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from leucippus.agents.ask import AskAnswer, Question, Wanted, answer, ask, link, understand
from leucippus.errors import InputError
from leucippus.store.database import Store, open_store
from leucippus.store.merges import Merge, record_merges
from leucippus.store.query import without_vectors
from leucippus.store.triples import Document, Passage, Sign
from leucippus.store.weave import weave
from leucippus.store.write import (
    add_concept_vectors,
    add_documents,
    add_passages,
)
from tests.agents.marked import write_marked

# Each is a document; {braces} hold the cause, [brackets] the effect.
SAID = [
    "{Heavy rain} causes [floods].",
    "{Heavy rain} may cause [floods].",
    "{Floods} cause [power outages].",
    "{Power outages} caused [food losses].",
    "{Blocked drains} cause [floods].",
    "{The ring road} did not cause [floods].",
    "{The ring road} caused [floods].",
    "{Storm walls} prevent [floods].",
    "{Storm walls} cause [floods].",
    "{Night noise} affects [hospital admissions].",
]

C, E, L, B = Wanted.CAUSES, Wanted.EFFECTS, Wanted.LINK, Wanted.BOTH
UNDERSTOOD: list[tuple[str, Wanted, str | None, str | None]] = [
    ("What causes power outages?", C, None, "power outages"),
    ("What caused the floods in York?", C, None, "floods in York"),
    ("What leads to burnout among nurses?", C, None, "burnout among nurses"),
    ("What contributes to obesity?", C, None, "obesity"),
    ("What prevents malaria?", C, None, "malaria"),
    ("What are the causes of lung cancer?", C, None, "lung cancer"),
    ("What is the main cause of accidents?", C, None, "accidents"),
    ("What is responsible for the delay?", C, None, "delay"),
    ("Which policies reduce crime?", C, None, "crime"),
    ("Why did the server crash?", C, None, "server crash"),
    ("Why do prices rise?", C, None, "prices rise"),
    ("Why are the drains blocked?", C, None, "drains blocked"),
    ("  what   CAUSES\nfloods ?! ", C, None, "floods"),
    ("What are the effects of smoking?", E, "smoking", None),
    ("What does smoking cause?", E, "smoking", None),
    ("What does rain lead to?", E, "rain", None),
    ("What did the congestion charge reduce?", E, "congestion charge", None),
    ("What happens because of drought?", E, "drought", None),
    ("What are the consequences of the strike?", E, "strike", None),
    ("What is the impact of the charge?", E, "charge", None),
    ("What results from deforestation?", E, "deforestation", None),
    ("What was triggered by the power cut?", E, "power cut", None),
    ("Which cities are affected by the charge?", E, "charge", None),
    ("Does smoking cause lung cancer?", L, "smoking", "lung cancer"),
    ("Can stress cause headaches?", L, "stress", "headaches"),
    ("Did the charge reduce traffic?", L, "charge", "traffic"),
    ("Is lung cancer caused by smoking?", L, "smoking", "lung cancer"),
    ("Are outages due to storms?", L, "storms", "outages"),
    ("How does noise affect sleep?", L, "noise", "sleep"),
    ("Why did the charge reduce traffic?", L, "charge", "traffic"),
    ("What is the effect of the charge on traffic?", L, "charge", "traffic"),
    ("What effect does rain have on crops?", L, "rain", "crops"),
    ("What is the link between stress and asthma?", L, "stress", "asthma"),
    ("What is linked to asthma?", B, "asthma", "asthma"),
    ("Tell me about the ring road", B, "ring road", "ring road"),
    ("floods", B, "floods", "floods"),
]


@pytest.mark.parametrize(("text", "wanted", "cause", "effect"), UNDERSTOOD, ids=[row[0].strip() for row in UNDERSTOOD])
def test_understands(text: str, wanted: Wanted, cause: str | None, effect: str | None) -> None:
    assert understand(text) == Question(text, wanted, cause, effect)


@pytest.mark.parametrize("text", ["", "   ", "?", " ?! \n"])
def test_an_empty_question_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InputError) as caught:
        understand(text)
    assert "What causes" in caught.value.expected


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(tmp_path_factory.mktemp("ask") / "store.duckdb", threads=1) as opened:
        write_marked(opened, SAID)
        yield opened


def _edges(found: AskAnswer) -> set[tuple[str, Sign, bool]]:
    return {(s.edge.name, s.edge.sign, s.edge.negated) for s in found.statements if s.edge}


QUESTIONS = ["What causes floods?", "What does heavy rain cause?", "Does the ring road cause floods?", "floods"]


@pytest.mark.parametrize("text", QUESTIONS)
def test_every_statement_rests_on_quotes_with_their_document(store: Store, text: str) -> None:
    found = ask(store, text)
    assert found.statements and found.note.startswith("10 claims are not woven in")
    for statement in found.statements:
        assert statement.evidence
        for row in statement.evidence:
            assert row.claim.quote and row.uri.startswith("notes/") and row.title.startswith("note ")
            assert statement.edge and row.claim.sign is statement.edge.sign
            assert row.claim.negated is statement.edge.negated


def test_causes(store: Store) -> None:
    assert _edges(ask(store, "What causes floods?")) == {
        ("heavy rain", Sign.POSITIVE, False),
        ("blocked drain", Sign.POSITIVE, False),
        ("ring road", Sign.POSITIVE, False),
        ("ring road", Sign.POSITIVE, True),
        ("storm wall", Sign.NEGATIVE, False),
        ("storm wall", Sign.POSITIVE, False),
    }


def test_effects(store: Store) -> None:
    assert _edges(ask(store, "What do floods cause?")) == {("power outage", Sign.POSITIVE, False)}


def test_both_sides_of_a_topic(store: Store) -> None:
    assert {name for name, _, _ in _edges(ask(store, "power outages"))} == {"flood", "food loss"}


def test_claims_are_counted_with_documents_and_doubt(store: Store) -> None:
    (said,) = [s.text for s in ask(store, "What does heavy rain cause?").statements]
    assert "2 claims in 2 documents, 1 hedged" in said


def test_the_surer_claim_is_quoted_first(store: Store) -> None:
    (statement,) = ask(store, "What does heavy rain cause?").statements
    assert [row.claim.hedged for row in statement.evidence] == [False, True]


def test_a_denial_is_a_statement_of_its_own(store: Store) -> None:
    texts = [s.text for s in ask(store, "Does the ring road cause floods?").statements]
    assert len(texts) == 2
    assert sum("does not bring about" in text for text in texts) == 1


def test_claims_of_opposite_sign_are_not_added_up(store: Store) -> None:
    found = ask(store, "Do storm walls affect floods?")
    assert _edges(found) == {("flood", Sign.NEGATIVE, False), ("flood", Sign.POSITIVE, False)}
    assert all(s.edge and s.edge.claims == 1 for s in found.statements)


def test_a_chain_joins_what_no_claim_joins_directly(store: Store) -> None:
    found = ask(store, "Does heavy rain cause power outages?")
    assert found.statements == ()
    (chain,) = found.chains
    assert [row.claim.quote for row in chain.evidence] == ["Heavy rain causes floods.", "Floods cause power outages."]


def test_a_direct_link_is_no_chain(store: Store) -> None:
    found = ask(store, "Does heavy rain cause floods?")
    assert found.statements and found.chains == ()


def test_a_denied_link_makes_no_chain(tmp_path: Path) -> None:
    with open_store(tmp_path / "s.duckdb", threads=1) as store:
        write_marked(store, ["{Rain} did not cause [floods].", "{Floods} cause [power outages]."])
        assert ask(store, "Does rain cause power outages?").chains == ()


def test_a_chain_runs_one_way(store: Store) -> None:
    found = ask(store, "Do power outages cause heavy rain?")
    assert (found.statements, found.chains, found.note) == ((), (), "Nothing in this store answers that.")


def test_what_the_store_does_not_know_is_named(store: Store) -> None:
    found = ask(store, "Do volcanoes cause floods?")
    assert (found.statements, found.note) == ((), "Nothing in this store is about 'volcanoes'.")
    assert [hit.name for hit in found.concepts] == ["flood"]


def test_what_is_known_on_the_other_side_only_gives_no_answer(store: Store) -> None:
    assert ask(store, "What causes heavy rain?").note == "Nothing in this store answers that."


def test_an_empty_store_answers_that_there_is_nothing(tmp_path: Path) -> None:
    with open_store(tmp_path / "s.duckdb", threads=1) as store:
        assert ask(store, "What causes floods?").note == "Nothing in this store is about 'floods'."


@pytest.mark.parametrize("phrase", ["", "  "])
def test_an_empty_phrase_is_refused(store: Store, phrase: str) -> None:
    with pytest.raises(InputError, match="empty"):
        answer(store, Question("", Wanted.CAUSES, None, phrase))


class Encoder:
    """Every text gets the first axis; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked += texts
        return np.eye(1, 384, dtype=np.float32).repeat(len(texts), axis=0)


def test_no_vector_is_made_where_the_words_match(store: Store) -> None:
    encode = Encoder()
    ask(store, "What causes floods?", encode)
    assert encode.asked == []


def test_a_phrase_is_encoded_where_no_words_match(store: Store) -> None:
    encode = Encoder()
    ask(store, "What causes inundation?", encode)
    assert encode.asked == ["inundation"]


@pytest.mark.parametrize(("cosine", "found"), [(0.9, ["flood"]), (0.3, [])])
def test_a_phrase_means_the_nearest_concept_if_it_is_near(tmp_path: Path, cosine: float, found: list[str]) -> None:
    with open_store(tmp_path / "s.duckdb", threads=1) as store:
        write_marked(store, ["{Rain} causes [floods]."])
        names = {name: concept_id for concept_id, name in without_vectors(store)}
        vectors = np.zeros((2, 384), dtype=np.float32)
        vectors[0, :2] = cosine, (1 - cosine**2) ** 0.5
        vectors[1, 2] = 1
        add_concept_vectors(store, [names["flood"], names["rain"]], vectors)
        assert [hit.name for hit in link(store, "inundation", Encoder())] == found


def test_half_of_the_words_are_not_enough(store: Store) -> None:
    assert link(store, "hospital budgets") == []


def test_a_concept_with_more_words_is_still_meant(store: Store) -> None:
    assert [hit.name for hit in link(store, "admissions")] == ["hospital admission"]


STRANGE = [
    "'; DROP TABLE claims; --",
    '" OR 1=1 --',
    "%_$1?*[](){}\\",
    "$name $limit $forms",
    "🌧️ causes 🌊?",
    "\x00 causes \x00",
    "\udcff causes \udcfe",
    "causes",
    "because because because",
    "the of a",
    "雨は洪水を引き起こしますか",
    "What causes " + "very " * 5000 + "long questions?",
    "a" * 100_000,
    "cause " * 3000,
]


@pytest.mark.parametrize("text", STRANGE, ids=[repr(text[:20]) for text in STRANGE])
def test_strange_questions_get_an_answer(store: Store, text: str) -> None:
    found = ask(store, text)
    assert found.note or found.statements
    assert len(store.rows("SELECT 1 FROM claims")) == len(SAID)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(), max_size=60))
def test_any_text_gets_an_answer_or_an_input_error(store: Store, text: str) -> None:
    try:
        found = ask(store, text)
    except InputError:
        return
    assert found.note or found.statements or found.chains


def test_a_phrase_within_the_other_keeps_its_own_meaning(tmp_path: Path) -> None:
    with open_store(tmp_path / "lcm.duckdb") as opened:
        write_marked(opened, ["{Floods} cause [flood damage]."])
        assert ask(opened, "Do floods cause flood damage?").statements


def test_a_doubtful_step_of_a_chain_is_marked(tmp_path: Path) -> None:
    with open_store(tmp_path / "lcm.duckdb") as opened:
        write_marked(opened, ["{Rain} may cause [sewer overflow].", "{Sewer overflow} causes [bathing bans]."])
        (chain,) = ask(opened, "Does rain cause bathing bans?").chains
    first, second = chain.text.split(";")
    assert "(hedged)" in first and "(hedged)" not in second


def test_what_only_mentions_the_words_is_shown_as_that(tmp_path: Path) -> None:
    document = Document.of("The coffee harvest was late.", media_type="text/plain", title="Harvest")
    with open_store(tmp_path / "lcm.duckdb") as opened:
        add_documents(opened, [(document, "harvest.txt")])
        add_passages(opened, [Passage.of(document, 0, len(document.text))])
        found = ask(opened, "Does coffee cause cancer?")
    assert not found.statements and "Nothing in this store" in found.note
    assert [hit.title for hit in found.mentions] == ["Harvest"]


WEIGHTS = {"one": -1.0, "sources": 2.0, "hedged": -1.0, "denied": -3.0, "contested": -1.0}


@pytest.fixture(scope="module")
def woven(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The same claims, and that downpours are heavy rain and dry streets the contrary of floods."""
    with open_store(tmp_path_factory.mktemp("woven") / "store.duckdb", threads=1) as opened:
        write_marked(opened, [*SAID, "{Downpours} cause [floods].", "{Tree roots} cause [dry streets]."])
        record_merges(
            opened,
            [
                Merge("downpour", "heavy rain", 1, "person", "the same"),
                Merge("dry street", "flood", -1, "person", "the contrary"),
            ],
        )
        weave(opened, WEIGHTS)
        yield opened


def test_woven_claims_are_counted_together_whatever_their_words(woven: Store) -> None:
    (statement,) = ask(woven, "Do downpours cause floods?").statements
    assert statement.link is not None and statement.link.claims == 3
    assert statement.text.startswith("heavy rain brings about or increases flood (")
    assert "3 claims in 3 documents, 1 hedged" in statement.text
    assert {row.claim.cause for row in statement.evidence} == {"Heavy rain", "Downpours"}
    assert ask(woven, "Do downpours cause floods?").note == ""


def test_a_woven_disagreement_is_one_statement_with_a_quote_of_each_side(woven: Store) -> None:
    (statement,) = ask(woven, "Does the ring road cause floods?").statements
    assert "disputed" in statement.text and "contested: 1 raises, 1 denied" in statement.text
    assert [row.claim.negated for row in statement.evidence] == [False, True]
    (statement,) = ask(woven, "Do storm walls affect floods?").statements
    assert "storm wall affects flood" in statement.text and "contested: 1 raises, 1 lowers" in statement.text
    assert {row.claim.sign for row in statement.evidence} == {Sign.POSITIVE, Sign.NEGATIVE}


def test_what_turns_a_phrase_turns_the_sign(woven: Store) -> None:
    (statement,) = ask(woven, "What do tree roots cause?").statements
    assert statement.text.startswith("tree root prevents or reduces flood")
    assert statement.evidence[0].claim.effect == "dry streets"


def test_a_woven_route_has_a_sign_and_a_weakest_link(woven: Store) -> None:
    found = ask(woven, "Do tree roots cause food losses?")
    (chain,) = found.chains
    assert chain.route is not None and chain.route.sign is Sign.NEGATIVE
    assert "Together: tree root prevents or reduces food loss" in chain.text and "weakest link: " in chain.text
    assert [row.claim.quote for row in chain.evidence] == [
        "Tree roots cause dry streets.",
        "Floods cause power outages.",
        "Power outages caused food losses.",
    ]


def test_a_way_over_a_contested_link_has_no_sign(woven: Store) -> None:
    (chain,) = ask(woven, "Do storm walls cause power outages?").chains
    assert "which way is open" in chain.text and "(contested)" in chain.text


def test_what_is_only_denied_is_said_to_be_denied(tmp_path: Path) -> None:
    with open_store(tmp_path / "s.duckdb", threads=1) as opened:
        write_marked(opened, ["{Rain} did not cause [floods].", "{Floods} cause [power outages]."])
        weave(opened, WEIGHTS)
        (statement,) = ask(opened, "Does rain cause floods?").statements
        assert statement.text.startswith("rain does not bring about or increase flood (")
        assert ask(opened, "Does rain cause power outages?").chains == ()


def test_phrases_that_mean_one_concept_say_nothing_about_each_other(woven: Store) -> None:
    assert ask(woven, "Do downpours cause heavy rain?").note == "Nothing in this store answers that."


def test_claims_that_are_not_woven_in_are_not_left_out(tmp_path: Path) -> None:
    with open_store(tmp_path / "s.duckdb", threads=1) as opened:
        write_marked(opened, ["{Rain} causes [floods]."])
        weave(opened, WEIGHTS)
        write_marked(opened, ["{Rain} causes [landslides]."])
        found = ask(opened, "What does rain cause?")
        assert {s.edge.name for s in found.statements if s.edge} == {"flood", "landslide"}
        assert "1 claim is not woven in" in found.note and "leucippus lcm weave" in found.note


@pytest.mark.parametrize("text", STRANGE, ids=[repr(text[:20]) for text in STRANGE])
def test_strange_questions_get_an_answer_from_woven_edges(woven: Store, text: str) -> None:
    found = ask(woven, text)
    assert found.note or found.statements
