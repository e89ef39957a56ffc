"""JOB train reader: invented studies → the study reader, and its scores on the studies of authors left out.

Logistic regressions (scikit-learn) over named features: minutes to learn, a few megabytes, the same weights every time.
`leave_out` measures what to expect of texts by other hands.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from leucippus.agents.inquiry import features
from leucippus.agents.inquiry.column_marks import of_columns
from leucippus.agents.inquiry.description import Description, read_description
from leucippus.agents.inquiry.linear import Linear, damped, normalised
from leucippus.agents.inquiry.matching import Columns
from leucippus.agents.inquiry.question_words import classes, marks, phrases
from leucippus.agents.inquiry.reader import MODELS, Reading, StudyReader
from leucippus.training.studies import Study, read_studies

_KINDS = {"category": "categorical", "id": "identifier"}
"""What the studies call a kind → what the profile calls it."""
_PARTS = 6
"""Into which authors are split."""


@dataclass(frozen=True)
class Recipe:
    """Inverse of the ridge penalty of each model, and how often a feature has to come."""

    penalty: Mapping[str, float] = field(
        default_factory=lambda: {"strategy": 6.0, "assignment": 20.0, "told": 5.0, "word": 0.3, "role": 0.2}
    )
    fewest: int = 2


@dataclass(frozen=True, eq=False)
class Text:
    """A study as the reader sees it."""

    study: Study
    description: Description
    kinds: Mapping[str, str]
    columns: Columns
    whole: Mapping[str, float]
    words: Sequence[Mapping[str, float]]

    @property
    def author(self) -> str:
        return self.study.id[0]

    @property
    def told(self) -> str:
        """The sentence that says how the treatment came about: the one that shares most words with the annotation."""
        words = set(re.findall(r"\w+", self.study.assignment_words.lower()))
        shared = {one: len(words & set(re.findall(r"\w+", one.lower()))) for one in self.description.sentences}
        best = max(shared, key=lambda one: shared[one], default="")
        return best if words and best and shared[best] > len(words) / 2 else ""


@dataclass(frozen=True, eq=False)
class Lesson:
    """A study, and its columns as they look to models that have not learned from its author."""

    text: Text
    roles: Mapping[str, Mapping[str, float]]


def read(study: Study) -> Text:
    description = read_description(study.description, list(study.columns))
    kinds = {name: _KINDS.get(kind, kind) for name, kind in study.kinds.items()}
    whole = features.of_study(study.question, description, kinds)
    return Text(study, description, kinds, Columns(tuple(kinds), description.columns, {}), whole, marks(study.question))


def lessons(studies: Sequence[Study], recipe: Recipe | None = None) -> list[Lesson]:
    """Studies with marks of columns as they will be met: what was made of their words is no better than of new ones.

    The authors are split into parts; each is read by models of words and strategies that learned from all others.
    """
    recipe = recipe or Recipe()
    texts = [read(study) for study in studies]
    authors = sorted({text.author for text in texts})
    found: dict[str, Lesson] = {}
    for part in range(_PARTS):
        mine = set(authors[part::_PARTS])
        others = [text for text in texts if text.author not in mine] or texts
        word, strategy = _learn_words(others, recipe), _learn_strategy(others, recipe)
        for text in texts:
            if text.author in mine:
                sides = phrases(text.study.question, word.probabilities)
                shares = strategy.probabilities(text.whole)
                seen = (text.description, text.kinds, text.columns)
                found[text.study.id] = Lesson(text, of_columns(text.study.question, sides, shares, *seen))
    return [found[text.study.id] for text in texts]


def learn(lessons: Sequence[Lesson], recipe: Recipe | None = None) -> StudyReader:
    """The reader that these lessons teach."""
    recipe = recipe or Recipe()
    texts = [one.text for one in lessons]
    assignment = [(text.whole, text.study.assignment_kind) for text in texts]
    told, role = [], []
    for one in lessons:
        sentences, study = one.text.description.sentences, one.text.study
        for at, sentence in enumerate(sentences):
            label = "told" if sentence == one.text.told else "silent"
            told.append((features.of_sentence(sentence, at, len(sentences)), label))
        meant = set(re.findall(r"\w+", study.subset))
        for name, seen in one.roles.items():
            which = study.columns[name]
            subset = name in meant and which in ("covariate", "other", "confounder")
            role.append((seen, "subset" if subset else which))
    penalty = recipe.penalty
    return StudyReader(
        _learn_strategy(texts, recipe),
        _fit(assignment, penalty["assignment"], recipe.fewest, rare=True),
        _fit(told, penalty["told"], recipe.fewest, rare=True),
        _learn_words(texts, recipe),
        _fit(role, penalty["role"], recipe.fewest, rare=False),
    )


def _learn_strategy(texts: Sequence[Text], recipe: Recipe) -> Linear:
    rows = [(text.whole, text.study.strategy) for text in texts]
    return _fit(rows, recipe.penalty["strategy"], recipe.fewest, rare=True)


def _learn_words(texts: Sequence[Text], recipe: Recipe) -> Linear:
    rows = []
    for text in texts:
        study = text.study
        labels = classes(study.question, study.treatment_words, study.outcome_words)
        rows += list(zip(text.words, labels, strict=True))
    return _fit(rows, recipe.penalty["word"], recipe.fewest, rare=False)


def _fit(rows: Sequence[tuple[Mapping[str, float], str]], penalty: float, fewest: int, rare: bool) -> Linear:
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression

    counts = Counter(name for seen, _ in rows for name in seen)
    names = sorted(name for name, count in counts.items() if count >= fewest)
    place = {name: at for at, name in enumerate(names)}
    rarity = np.array([np.log((1 + len(rows)) / (1 + counts[name])) + 1 if rare else 0.0 for name in names])
    values, columns, ends = [], [], [0]
    for seen, _ in rows:
        known = {name: value for name, value in seen.items() if name in place}
        if rare:
            known = normalised({name: damped(value) * rarity[place[name]] for name, value in known.items()})
        values += list(known.values())
        columns += [place[name] for name in known]
        ends.append(len(values))
    matrix = csr_matrix((values, columns, ends), shape=(len(rows), len(names)))
    model: Any = LogisticRegression(C=penalty, max_iter=400, tol=1e-3).fit(matrix, [label for _, label in rows])
    weights, bias = model.coef_.T, model.intercept_
    if weights.shape[1] == 1:  # of two classes scikit-learn gives the second's alone
        weights, bias = np.column_stack([-weights / 2, weights / 2]), np.array([-bias[0] / 2, bias[0] / 2])
    return Linear(tuple(map(str, model.classes_)), tuple(names), weights, bias, rarity)


def save(reader: StudyReader, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, Any] = {}
    for name in MODELS:
        model: Linear = getattr(reader, name)
        arrays |= model.arrays(name)
    np.savez_compressed(path, **arrays)


def train(out: Path) -> dict[str, Any]:
    """Learn from every study, write the reader, and say what to expect of texts by other hands."""
    taught = lessons(read_studies())
    save(learn(taught), out)
    parts = leave_out(taught)
    total = sum(scores["studies"] for scores in parts.values())
    mean = {
        name: round(sum(scores[name] * scores["studies"] for scores in parts.values()) / total, 4)
        for name in next(iter(parts.values()))
        if name != "studies"
    }
    return {"out": str(out), "studies": int(total), **mean}


def leave_out(lessons: Sequence[Lesson], recipe: Recipe | None = None) -> dict[str, dict[str, float]]:
    """Authors (the first letters of ids) → scores on their studies of a reader that learned from all others'."""
    authors = sorted({one.text.author for one in lessons})
    found = {}
    for part in range(min(_PARTS, len(authors))):
        mine = set(authors[part::_PARTS])
        others = [one for one in lessons if one.text.author not in mine]
        held = [one for one in lessons if one.text.author in mine]
        found["".join(sorted(mine))] = measure(learn(others, recipe), held)
    return found


