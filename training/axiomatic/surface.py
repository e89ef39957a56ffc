"""Premises and questions in the words that a small decoder is trained on, and the names that stand in them.

`A1 causes b. b causes C. Does A1 cause C?` Names are letters and digits of any length and never a word of the language,
in any case of letters, so that no name can be read as a label.

References
----------
Vashishtha et al. (2025): the form of premises and hypotheses, names of one to three characters.
"""

from collections.abc import Sequence
from random import Random
from string import ascii_letters, digits

from leucippus.errors import InputError
from leucippus.graphs.axioms import Axiom, Question
from leucippus.graphs.dag import Edge

WORDS = (
    "causes", "Does", "cause", "Are", "and", "d-separated", "given", "Is", "irrelevant", "to", "while", "do", "change",
    "collider", "confounder", "of", "between", "adjust", "for", "back-door", "Yes", "No",
)  # fmt: skip
"""What is read as a whole; everything else is read sign by sign."""
ALPHABET = ascii_letters + digits
_TAKEN = frozenset(word.casefold() for word in WORDS)


def draw_names(
    random: Random, count: int, shortest: int = 1, longest: int = 3, alphabet: Sequence[str] = ALPHABET
) -> list[str]:
    """Different names, their lengths drawn too.

    Raises
    ------
    InputError : there are not so many names of such lengths.
    """
    if not 1 <= shortest <= longest or count > len(alphabet) ** longest // 2:
        raise InputError(
            f"There are no {count} names of {shortest} to {longest} characters.", expected="fewer, or longer ones"
        )
    names: dict[str, None] = {}
    while len(names) < count:
        name = "".join(random.choices(alphabet, k=random.randint(shortest, longest)))
        if name.casefold() not in _TAKEN:
            names[name] = None
    return list(names)


def premises(edges: Sequence[Edge]) -> str:
    """One sentence an edge."""
    return " ".join(f"{cause} causes {effect}." for cause, effect in edges)


def ask(question: Question) -> str:
    """The question as one sentence."""
    x, y = question.x, question.y
    members = f"{{{', '.join(question.given)}}}"
    match question.axiom:
        case Axiom.TRANSITIVITY:
            return f"Does {x} cause {y}?"
        case Axiom.D_SEPARATION:
            return f"Are {x} and {y} d-separated{f' given {members}' if question.given else ''}?"
        case Axiom.INTERVENTION:
            return f"Does do {x} change {y} while do {members}?"
        case Axiom.IRRELEVANCE:
            return f"Is {x} irrelevant to {y} while do {members}?"
        case Axiom.COLLIDER:
            return f"Is {question.given[0]} collider between {x} and {y}?"
        case Axiom.CONFOUNDER:
            return f"Is {question.given[0]} confounder of {x} and {y}?"
        case Axiom.BACK_DOOR:
            return f"Is {members} back-door for {x} and {y}?"
        case Axiom.ADJUSTMENT:
            return f"Does {members} adjust for {x} and {y}?"


def wording(edges: Sequence[Edge], question: Question) -> str:
    """Premises and question."""
    return f"{premises(edges)} {ask(question)}"
