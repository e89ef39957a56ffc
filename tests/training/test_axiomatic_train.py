"""A decoder is trained from nothing; a run cut short anywhere ends where an undisturbed one does, and says what is wrong."""

import json
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from leucippus.errors import InputError
from leucippus.graphs.axioms import Axiom
from leucippus.training.axiomatic import train as job
from leucippus.training.axiomatic.dataset import DataRecipe, write_lessons
from leucippus.training.axiomatic.presets import Recipe, Sizes
from leucippus.training.axiomatic.tokens import build_tokenizer
from leucippus.training.axiomatic.train import Lessons, Trained, collate, train
from leucippus.training.axiomatic.trainer import STATE, Order
from leucippus.training.folders import alone_in, claim_folder

RECIPE = Recipe(
    data=DataRecipe(axioms={Axiom.TRANSITIVITY: 1.0}, most_nodes=4, branching=0.0),
    sizes=Sizes(width=16, layers=1, heads=2),
    lessons=96,
    validation=16,
    epochs=2,
    batch=8,
    evaluate_every=4,
    warmup=2,
)
WORSENING = replace(RECIPE, learning_rate=20.0, schedule="constant_with_warmup", warmup=48, patience=9)
"""Its steps grow until they lead away from what was learned: the last checkpoint is not the best."""
STEPS, IN_THE_SECOND_EPOCH = 24, 20
Weights = dict[str, torch.Tensor]


class Stopped(Exception):
    """What ends a run before its time."""


def quiet(*_: Any) -> None:
    pass


def stop_at(last: int) -> Any:
    def report(what: str, step: int, steps: int, loss: float) -> None:
        if (what, step) == ("training", last):
            raise Stopped

    return report


def weights_of(out: Path) -> Weights:
    return load_file(out / "model.safetensors")


def same(one: Weights, other: Weights) -> bool:
    """But for rounding: on a busy machine threads add up float32 in another order now and then. One step moves weights
    by thirty times as much."""
    return one.keys() == other.keys() and all(torch.allclose(one[name], other[name], rtol=0, atol=1e-4) for name in one)


def cut_short(out: Path, recipe: Recipe = RECIPE, last: int = IN_THE_SECOND_EPOCH) -> Path:
    """A run that ended before it wrote the checkpoint of step `last`; returns its last checkpoint."""
    with pytest.raises(Stopped):
        train(out, recipe, stop_at(last))
    return out / job.CHECKPOINTS / f"checkpoint-{last - recipe.evaluate_every}"


@contextmanager
def full_after(size: int) -> Iterator[None]:
    """No file may become larger, in bytes: what a full disk is like."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Trained, list[tuple[str, int, float]]]:
    """The folder of a run that nothing disturbs, what it came to and its reports."""
    out, told = tmp_path_factory.mktemp("models") / "out", list[tuple[str, int, float]]()
    done = train(out, RECIPE, lambda what, step, steps, loss: told.append((what, step, loss)))
    return out, done, told


def test_a_run_leaves_a_model_and_what_made_it(
    undisturbed: tuple[Path, Trained, list[tuple[str, int, float]]],
) -> None:
    from leucippus.training.axiomatic.decoder import Decoder

    out, done, told = undisturbed
    names = {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "recipe.json"}
    assert {path.name for path in out.iterdir()} == names | {"training.json", "lessons"}
    assert (done.steps, done.stopped_early) == (STEPS, False)
    losses = [loss for what, _, loss in told if what == "validation"]
    assert losses[-1] < 0.97 * losses[0]
    assert done.validation_loss == round(min(losses), 5)
    kept = Decoder.from_pretrained(out)
    assert sum(one.numel() for one in kept.parameters()) == done.parameters
    assert [step for what, step, _ in told if what == "validation"] == list(range(4, STEPS + 1, 4))


def test_a_finished_run_is_returned_as_it_is(
    undisturbed: tuple[Path, Trained, list[tuple[str, int, float]]],
) -> None:
    out, done, _ = undisturbed
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    assert train(out, RECIPE, stop_at(0)) == done
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before


def test_the_same_recipe_gives_the_same_weights_and_another_seed_others(
    undisturbed: tuple[Path, Trained, list[tuple[str, int, float]]], tmp_path: Path
) -> None:
    train(tmp_path / "again", RECIPE, quiet)
    assert same(weights_of(tmp_path / "again"), weights_of(undisturbed[0]))
    train(tmp_path / "other", replace(RECIPE, seed=1), quiet)
    assert not same(weights_of(tmp_path / "other"), weights_of(undisturbed[0]))


KILLED = """
import sys, time
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_axiomatic_train import RECIPE
from leucippus.training.axiomatic.train import train

