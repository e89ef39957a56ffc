"""The tagger learns, keeps its word embeddings, and a run cut short ends where an undisturbed one does."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from leucippus.agents import tagging
from leucippus.serving.tagger import MAX_TOKENS, base_model, words_of
from leucippus.store.triples import Sign
from leucippus.training.examples import LICENSED, Example, Mark
from leucippus.training.grammar import generate
from leucippus.training.tagger import Lesson, Recipe, lesson, train, train_mean

EXAMPLES = generate(24, seed=0)
RECIPE = Recipe(epochs=2, batch=8)
PER_EPOCH = 3
EMBEDDINGS = "bert.embeddings.word_embeddings.weight"

Weights = dict[str, torch.Tensor]
Losses = list[tuple[int, int, float]]


class Stopped(Exception):
    """What ends a run before its time."""


@pytest.fixture(scope="module")
def base() -> tuple[Any, Any]:
    """The model before training, which no test may change, and its tokenizer."""
    torch.manual_seed(0)
    return base_model(tagging.WIDTH)


@pytest.fixture(scope="module")
def undisturbed(base: tuple[Any, Any]) -> tuple[Weights, Losses]:
    """The weights and the reports of a run that nothing disturbs."""
    model, losses = deepcopy(base[0]), Losses()
    train(EXAMPLES, model, base[1], RECIPE, report=lambda *seen: losses.append(seen))
    return model.state_dict(), losses


def _stop_at(last: int) -> Callable[[int, int, float], None]:
    def report(step: int, steps: int, loss: float) -> None:
        if step == last:
            raise Stopped

    return report


def _same(one: Weights, other: Weights) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def _lesson(base: tuple[Any, Any], example: Example) -> tuple[Lesson, list[str]]:
    """The lesson and the words it counts in."""
    encoding = base[1]([example.text], truncation=True, max_length=MAX_TOKENS)[0]
    _, offsets = words_of(encoding)
    return lesson(example, encoding), [example.text[slice(*offset)] for offset in offsets]


def _mark(text: str, cause: str, effect: str, link: str | None = None) -> Mark:
    spans = [
        (text.index(words), text.index(words) + len(words)) for words in (cause, effect, *([link] if link else []))
    ]
    return Mark(spans[0], spans[1], spans[2] if link else None, Sign.POSITIVE, False, False)


def test_the_loss_falls_from_the_first_epoch_to_the_second(undisturbed: tuple[Weights, Losses]) -> None:
    losses = [loss for _, _, loss in undisturbed[1]]
    assert sum(losses[PER_EPOCH:]) < 0.98 * sum(losses[:PER_EPOCH])


def test_each_step_is_reported_with_their_number(undisturbed: tuple[Weights, Losses]) -> None:
    assert [(step, steps) for step, steps, _ in undisturbed[1]] == [(step, 6) for step in range(1, 7)]


def test_word_embeddings_stay_as_they_were_and_the_rest_is_tuned(
    base: tuple[Any, Any], undisturbed: tuple[Weights, Losses]
) -> None:
    before, after = base[0].state_dict(), undisturbed[0]
    assert {name for name in before if torch.equal(before[name], after[name])} == {EMBEDDINGS}


def test_the_same_seed_ends_with_the_same_weights_and_another_with_others(
    base: tuple[Any, Any], undisturbed: tuple[Weights, Losses]
) -> None:
    for seed, same in ((RECIPE.seed, True), (1, False)):
        model = deepcopy(base[0])
        train(EXAMPLES, model, base[1], Recipe(epochs=2, batch=8, seed=seed))
        assert _same(model.state_dict(), undisturbed[0]) == same


@pytest.mark.parametrize("last", [PER_EPOCH + 1, 2 * PER_EPOCH])
def test_a_run_stopped_after_an_epoch_goes_on_to_the_same_weights(
    base: tuple[Any, Any], undisturbed: tuple[Weights, Losses], tmp_path: Path, last: int
) -> None:
    checkpoint, losses = tmp_path / "state.pt", Losses()
    with pytest.raises(Stopped):
        train(EXAMPLES, deepcopy(base[0]), base[1], RECIPE, checkpoint, _stop_at(last))
    torch.manual_seed(99)
    other, _ = base_model(tagging.WIDTH)  # its head is drawn anew, as in another process
    train(EXAMPLES, other, base[1], RECIPE, checkpoint, lambda *seen: losses.append(seen))
    assert losses == undisturbed[1][PER_EPOCH:]
    assert _same(other.state_dict(), undisturbed[0])


@pytest.mark.parametrize("last", [7, 14], ids=["in the second run", "after the mean"])
def test_several_runs_go_on_from_the_mean_of_their_weights_even_if_stopped_between(
    base: tuple[Any, Any], undisturbed: tuple[Weights, Losses], tmp_path: Path, last: int
) -> None:
    recipe, seen = replace(RECIPE, runs=2, further=1), 0

    def stop(step: int, steps: int, loss: float) -> None:
        nonlocal seen
        seen += 1
        if seen == last:
            raise Stopped

    with pytest.raises(Stopped):
        train_mean(EXAMPLES, deepcopy(base[0]), base[1], recipe, tmp_path, stop)
    assert (tmp_path / "run-0.pt").is_file()
    model, losses = deepcopy(base[0]), Losses()
    train_mean(EXAMPLES, model, base[1], recipe, tmp_path, lambda *one: losses.append(one))
    of_the_second_run = [(step, 12) for step in range(7, 13)] if last == 7 else []
    assert [(step, steps) for step, steps, _ in losses] == [*of_the_second_run, (1, 3), (2, 3), (3, 3)]

    second, expected = deepcopy(base[0]), deepcopy(base[0])
    train(EXAMPLES, second, base[1], replace(RECIPE, seed=1))
    mean = {name: (undisturbed[0][name] + weights) / 2 for name, weights in second.state_dict().items()}
    expected.load_state_dict(mean)
    train(EXAMPLES, expected, base[1], replace(RECIPE, seed=2, epochs=1, learning_rate=recipe.further_rate))
    for name, weights in model.state_dict().items():
        torch.testing.assert_close(weights, (mean[name] + expected.state_dict()[name]) / 2)


def test_a_run_stopped_within_its_first_epoch_begins_again(
    base: tuple[Any, Any], undisturbed: tuple[Weights, Losses], tmp_path: Path
) -> None:
    checkpoint, model = tmp_path / "state.pt", deepcopy(base[0])
    with pytest.raises(Stopped):
        train(EXAMPLES, deepcopy(base[0]), base[1], RECIPE, checkpoint, _stop_at(PER_EPOCH))
    assert list(tmp_path.iterdir()) == []
    train(EXAMPLES, model, base[1], RECIPE, checkpoint)
    assert _same(model.state_dict(), undisturbed[0])


def test_a_lesson_has_the_words_of_its_spans(base: tuple[Any, Any]) -> None:
    text = "High-grade steel, unbelievably, caused the €1,200 overspend."
    mark = _mark(text, "High-grade steel", "the €1,200 overspend", "caused")
    made, words = _lesson(base, Example(text, (mark,), "written"))
    ((cause, effect, kept, link),) = made.claims
    assert words[slice(*cause)] == ["High", "-", "grade", "steel"]
    assert words[slice(*effect)] == ["the", "€1", ",", "200", "overspend"]
    assert kept == mark and made.claim and [words[i] for i in link] == ["caused"]
    assert [word for word, inside in zip(words, made.link, strict=True) if inside] == ["caused"]


def test_a_word_of_several_pieces_is_one_word_and_its_first_piece_stands_for_it(base: tuple[Any, Any]) -> None:
    text = "Electroencephalography caused overspending."
    made, words = _lesson(base, Example(text, (_mark(text, "Electroencephalography", "overspending"),), "written"))
    assert words == ["Electroencephalography", "caused", "overspending", "."]
    assert len(made.input_ids) > len(words) + 2 and made.first[0] == 1 and made.first[1] > 2
    assert [claim[:2] for claim in made.claims] == [((0, 1), (2, 3))]


def test_a_span_that_begins_within_a_word_takes_the_word(base: tuple[Any, Any]) -> None:
    text = "Uncertainty caused losses."
    made, _ = _lesson(base, Example(text, (_mark(text, "certainty", "losses"),), "written"))
    assert [claim[:2] for claim in made.claims] == [((0, 1), (2, 3))]


def test_a_text_without_a_claim_is_a_lesson_too(base: tuple[Any, Any]) -> None:
    made, words = _lesson(base, Example("The talks go on.", (), "written"))
    assert (made.claims, made.claim, made.link) == ([], False, [0.0] * len(words))


def test_where_linking_words_were_not_annotated_nothing_is_taught_of_them(base: tuple[Any, Any]) -> None:
    made, _ = _lesson(base, Example("Rain caused floods.", (Mark((0, 4), (12, 18)),), next(iter(LICENSED))))
    assert made.link == [] and len(made.claims) == 1


def test_a_claim_beyond_the_longest_text_is_left_out(base: tuple[Any, Any]) -> None:
    text = "Rain caused floods. " + "So it goes. " * 100 + "Frost caused losses."
    marks = (_mark(text, "Rain", "floods"), _mark(text, "Frost", "losses"))
    made, words = _lesson(base, Example(text, marks, "written"))
    assert [claim[2] for claim in made.claims] == [marks[0]]
    assert len(made.input_ids) == MAX_TOKENS and len(made.link) == len(words) == len(made.first)
