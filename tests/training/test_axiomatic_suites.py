"""Suites hold nothing that was taught; scores say what was right; `train axiomatic` makes what `bench axioms` measures."""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import pytest

from leucippus.errors import InputError
from leucippus.graphs.axioms import Axiom, holds
from leucippus.graphs.dag import Graph
from leucippus.store.database import open_store
from leucippus.training.axiomatic.dataset import DataRecipe, Lesson, lessons, part_of
from leucippus.training.axiomatic.evaluate import DecoderAnswers, Score, evaluate, split, table, target, wilson
from leucippus.training.axiomatic.kept import KeptScores
from leucippus.training.axiomatic.plot import pictures
from leucippus.training.axiomatic.presets import PRESETS, Recipe, Sizes
from leucippus.training.axiomatic.published import SHOWN, SOURCES, published
from leucippus.training.axiomatic.run import recipe_for, train_recorded
from leucippus.training.axiomatic.structures import nodes_of
from leucippus.training.axiomatic.suites import TAUGHT, Suite, Task, suites
from leucippus.training.axiomatic.traces import Mark
from leucippus.training.axiomatic.train import train

COUNT = 40


@pytest.fixture(scope="module")
def drawn() -> dict[Suite, list[Task]]:
    return {suite: suite.tasks(COUNT) for suite in suites()}


def test_every_suite_of_the_paper_is_there() -> None:
    names = [suite.name for suite in suites()]
    assert len(set(names)) == len(names)
    wanted = [f"{family} {size}" for family in ("line", "flipped") for size in ("3-6", *range(7, 16), 20, 50)]
    wanted += [f"shuffled {size}" for size in ("3-6", *range(7, 16), 20)]
    wanted += [f"reversed {size}" for size in range(3, 7)] + [f"long names {size}" for size in range(3, 10)]
    wanted += [f"branching {density} {size}" for density in (1.4, 2.0) for size in (5, 8, 10, 12)]
    wanted += [f"d-separation {size}" for size in range(3, 16)]
    assert set(wanted) <= set(names)
    assert {suite.axiom for suite in suites()} == set(Axiom)


def test_nothing_that_was_taught_is_asked(drawn: dict[Suite, list[Task]]) -> None:
    """By construction, and met: the classes of twenty thousand lessons of several seeds are in no suite."""
    assert max(preset.data.most_nodes for preset in PRESETS.values()) == TAUGHT
    taught = {
        lesson.task
        for seed in range(4)
        for part in ("train", "validation")
        for lesson in islice(lessons(DataRecipe(seed=seed), part), 5_000 if part == "train" else 500)
    }
    asked = {task.task for tasks in drawn.values() for task in tasks}
    assert len(taught) > 2_000 and len(asked) > 2_000
    assert taught.isdisjoint(asked)
    for suite, tasks in drawn.items():
        for task in tasks:
            size = len(nodes_of(task.edges))
            assert suite.fewest <= size <= suite.most
            assert size > TAUGHT or part_of(task.task) == "test"


def test_what_was_taught_larger_graphs_is_asked_about_the_test_part_of_them() -> None:
    (suite,) = suites(["flipped 8"])
    assert {part_of(task.task) for task in suite.tasks(COUNT, taught=8)} == {"test"}
    assert {part_of(task.task) for task in suite.tasks(COUNT, taught=7)} > {"test"}


def test_half_is_yes_and_the_graph_says_so(drawn: dict[Suite, list[Task]]) -> None:
    for tasks in drawn.values():
        said = Counter(task.answer for task in tasks)
        assert abs(said[True] - said[False]) <= 1 and len(tasks) == COUNT
        for task in tasks:
            assert holds(Graph(nodes_of(task.edges), task.edges), task.question) is task.answer