def measure(reader: StudyReader, lessons: Sequence[Lesson]) -> dict[str, float]:
    """Shares that are read right.

    strategy, assignment, told (the sentence that says it): of all studies. treatment, outcome: the likeliest column is the
    annotated one, of studies to be estimated. roles: of all columns, confounders and other covariates counted as one.
    after_recall, after_precision: of columns that must not be adjusted for.
    """
    count: Counter[str] = Counter()
    for one in lessons:
        text, study = one.text, one.text.study
        found = reader.read(study.question, text.description, text.kinds, text.columns)
        count["studies"] += 1
        count["strategy"] += _likeliest(found.strategies) == study.strategy
        count["assignment"] += _likeliest(found.assignment) == study.assignment_kind
        count["told"] += found.told == text.told
        if study.expected == "estimate":
            count["estimated"] += 1
            count["treatment"] += _column(found, "treatment") == study.treatment
            count["outcome"] += _column(found, "outcome") == study.outcome
        for name, role in study.columns.items():
            shares = found.roles[name]
            harmful, seen = role in ("after", "same"), shares["after"] + shares["same"] > 0.5
            count.update(columns=1, harmful=harmful, seen=seen, both=harmful and seen)
            count["roles"] += _merged(_likeliest(shares)) == _merged(role)
    scores = {name: count[name] / count["studies"] for name in ("strategy", "assignment", "told")}
    scores |= {name: count[name] / max(count["estimated"], 1) for name in ("treatment", "outcome")}
    scores["roles"] = count["roles"] / count["columns"]
    scores["after_recall"] = count["both"] / max(count["harmful"], 1)
    scores["after_precision"] = count["both"] / max(count["seen"], 1)
    return {"studies": float(count["studies"])} | {name: round(share, 4) for name, share in scores.items()}


def _column(found: Reading, role: str) -> str:
    return max(found.roles, key=lambda name: found.roles[name][role])


def _likeliest(shares: Mapping[str, float]) -> str:
    return max(shares, key=lambda name: shares[name])


def _merged(role: str) -> str:
    return "covariate" if role in ("confounder", "subset") else role
