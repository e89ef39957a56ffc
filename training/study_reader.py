"""JOB train reader: invented studies → the study reader, its scores on studies held out, and on each author left out.

Logistic regressions (scikit-learn) over the features of `agents.inquiry.features`: seconds to learn, half a megabyte, the
same weights every time. `leave_one_out` measures what to expect of texts by other hands.
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
from leucippus.agents.inquiry.description import Description, read_description
from leucippus.agents.inquiry.linear import Linear, damped, normalised
from leucippus.agents.inquiry.matching import Columns
from leucippus.agents.inquiry.reader import MODELS, Reading, StudyReader
from leucippus.training.studies import Study, read_studies

_KINDS = {"category": "categorical", "id": "identifier"}
"""What the studies call a kind → what the profile calls it."""


@dataclass(frozen=True)
class Recipe:
    """Inverse of the ridge penalty of each model, and how often a feature has to come."""

    penalty: Mapping[str, float] = field(
        default_factory=lambda: {"strategy": 20.0, "assignment": 20.0, "told": 5.0, "role": 1.0}
    )
    fewest: int = 2


@dataclass(frozen=True, eq=False)
class Lesson:
    """A study as the reader sees it, and what it should make of it."""

    study: Study
    description: Description
    kinds: Mapping[str, str]
    columns: Columns
    whole: Mapping[str, float]
    roles: Mapping[str, Mapping[str, float]]

    @property
    def told(self) -> str:
        """The sentence that says how the treatment came about: the one that shares most words with the annotation."""
        words = set(re.findall(r"\w+", self.study.assignment_words.lower()))
        shared = {one: len(words & set(re.findall(r"\w+", one.lower()))) for one in self.description.sentences}
        best = max(shared, key=lambda one: shared[one], default="")
        return best if words and best and shared[best] > len(words) / 2 else ""


def lesson(study: Study) -> Lesson:
    description = read_description(study.description, list(study.columns))
    kinds = {name: _KINDS.get(kind, kind) for name, kind in study.kinds.items()}
    columns = Columns(tuple(kinds), description.columns, {})
    whole = features.of_study(study.question, description, kinds)
    roles = features.of_columns(study.question, description, kinds, columns)
    return Lesson(study, description, kinds, columns, whole, roles)


def learn(lessons: Sequence[Lesson], recipe: Recipe | None = None) -> StudyReader:
    """The reader that these lessons teach."""
    recipe = recipe or Recipe()
    taught: dict[str, list[tuple[Mapping[str, float], str]]] = {name: [] for name in MODELS}
    for one in lessons:
        taught["strategy"].append((one.whole, one.study.strategy))
        taught["assignment"].append((one.whole, one.study.assignment_kind))
        sentences, told = one.description.sentences, one.told
        for at, sentence in enumerate(sentences):
            label = "told" if sentence == told else "silent"
            taught["told"].append((features.of_sentence(sentence, at, len(sentences)), label))
        meant = set(re.findall(r"\w+", one.study.subset))
        for name, marks in one.roles.items():
            role = one.study.columns[name]
            if name in meant and role in ("covariate", "other", "confounder"):
                role = "subset"
            taught["role"].append((marks, role))
    return StudyReader(
        *(_fit(taught[name], recipe.penalty[name], recipe.fewest, rare=name != "role") for name in MODELS)
    )


def _fit(rows: Sequence[tuple[Mapping[str, float], str]], penalty: float, fewest: int, rare: bool) -> Linear:
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression

    counts = Counter(name for marks, _ in rows for name in marks)
    names = sorted(name for name, count in counts.items() if count >= fewest)
    place = {name: at for at, name in enumerate(names)}
    rarity = np.array([np.log((1 + len(rows)) / (1 + counts[name])) + 1 if rare else 0.0 for name in names])
    values, columns, ends = [], [], [0]
    for marks, _ in rows:
        known = {name: value for name, value in marks.items() if name in place}
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
    lessons = [lesson(study) for study in read_studies()]
    save(learn(lessons), out)
    by_author = leave_one_out(lessons)
    total = sum(scores["studies"] for scores in by_author.values())
    mean = {
        name: round(sum(scores[name] * scores["studies"] for scores in by_author.values()) / total, 4)
        for name in next(iter(by_author.values()))
        if name != "studies"
    }
    return {"out": str(out), "studies": int(total), **mean}


def leave_one_out(lessons: Sequence[Lesson], recipe: Recipe | None = None) -> dict[str, dict[str, float]]:
    """Author (the letter of an id) → scores of a reader that learned from all others."""
    found = {}
    for author in sorted({one.study.id[0] for one in lessons}):
        others = [one for one in lessons if one.study.id[0] != author]
        found[author] = measure(learn(others, recipe), [one for one in lessons if one.study.id[0] == author])
    return found


def measure(reader: StudyReader, lessons: Sequence[Lesson]) -> dict[str, float]:
    """Shares that are read right.

    strategy, assignment, told (the sentence that says it): of all studies. treatment, outcome: the likeliest column is the
    annotated one, of studies to be estimated. roles: of all columns, confounders and other covariates counted as one.
    after_recall, after_precision: of columns that must not be adjusted for.
    """
    count: Counter[str] = Counter()
    for one in lessons:
        study = one.study
        found = reader.read(study.question, one.description, one.kinds, one.columns)
        count["studies"] += 1
        count["strategy"] += _likeliest(found.strategies) == study.strategy
        count["assignment"] += _likeliest(found.assignment) == study.assignment_kind
        count["told"] += found.told == one.told
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