def test_graphs_are_as_their_suite_says(drawn: dict[Suite, list[Task]]) -> None:
    for suite, tasks in drawn.items():
        turned = 0
        for task in tasks:
            size = len(nodes_of(task.edges))
            if suite.density is not None:
                assert len(task.edges) == min(int(suite.density * size), size * (size - 1) // 2)
                continue
            joined = [{*edge} for edge in task.edges]
            assert len(joined) == size - 1
            if suite.order == "told in order":
                assert all(one & other for one, other in pairwise(joined))
            if suite.order == "reversed":
                assert all(a == d for (a, _), (_, d) in pairwise(task.edges))
            causes = Counter(effect for _, effect in task.edges)
            turned += max(causes.values()) > 1 or len({cause for cause, _ in task.edges}) < size - 1
        assert (turned > 0) is (suite.flipped and bool(tasks))


def test_d_separation_is_not_given_away_by_the_nodes() -> None:
    (suite,) = suites(["d-separation 12"])
    tasks = suite.tasks(400)
    adjacent = [{task.question.x, task.question.y} in [{*edge} for edge in task.edges] for task in tasks]
    assert 0 < sum(adjacent) < 0.2 * len(tasks)
    for answer in (True, False):
        sizes = Counter(len(task.question.given) for task in tasks if task.answer is answer)
        assert set(sizes) == {0, 1, 2, 3}


def test_lessons_are_put_in_words() -> None:
    (suite,) = suites(["long names 9"])
    items = suite.lessons(60)
    assert items == suite.lessons(60) != suite.lessons(60, seed=1)
    assert len({item.prompt for item in items}) == 60
    names = {name for item in items for name in item.prompt.rstrip("?").replace(".", "").split()} - {
        *"causes Does cause".split()
    }
    assert all(8 <= len(name) <= 10 for name in names)


def test_suites_have_names() -> None:
    assert [suite.name for suite in suites(["LINE 7 ", "branching 1.4"])] == [
        "line 7",
        *(f"branching 1.4 {size}" for size in (5, 8, 10, 12)),
    ]
    for name in ("line 99", "gravity", ""):
        with pytest.raises(InputError, match="no suite"):
            suites([name])


def right(items: Sequence[Lesson]) -> list[str | None]:
    return [f"{' '.join(item.steps)} {item.answer}" for item in items]


SOME = ("line 7", "branching 1.4 8", "d-separation 12")


def test_the_truth_is_right() -> None:
    for score in evaluate(right, suites(SOME), 30):
        assert score.accuracy == score.steps_right == 1.0 and score.met in (True, None) and score.unanswered == 0
        assert score.majority == 0.5 and score.count == 30 and score.low is not None and 0.85 < score.low < 0.9


def test_always_yes_is_chance_and_silence_is_wrong() -> None:
    for score in evaluate(lambda items: ["Yes"] * len(items), suites(SOME), 30):
        assert score.accuracy == 0.5 and score.steps_right is None and not score.met
    for score in evaluate(lambda items: [None, "x >", "Yes.", *[""] * (len(items) - 3)], suites(SOME), 30):
        assert score.accuracy == 0 and score.unanswered == 1.0


def test_wrong_steps_are_told_from_wrong_answers() -> None:
    def answer(items: Sequence[Lesson]) -> list[str | None]:
        texts = right(items)
        texts[0] = f"x {texts[0]}"
        texts[1] = (texts[1] or "").rsplit(" ", 1)[0] + (" No" if items[1].answer == "Yes" else " Yes")
        return texts

    (score,) = evaluate(answer, suites(["line 7"]), 10)
    assert score.right == 9 and score.steps_right == 0.9


def test_too_small_a_suite_says_how_few_classes_it_has() -> None:
    (score,) = evaluate(right, suites(["line 3"]), 10)
    assert score.classes == {Mark.YES: 1, Mark.NO: 1} and score.majority == 0.5 and score.count == 10
    nothing = replace(suites(["line 3"])[0], family="none", fewest=1, most=1)
    (score,) = evaluate(right, [nothing], 4)
    assert (score.count, score.accuracy, score.met) == (0, None, None)
    assert "none 1" in table([score]) and pictures([score]) == {}


@pytest.mark.parametrize(
    ("text", "read"),
    [("a > b Yes", ("a > b", "Yes")), ("No", ("", "No")), ("Yes .", ("Yes .", None)), (None, ("", None))],
)
def test_the_last_word_is_the_answer(text: str | None, read: tuple[str, str | None]) -> None:
    assert split(text) == read


def test_wilson() -> None:
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-3)  # Newcombe (1998), table I
    assert wilson(10, 10)[1] == pytest.approx(1.0) and wilson(0, 10)[0] == pytest.approx(0.0)


def test_targets_are_those_that_were_set() -> None:
    goals = {suite.name: target(suite) for suite in suites()}
    assert {goals[f"{family} {size}"] for family in ("line", "flipped", "shuffled") for size in range(7, 16)} == {0.95}
    assert goals["line 3-6"] == goals["collider 3-6"] == 0.99
    assert goals["line 20"] == 0.90 and goals["line 50"] is None
    assert {goals[f"reversed {size}"] for size in range(3, 7)} == {0.97}
    assert goals["branching 1.4 12"] == 0.90 and goals["branching 2.0 12"] is None
    assert goals["d-separation 12"] == 0.85 and goals["d-separation 11"] is None


