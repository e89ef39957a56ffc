"""Every error says what happened, crosses process borders whole, and stands in the tree."""

import inspect
import pickle
import re

import pytest

from leucippus import errors
from leucippus.errors import LeucippusError

CLASSES = [each for _, each in inspect.getmembers(errors, inspect.isclass) if issubclass(each, LeucippusError)]


@pytest.mark.parametrize("kind", CLASSES)
def test_an_error_survives_pickling_with_its_fields(kind: type[LeucippusError]) -> None:
    error = kind("found 3", expected="2", next_step="try again")
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind
    assert (copy.problem, copy.expected, copy.next_step) == ("found 3", "2", "try again")
    assert str(copy) == str(error)


def test_the_message_leaves_out_what_is_not_known() -> None:
    assert str(LeucippusError("found 3")) == "found 3"
    assert str(LeucippusError("found 3", expected="2")) == "found 3\nExpected: 2"
    assert str(LeucippusError("found 3", next_step="wait")) == "found 3\nNext: wait"


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes() -> None:
    drawn: dict[str, int] = {}
    for line in (errors.__doc__ or "").splitlines():
        if match := re.match(r"    ([│├└─ ]*)(\w+)(?=\s|$)", line):
            drawn[match[2]] = len(match[1]) // 4
    assert drawn == {each.__name__: len(each.__mro__) - len(LeucippusError.__mro__) for each in CLASSES}


def test_the_tree_marks_what_can_be_retried() -> None:
    marked = set(re.findall(r"(\w+) +[^\n]*\(retryable\)", errors.__doc__ or ""))
    assert marked == {each.__name__ for each in CLASSES if each.retryable}
