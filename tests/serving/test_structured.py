"""What comes of a model's text: the typed value, or a failure that says why."""

import json
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from leucippus.serving.calls import Answer, Choice, Copied, Failed, FailureKind, RawAnswer, Regex, Shape, Source, Usage
from leucippus.serving.structured import parse

USAGE = Usage(11, 7)


class Claim(BaseModel):
    cause: str
    effect: str
    sign: Literal["+", "-"]


class Claims(BaseModel):
    claims: list[Claim]


RAIN = {"cause": "rain", "effect": "floods", "sign": "+"}
DAMS = {"cause": "dams", "effect": "floods", "sign": "-"}


def said(text: str, *, truncated: bool = False) -> RawAnswer:
    return RawAnswer(text, USAGE, truncated, 0.5)


def value_of(text: str, shape: Shape, *, truncated: bool = False) -> Any:
    answer = parse(said(text, truncated=truncated), shape)
    assert isinstance(answer, Answer), answer
    return answer.value


def failure_of(text: str, shape: Shape, *, truncated: bool = False) -> Failed:
    answer = parse(said(text, truncated=truncated), shape)
    assert isinstance(answer, Failed), answer
    return answer


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(RAIN),
        json.dumps(RAIN, indent=4),
        f"```json\n{json.dumps(RAIN)}\n```",
        f"```\n{json.dumps(RAIN)}```  ",
        f"Here is the claim:\n{json.dumps(RAIN)}\nI hope this helps!",
        f"Sure! ```json\n{json.dumps(RAIN)}\n``` Anything else?",
    ],
    ids=["compact", "indented", "fenced", "fenced without a language", "between prose", "fenced between prose"],
)
def test_json_is_found_in_whatever_surrounds_it(text: str) -> None:
    assert value_of(text, Claim) == Claim(cause="rain", effect="floods", sign="+")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("I do not know.", "no JSON object"),
        ("", "no JSON object"),
        ('{"cause": rain}', "not valid JSON"),
        (json.dumps({"cause": "rain", "sign": "+"}), "effect: Field required"),
        (json.dumps(RAIN | {"cause": 3}), "cause: Input should be a valid string"),
        (json.dumps(RAIN | {"sign": "?"}), "sign: Input should be '+' or '-'"),
    ],
    ids=["prose", "nothing", "broken", "missing field", "wrong type", "not an option"],
)
def test_text_that_does_not_fit_is_a_failure_that_says_why(text: str, why: str) -> None:
    failure = failure_of(text, Claim)
    assert failure.kind is FailureKind.UNPARSABLE
    assert why in failure.message
    assert (failure.text, failure.usage) == (text, USAGE)


def test_an_error_deep_inside_is_located() -> None:
    text = json.dumps({"claims": [RAIN, RAIN | {"sign": "?"}]})
    assert failure_of(text, Claims).message.startswith("claims.1.sign: ")


def test_an_answer_carries_text_usage_and_probability() -> None:
    text = json.dumps(RAIN)
    answer = parse(said(text), Claim)
    assert answer == Answer(Claim.model_validate(RAIN), text, USAGE, 0.5)


def test_a_list_cut_by_the_token_limit_keeps_its_whole_items() -> None:
    whole = json.dumps({"claims": [RAIN, DAMS]})
    for length in range(whole.index("}") + 1, len(whole)):
        kept = value_of(whole[:length], Claims, truncated=True).claims
        assert kept in ([Claim.model_validate(RAIN)], [Claim.model_validate(RAIN), Claim.model_validate(DAMS)])


def test_the_half_item_of_a_cut_list_is_dropped() -> None:
    cut = json.dumps({"claims": [RAIN, DAMS]}).removesuffix(', "sign": "-"}]}')
    assert value_of(cut, Claims, truncated=True) == Claims(claims=[Claim.model_validate(RAIN)])


def test_only_truncated_answers_are_mended() -> None:
    cut = json.dumps({"claims": [RAIN, DAMS]})[:-10]
    assert failure_of(cut, Claims).kind is FailureKind.UNPARSABLE


def test_a_bad_item_before_the_last_is_not_dropped() -> None:
    cut = json.dumps({"claims": [RAIN | {"sign": "?"}, DAMS]})[:-2]
    assert failure_of(cut, Claims, truncated=True).kind is FailureKind.TRUNCATED


@pytest.mark.parametrize("text", ['{"cause": "rain", "eff', '{"cause": "rain"', "{", "It rains, and so"])
def test_an_answer_cut_beyond_repair_says_that_it_was_cut(text: str) -> None:
    failure = failure_of(text, Claim, truncated=True)
    assert failure.kind is FailureKind.TRUNCATED
    assert "token limit" in failure.message


def test_copied_json_is_parsed_as_its_model() -> None:
    shape = Copied(Claim, {"": Source("rain floods")})
    assert value_of(json.dumps(RAIN), shape) == Claim.model_validate(RAIN)


def test_a_choice_is_one_of_its_options() -> None:
    shape = Choice(("yes", "no"))
    assert value_of(" yes\n", shape) == "yes"
    assert failure_of("maybe", shape).kind is FailureKind.UNPARSABLE
    assert failure_of("ye", shape, truncated=True).kind is FailureKind.TRUNCATED


def test_a_regex_is_matched_from_end_to_end() -> None:
    shape = Regex(r"\d{4}")
    assert value_of("1914", shape) == "1914"
    assert failure_of("1914-1918", shape).kind is FailureKind.UNPARSABLE
    assert failure_of("19", shape, truncated=True).kind is FailureKind.TRUNCATED


def test_free_text_is_taken_as_it_is() -> None:
    assert value_of(" It rains.\n", None) == " It rains.\n"


hostile_text = st.one_of(
    st.text(alphabet=st.characters(codec=None)),
    st.text(alphabet='{}[]",:\\truefalsn0123.e- \n`'),
    st.text(alphabet=st.characters(codec=None)).map(lambda inside: '{"claims": [{"cause": "' + inside),
    st.integers(0, 80).map(lambda length: json.dumps({"claims": [RAIN, DAMS]})[:length]),
    st.just("{" * 5000),
    st.just('{"claims":' + "[" * 5000),
)


@given(
    text=hostile_text,
    truncated=st.booleans(),
    shape=st.sampled_from([Claim, Claims, Copied(Claims, {}), Choice(("yes",)), Regex("[a-z]+"), None]),
)
def test_no_text_is_ever_an_exception(text: str, truncated: bool, shape: Shape) -> None:
    answer = parse(said(text, truncated=truncated), shape)
    assert isinstance(answer, Answer | Failed)
    assert answer.text == text
    assert answer.usage == USAGE
