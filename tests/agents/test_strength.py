"""What a claim rests on, and of whom, where and when it is said, from its words."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leucippus.agents.strength import scope, strength
from leucippus.store.triples import Evidence

EXPERIMENTAL, OBSERVATIONAL = Evidence.EXPERIMENTAL, Evidence.OBSERVATIONAL
OPINION, UNSTATED = Evidence.OPINION, Evidence.UNSTATED


@pytest.mark.parametrize(
    ("sentence", "evidence"),
    [
        ("In a randomised trial, aspirin reduced strokes.", EXPERIMENTAL),
        ("Compared with placebo, the drug lowered blood pressure.", EXPERIMENTAL),
        ("We administered haloperidol, which induced catalepsy.", EXPERIMENTAL),
        ("Rats were injected with pilocarpine, which causes seizures.", EXPERIMENTAL),
        ("Our experiments show that heat weakens the joint.", EXPERIMENTAL),
        ("In a cohort of 2,000 nurses, night shifts raised blood pressure.", OBSERVATIONAL),
        ("We report a case of hepatitis caused by methyldopa.", OBSERVATIONAL),
        ("Coffee is associated with lower mortality.", OBSERVATIONAL),
        ("A logistic regression shows that debt leads to default.", OBSERVATIONAL),
        ("Patients treated with high doses of lithium developed polyuria.", OBSERVATIONAL),
        ("A natural experiment shows that lotteries change labour supply.", OBSERVATIONAL),
        ("I believe that taxes hurt growth.", OPINION),
        ("Critics argue that the trial caused harm.", OPINION),
        ("“Tariffs cause job losses,” said the senator.", OPINION),
        ("Some may say that welfare makes people idle.", OPINION),
        ("In our opinion, stress causes ulcers.", OPINION),
        ("Smoking causes lung cancer.", UNSTATED),
        ("No randomised trials show that it causes harm.", UNSTATED),
        ("Further experiments are needed because the drug causes harm.", UNSTATED),
        ("A thought experiment leads to a paradox.", UNSTATED),
        ("Tumour regression led to relief.", UNSTATED),
        ("Couples who argue cause noise.", UNSTATED),
        ("The trial court's ruling led to an appeal.", UNSTATED),
        ("They maintain roads, which prevents accidents.", UNSTATED),
        ("", UNSTATED),
    ],
)
def test_what_the_words_of_the_sentence_tell(sentence: str, evidence: Evidence) -> None:
    assert strength(sentence, sentence, "") is evidence


def test_a_study_around_a_sentence_speaks_for_its_findings_only() -> None:
    passage = "Stress raises blood pressure. Sixty dogs were randomly assigned. We found that the drug lowered it."
    assert strength("We found that the drug lowered it.", passage, "") is EXPERIMENTAL
    assert strength("Stress raises blood pressure.", passage, "") is UNSTATED
    assert strength("RESULTS: The drug lowered it.", "", "A cohort study of nurses") is OBSERVATIONAL


@pytest.mark.parametrize(
    ("sentence", "population", "place", "period"),
    [
        ("In patients with diabetes, metformin reduces mortality.", "In patients with diabetes", None, None),
        (
            "Smoking raises risk among women over 50 in Germany since 2008.",
            "among women over 50", "in Germany", "since 2008",
        ),
        ("OCT lowers PTH in rats.", "in rats", None, None),
        ("Aspirin in patients with renal failure increases bleeding.", "in patients with renal failure", None, None),
        ("It helps in the elderly.", "in the elderly", None, None),
        (
            "Between 1990 and 2000, taxes reduced smoking in the United States.",
            None, "in the United States", "Between 1990 and 2000",
        ),
        ("Output fell during the 1990s across rural areas.", None, "across rural areas", "during the 1990s"),
        ("In June the rain caused floods.", None, None, None),
        ("Nothing came of it in Group A, in 3000 ways.", None, None, None),
        ("In March 2011 the wave flooded the plant in Japan.", None, "in Japan", "In March 2011"),
        ("Germany exports cars because China grows.", None, None, None),
    ],
)  # fmt: skip
def test_scope_is_what_the_sentence_says(
    sentence: str, population: str | None, place: str | None, period: str | None
) -> None:
    assert scope(sentence) == (population, place, period)


_PIECES = st.sampled_from(
    ["in ", "among ", "patients ", "rats", "with ", "over 50 ", "Germany", "the United States", "since ", "2008", "1990",
     "between ", "and ", "diabetes", ", ", ". ", "trial ", "\n", "‘", "ß", "患者", "مرضى", "believe ", "“", "  ", "who "]
)  # fmt: skip


@given(st.one_of(st.text(max_size=200), st.lists(_PIECES, max_size=30).map("".join)))
@settings(max_examples=300, deadline=None)
def test_scope_is_verbatim(sentence: str) -> None:
    for part in scope(sentence):
        assert part is None or (part and part in sentence)
    assert strength(sentence, sentence, sentence) in {EXPERIMENTAL, OBSERVATIONAL, OPINION, UNSTATED}


@pytest.mark.parametrize("piece", ["in ", "patients ", "in patients with ", "we ", " ", '"', "a a a ", "x", "患"])
def test_a_megabyte_takes_no_time(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    began = time.process_time()
    scope(text)
    strength(text, text, text)
    assert time.process_time() - began < 5