def report(what, step, steps, loss):
    if (what, step) == ("training", {last}):
        print("now", flush=True)
        time.sleep(600)

train(Path({out!r}), RECIPE, report)
"""


@pytest.mark.parametrize("last", [8, IN_THE_SECOND_EPOCH], ids=["first epoch", "second epoch"])
def test_a_killed_run_is_taken_up_to_the_same_weights(
    undisturbed: tuple[Path, Trained, list[tuple[str, int, float]]], tmp_path: Path, last: int
) -> None:
    out = tmp_path / "out"
    script = KILLED.format(tests=str(Path(__file__).parent), last=last, out=str(out))
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "now\n"
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert not (out / "config.json").exists()

    seen: list[int] = []
    done = train(out, RECIPE, lambda what, step, *_: seen.append(step) if what == "training" else None)
    assert seen == list(range(last, STEPS + 1, 4))
    assert same(weights_of(out), weights_of(undisturbed[0]))
    assert replace(done, seconds=0.0) == replace(undisturbed[1], seconds=0.0)
    assert not (out / job.CHECKPOINTS).exists()


def test_a_checkpoint_that_was_being_written_is_passed_over(
    undisturbed: tuple[Path, Trained, list[tuple[str, int, float]]], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    last = cut_short(out)
    for at, left in enumerate((None, '{"epoch": 1.')):
        half = last.with_name(f"checkpoint-{IN_THE_SECOND_EPOCH + at}")
        shutil.copytree(last, half)
        (half / STATE).unlink() if left is None else (half / STATE).write_text(left)
    train(out, RECIPE, quiet)
    assert same(weights_of(out), weights_of(undisturbed[0]))


def test_a_folder_moved_meanwhile_is_taken_up_with_its_best_checkpoint(tmp_path: Path) -> None:
    train(tmp_path / "still", WORSENING, quiet)
    _best_of(cut_short(tmp_path / "before", WORSENING))
    (tmp_path / "before").rename(tmp_path / "after")
    train(tmp_path / "after", WORSENING, quiet)
    assert same(weights_of(tmp_path / "after"), weights_of(tmp_path / "still"))


@pytest.mark.parametrize("name", ["model.safetensors", "optimizer.pt", "scheduler.pt"])
@pytest.mark.parametrize("kept", [0, 0.5])
def test_a_damaged_checkpoint_is_named(tmp_path: Path, name: str, kept: float) -> None:
    last = cut_short(tmp_path / "out", last=8)
    whole = (last / name).read_bytes()
    (last / name).write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(InputError, match=r"checkpoint-4 is damaged") as caught:
        train(tmp_path / "out", RECIPE, quiet)
    assert str(last) in caught.value.next_step
    shutil.rmtree(last)
    assert train(tmp_path / "out", RECIPE, quiet).steps == STEPS


def test_a_damaged_best_checkpoint_is_named_before_training_goes_on(tmp_path: Path) -> None:
    best = _best_of(cut_short(tmp_path / "out", WORSENING))
    (best / "model.safetensors").write_bytes(b"")
    with pytest.raises(InputError, match=f"{best.name} is damaged"):
        train(tmp_path / "out", WORSENING, stop_at(0))


def _best_of(last: Path) -> Path:
    best = last.with_name(f"checkpoint-{json.loads((last / STATE).read_text())['best_global_step']}")
    assert best != last
    return best


def test_training_stops_early_and_keeps_the_best(tmp_path: Path) -> None:
    recipe = replace(
        RECIPE, learning_rate=1e-12, matrix_rate=1e-12, patience=2
    )  # too small to get better after the first evaluation
    done = train(tmp_path / "out", recipe, quiet)
    assert (done.steps, done.stopped_early) == (12, True)


def test_a_run_killed_at_its_very_end_only_writes_the_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, recipe in {
        "stopped early": replace(RECIPE, learning_rate=1e-12, matrix_rate=1e-12, patience=2),
        "half an epoch": replace(RECIPE, epochs=0.5),
    }.items():
        whole = train(tmp_path / f"{name} alone", recipe, quiet)
        with monkeypatch.context() as then, pytest.raises(Stopped):
            then.setattr(job, "_save", stop_at_once)
            train(tmp_path / name, recipe, quiet)
        told: list[str] = []
        done = train(tmp_path / name, recipe, lambda what, *_, told=told: told.append(what))
        assert told == ["lessons"]
        assert replace(done, seconds=0.0) == replace(whole, seconds=0.0)
        assert same(weights_of(tmp_path / name), weights_of(tmp_path / f"{name} alone"))


def stop_at_once(*_: Any) -> None:
    raise Stopped


def test_a_full_disk_is_told_and_the_run_can_be_taken_up(
    undisturbed: tuple[Path, Trained, list[tuple[str, int, float]]], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    cut_short(out, last=8)
    largest = max(path.stat().st_size for path in (out / job.CHECKPOINTS).rglob("*"))
    for size in (largest - 1, 100):  # the optimizer, or nothing at all, can be written
        with full_after(size), pytest.raises(InputError, match="cannot be written") as caught:
            train(out, RECIPE, quiet)
        assert "Make room" in caught.value.next_step
        assert not (out / "model.safetensors").exists()
    train(out, RECIPE, quiet)
    assert same(weights_of(out), weights_of(undisturbed[0]))


def test_a_disk_that_is_full_when_the_model_is_written_leaves_no_half_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, recipe = tmp_path / "out", replace(RECIPE, epochs=0.5)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as then, pytest.raises(InputError, match="model cannot be written.*No space"):
        real = build_tokenizer()
        monkeypatch.setattr(job, "build_tokenizer", lambda: real)
        then.setattr(
            type(real), "save_pretrained", lambda self, folder, **_: full() if "unfin" in str(folder) else None
        )
        train(out, recipe, quiet)
    assert {path.name for path in out.iterdir()} == {"lessons", "checkpoints", "recipe.json"}
    assert train(out, recipe, quiet).steps == 6


def test_a_disk_without_room_for_lessons_leaves_none(tmp_path: Path) -> None:
    recipe = replace(RECIPE, lessons=2_000)
    for size, said in ((100, "out cannot be written"), (3_000, "Lessons cannot be written")):
        with full_after(size), pytest.raises(InputError, match=said):
            train(tmp_path / "out", recipe, quiet)
        assert [path.name for path in (tmp_path / "out").rglob("*") if path.is_file()] == ["recipe.json"] * (size > 100)


def test_lessons_follow_from_their_recipe_and_a_killed_writer_leaves_none(tmp_path: Path) -> None:
    one, other = tmp_path / "one.parquet", tmp_path / "other.parquet"
    script = (
        "import sys; from pathlib import Path; from leucippus.training.axiomatic.dataset import *\n"
        "write_lessons(DataRecipe(), 'train', 10**9, Path(sys.argv[1]))"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(one)]) as process:
        while not one.with_suffix(".part").exists() and process.poll() is None:
            pass
        process.kill()
    assert process.returncode == -signal.SIGKILL
    assert [path.name for path in tmp_path.iterdir()] == ["one.part"]
    said = [write_lessons(DataRecipe(seed=seed), "train", 300, file) for file, seed in ((one, 0), (other, 0))]
    assert one.read_bytes() == other.read_bytes() and said[0] == said[1]
    assert not one.with_suffix(".part").exists()
    assert write_lessons(DataRecipe(seed=1), "train", 300, other).sha256 != said[0].sha256


def test_damaged_lessons_are_named(tmp_path: Path) -> None:
    out = tmp_path / "out"
    cut_short(out, last=8)
    file = out / "lessons" / "train.parquet"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(InputError, match=r"lessons in .*train.parquet cannot be read"):
        train(out, RECIPE, quiet)
    file.unlink()
    assert train(out, RECIPE, quiet).steps == STEPS


def test_a_folder_of_another_recipe_or_of_other_things_is_left_alone(
    undisturbed: tuple[Path, Trained, list[tuple[str, int, float]]], tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="another recipe"):
        train(undisturbed[0], replace(RECIPE, seed=1), quiet)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("dear reader")
    with pytest.raises(InputError, match="other files"):
        train(tmp_path / "mine", RECIPE, quiet)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]
    for out in (tmp_path / "mine" / "thesis.txt", tmp_path / "mine" / "thesis.txt" / "out", Path("/proc/out")):
        with pytest.raises(InputError, match="cannot be written"):
            train(out, RECIPE, quiet)


def test_a_folder_that_another_process_trains_in_is_left_alone(tmp_path: Path) -> None:
    claim_folder(tmp_path / "out", RECIPE)
    with alone_in(tmp_path / "out"), pytest.raises(InputError, match="Another process is training"):
        train(tmp_path / "out", RECIPE, quiet)
    with alone_in(tmp_path / "out"):
        pass


def test_a_damaged_record_of_a_finished_run_is_told(
    undisturbed: tuple[Path, Trained, list[tuple[str, int, float]]], tmp_path: Path
) -> None:
    shutil.copytree(undisturbed[0], tmp_path / "out")
    for left in ("", "{}", "[1]"):
        (tmp_path / "out" / "training.json").write_text(left)
        with pytest.raises(InputError, match=r"training.json cannot be read"):
            train(tmp_path / "out", RECIPE, quiet)


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        (replace(RECIPE, lessons=0), "0 lessons"),
        (replace(RECIPE, validation=0), "0 to validate"),
        (replace(RECIPE, epochs=0), "0 epochs"),
        (replace(RECIPE, epochs=float("nan")), "nan epochs"),
        (replace(RECIPE, batch=0), "batches of 0"),
        (replace(RECIPE, evaluate_every=0), "every 0 steps"),
        (replace(RECIPE, patience=0), "patience for 0"),
        (replace(RECIPE, learning_rate=-1.0), "learning rate of -1"),
        (replace(RECIPE, sizes=Sizes(width=30, heads=4)), "width of 30 for 4 heads"),
        (replace(RECIPE, sizes=Sizes(width=12, heads=4, positions="rotary")), "width of 12 for 4 heads"),
        (replace(RECIPE, sizes=Sizes(heads=0)), "for 0 heads"),
        (replace(RECIPE, sizes=Sizes(layers=0)), "0 layers"),
        (replace(RECIPE, sizes=Sizes(loops=0)), "run 0 times"),
        (replace(RECIPE, sizes=Sizes(positions="absolute")), "positions 'absolute'"),
        (replace(RECIPE, sizes=Sizes(convolution=-1)), "convolution over -1"),
        (replace(RECIPE, data=DataRecipe(axioms={Axiom.COLLIDER: 0.0})), r"weights of axioms of \[0.0\]"),
        (replace(RECIPE, data=DataRecipe(axioms={Axiom.COLLIDER: 2.0, Axiom.TRANSITIVITY: -1.0})), "weights of axioms"),
        (replace(RECIPE, data=DataRecipe(axioms={Axiom.COLLIDER: float("inf")})), "weights of axioms"),
        (replace(RECIPE, data=DataRecipe(branching=1.5)), "shares of"),
        (replace(RECIPE, data=DataRecipe(shortest_name=0)), "names of 0 to 3"),
        (replace(RECIPE, data=DataRecipe(orders=())), "no order"),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_a_recipe_that_makes_no_sense_is_refused_before_anything_is_written(
    tmp_path: Path, recipe: Recipe, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        train(tmp_path / "out", recipe, quiet)
    assert not (tmp_path / "out").exists()


def test_graphs_too_small_and_unknown_axioms_are_refused() -> None:
    with pytest.raises(InputError, match="2 to 6 nodes"):
        DataRecipe(fewest_nodes=2)
    with pytest.raises(InputError, match="5 to 4 nodes"):
        DataRecipe(fewest_nodes=5, most_nodes=4)
    with pytest.raises(InputError, match="no axiom 'astrology'"):
        DataRecipe(axioms={"astrology": 1.0})
    with pytest.raises(InputError, match="No axiom"):
        DataRecipe(axioms={})


def test_workers_share_out_whole_batches(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="batches of 8 shared out to 3 workers"):
        train(tmp_path / "out", RECIPE, quiet, workers=3)


def test_two_workers_learn_what_one_does(
    undisturbed: tuple[Path, Trained, list[tuple[str, int, float]]], tmp_path: Path
) -> None:
    """Equal but for rounding: gradients of half batches are added up in another order, in bfloat16 forward passes."""
    told: list[tuple[str, int, float]] = []
    out = tmp_path / "out"
    done = train(out, RECIPE, lambda what, step, steps, loss: told.append((what, step, loss)), workers=2)
    assert [(what, step) for what, step, _ in told] == [(what, step) for what, step, _ in undisturbed[2]]
    for (_, _, loss), (_, _, alone) in zip(told, undisturbed[2], strict=True):
        assert loss == pytest.approx(alone, rel=0.02)
    assert (done.steps, done.parameters, done.lessons_sha256) == (
        undisturbed[1].steps,
        undisturbed[1].parameters,
        undisturbed[1].lessons_sha256,
    )
    for name, weights in weights_of(undisturbed[0]).items():
        torch.testing.assert_close(weights_of(out)[name], weights, rtol=0.05, atol=0.02)


def test_the_loss_is_on_completions_alone() -> None:
    lessons = Lessons(["a causes b. Does a cause b?", "b?"], ["Yes", "No"], build_tokenizer())
    batch = collate([lessons[0], lessons[1]])
    assert batch["input_ids"].shape == batch["labels"].shape == (2, len(lessons[0]["input_ids"]))
    learned = batch["labels"] != -100
    assert learned.sum(1).tolist() == [1, 1]
    assert torch.equal(batch["labels"][learned], batch["input_ids"][learned])
    assert learned[0, -1] and learned[1, 2]


def test_every_epoch_has_its_own_order_which_its_number_decides() -> None:
    lengths = [at % 40 for at in range(1000)]
    one, other = Order(1000, 10, 0, lengths), Order(1000, 10, 0, lengths)
    first = list(one)
    one.epoch = other.epoch = 1
    second = list(other)
    assert list(one) == second != first
    assert sorted(first) == sorted(second) == list(range(1000))
    spread = [max(at) - min(at) for at in _batches([lengths[at] for at in first], 10)]
    drawn = [max(at) - min(at) for at in _batches([lengths[at] for at in Order(1000, 10, 0)], 10)]
    assert sum(spread) < 0.3 * sum(drawn)


def _batches(numbers: list[int], size: int) -> list[list[int]]:
    return [numbers[at : at + size] for at in range(0, len(numbers), size)]