def test_published_figures_are_marked_and_have_suites() -> None:
    sizes: dict[str, set[int]] = {}
    for suite in suites():
        if suite.fewest == suite.most:
            sizes.setdefault(suite.family, set()).add(suite.most)
    for family, known in sizes.items():
        for model, figures in published(family).items():
            assert "second-hand" in SOURCES[model] and set(figures) <= known
            assert all(0.4 < figure <= 1 for figure in figures.values())
    assert set(SHOWN) <= set(SOURCES)
    assert published("branching 1.4")["67M NoPE"][12] == 0.70 and published("line")["GPT-4"][15] == 0.89


def test_the_table_and_the_pictures() -> None:
    scores = evaluate(right, suites(["line 12", "line 50", "branching 1.4 12", "d-separation 12", "collider"]), 4)
    shown = table(scores).splitlines()
    assert len(shown) == len(scores) + 1
    assert shown[1].split()[:5] == ["line", "12", "4", "0.500", "0.950"] and shown[1].endswith("met")
    drawn = pictures(scores)
    assert set(drawn) == {"chains", "branching", "d-separation"}
    assert all(picture.startswith(b"\x89PNG") for picture in drawn.values())


TINY = Recipe(
    data=DataRecipe(axioms={Axiom.COLLIDER: 1.0}),
    sizes=Sizes(width=32, layers=1, heads=4),
    lessons=320,
    validation=64,
    epochs=1.0,
    batch=32,
    evaluate_every=10,
    warmup=2,
)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A decoder that has learned next to nothing."""
    out = tmp_path_factory.mktemp("tiny") / "model"
    train(out, TINY, lambda *_: None)
    return out


def test_a_decoder_is_measured_alike_each_time_and_in_any_batches(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = DecoderAnswers(tiny)
    chosen = suites(["collider", "line 7"])
    first = evaluate(answers, chosen, 30)
    assert evaluate(DecoderAnswers(tiny), chosen, 30) == first
    assert answers.taught.axioms == {Axiom.COLLIDER} and answers.taught.most_nodes == TAUGHT
    items = chosen[0].lessons(30)
    written = answers(items)
    monkeypatch.setattr("leucippus.training.axiomatic.evaluate._CACHE_BYTES", 0)
    monkeypatch.setattr("leucippus.training.axiomatic.evaluate._FEWEST", 1)
    assert answers(items) == written
    longest = max(len(item.completion) for item in items)
    assert all(text is not None and len(text.split()) <= 1.5 * longest + 20 for text in written)


def test_a_measurement_that_was_cut_short_goes_on_where_it_was(tiny: Path, tmp_path: Path) -> None:
    answers, chosen = DecoderAnswers(tiny), suites(["collider"])
    kept = KeptScores(tmp_path, tiny, 10, 0)

    def cut_short(score: Score) -> None:
        kept.add(score)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate(answers, chosen, 10, keep=cut_short)
    with (tmp_path / "scores.jsonl").open("a") as file:
        file.write('\n{"weights_sha256": "')  # killed while it wrote
    asked: list[str] = []
    scores = evaluate(answers, chosen, 10, report=lambda name, *_: asked.append(name), found=kept.read())
    assert asked == [suite.name for suite in chosen][1:] and scores == evaluate(answers, chosen, 10)
    kept.add(scores[1])
    assert kept.read() == {score.suite: score for score in scores}
    for other in (KeptScores(tmp_path, tiny, 12, 0), KeptScores(tmp_path, tiny, 10, 1)):
        assert other.read() == {}


def damage(folder: Path, name: str, content: bytes | None) -> None:
    (folder / name).unlink() if content is None else (folder / name).write_bytes(content)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("config.json", None, "not finished"),
        ("config.json", b'{"model_type": "llama"}', "llama"),
        ("config.json", b"{", "does not say"),
        ("recipe.json", None, "does not say"),
        ("recipe.json", b'{"data": {"axioms": {"gravity": 1}, "most_nodes": 6}}', "gravity"),
        ("model.safetensors", None, "cannot be read"),
        ("model.safetensors", b"\x00" * 100, "cannot be read"),
        ("tokenizer.json", b"{}", "cannot be read"),
    ],
)
def test_a_folder_that_cannot_be_read(
    tiny: Path, tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny, folder)
    damage(folder, name, content)
    with pytest.raises(InputError, match=message):
        DecoderAnswers(folder)


def test_weights_of_another_size(tiny: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "model"
    shutil.copytree(tiny, folder)
    weights = load_file(folder / "model.safetensors")
    save_file({"embed.weight": weights["embed.weight"]}, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(InputError, match="missing"):
        DecoderAnswers(folder)


def test_no_folder_and_no_model(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(InputError, match="no trained decoder"):
            DecoderAnswers(folder)
    with pytest.raises(InputError, match="2 items"):
        evaluate(right, suites(["line 7"]), 1)


def test_recipes_are_presets_with_what_is_asked() -> None:
    assert recipe_for("cpu") == PRESETS["cpu"] and recipe_for("paper") == PRESETS["paper"]
    recipe = recipe_for(
        "cpu", axioms=["transitivity", "collider"], lessons=256, epochs=0.5, positions="rotary", steps=False, seed=7
    )
    usual = PRESETS["cpu"].data.axioms
    assert recipe.data.axioms == {axiom: usual[axiom] for axiom in (Axiom.TRANSITIVITY, Axiom.COLLIDER)}
    assert (recipe.lessons, recipe.epochs, recipe.sizes.positions, recipe.data.with_steps) == (
        256,
        0.5,
        "rotary",
        False,
    )
    assert recipe.seed == recipe.data.seed == 7 and recipe.evaluate_every == 4 and recipe.validation == 256
    wrong: list[dict[str, Any]] = [
        {"axioms": ["gravity"]}, {"axioms": [""]}, {"positions": "up"}, {"lessons": 0}, {"epochs": 0}, {"epochs": float("nan")},
    ]  # fmt: skip
    for options in wrong:
        with pytest.raises(InputError):
            recipe_for("cpu", **options)
    with pytest.raises(InputError, match="huge"):
        recipe_for("huge")


def test_a_run_is_written_down(tmp_path: Path) -> None:
    with open_store(tmp_path / "lcm.duckdb") as store:
        result = train_recorded(store, tmp_path / "model", TINY, lambda *_: None)
        with pytest.raises(InputError, match="another recipe"):
            train_recorded(store, tmp_path / "model", replace(TINY, seed=1), lambda *_: None)
        rows = store.rows("SELECT run_id, command, status, settings, metrics FROM runs")
    ((run_id, command, status, settings, metrics),) = rows
    assert (run_id, command, status) == (result["run_id"], "train axiomatic", "finished")
    written, came_to = json.loads(settings), json.loads(metrics)
    assert written["recipe"] == json.loads(json.dumps(asdict(TINY)))
    assert written["lessons_sha256"]["train"] == result["lessons_sha256"] and "git_revision" in written
    assert came_to["validation_loss"] == result["validation_loss"] and came_to["steps"] == 10


def leucippus(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "leucippus", *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def test_one_command_trains_and_one_measures(tmp_path: Path) -> None:
    model, out = str(tmp_path / "model"), tmp_path / "out"
    options = (
        "train",
        "axiomatic",
        "--out",
        model,
        "--lessons",
        "128",
        "--epochs",
        "1",
        "--axioms",
        "collider,confounder",
    )
    done = leucippus(*options, "--json")
    assert done.returncode == 0, done.stderr
    trained = json.loads(done.stdout)
    assert trained["steps"] == 4 and 2 < trained["validation_loss"] < 6
    again = leucippus(*options, "--json")  # what is finished is not done again
    assert json.loads(again.stdout) | {"run_id": ""} == trained | {"run_id": ""}

    done = leucippus("bench", "axioms", "--model", model, "--count", "6", "--out", str(out), "--json")
    assert done.returncode == 0, done.stderr
    scores = [Score(**json.loads(line)) for line in done.stdout.splitlines()]
    assert {score.family for score in scores} == {"collider", "confounder"}  # all that it was taught
    assert all(score.count == 6 and score.majority == 0.5 for score in scores)
    assert json.loads((out / "axioms.json").read_text())["scores"] == [asdict(score) for score in scores]
    assert "collider 8-10" in (out / "axioms.txt").read_text()
    done = leucippus("bench", "axioms", "--model", model, "--count", "4", "--suites", "line 7", "--out", str(out))
    assert done.returncode == 0 and "67M NoPE" in done.stdout
    assert (out / "axioms-chains.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("train", "axiomatic", "--out", "m", "--preset", "huge"), "huge"),
        (("bench", "axioms", "--model", "m"), "no trained decoder"),
        (("bench", "axioms", "--model", "m", "--suites", "gravity"), "gravity"),
    ],
)
def test_commands_say_what_is_wrong(arguments: tuple[str, ...], problem: str) -> None:
    done = leucippus(*arguments, "--json")
    assert done.returncode == 2
    assert problem in json.loads(done.stdout)["problem"]
    assert not Path("m").exists() and not Path("lcm.duckdb").exists()
