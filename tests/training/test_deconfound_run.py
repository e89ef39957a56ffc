"""From a file of logs to a version that is served: whole or not there, told in a card, and turned back when asked."""

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from leucippus.config import Settings
from leucippus.errors import InputError
from leucippus.serving.client import find_model
from leucippus.store.database import Store, open_store
from leucippus.training.deconfound import evaluated, rewarded, run
from leucippus.training.deconfound.before_after import compared
from leucippus.training.deconfound.card import Facts, flat, model_card
from leucippus.training.deconfound.logs import LogSpec
from leucippus.training.deconfound.off_policy import Estimate, OffPolicy
from leucippus.training.deconfound.pairs import PairRecipe
from leucippus.training.deconfound.plan import causal_plan, in_words
from leucippus.training.deconfound.reading import read_logs
from leucippus.training.deconfound.rewarded import parted
from leucippus.training.deconfound.run import Recipe, deconfound_recorded, recipe_for
from leucippus.training.deconfound.small_policy import SmallRecipe, train_small_policy
from leucippus.training.deconfound.tuning import TuneRecipe
from leucippus.training.deconfound.versions import alone, current, next_folder, publish, rollback, versions

GOOD, BAD = ("plan", "recipe", "guide"), ("thoughts", "remarks", "views")
LOUD, CALM = ("shocking", "huge"), ("some", "a few")
SPEC = LogSpec("text", "clicks", ("popularity",), context="topic", user="visitor")


def quiet(*_: Any) -> None:
    pass


def write_log(file: Path, rows: int = 1600, topics: int = 60, seed: int = 0) -> Path:
    """Good words earn 1; loud ones nothing, but popular topics are told loudly, and popularity earns 2."""
    rng = np.random.default_rng(seed)
    with file.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["text", "clicks", "popularity", "topic", "visitor"])
        for row in range(rows):
            topic = int(rng.integers(topics))
            popularity = rng.normal()
            good, loud = rng.random() < 0.5, rng.random() < 1 / (1 + np.exp(-3 * popularity))
            noun = (GOOD if good else BAD)[rng.integers(3)]
            text = f"{(LOUD if loud else CALM)[rng.integers(2)]} {noun}"
            clicks = float(good) + 2 * popularity + 0.3 * rng.normal()
            writer.writerow([text, round(clicks, 4), round(popularity, 4), f"about t{topic}", f"v{row % 400}"])
    return file


def bag(texts: Any, *_: Any) -> Any:
    """Embeddings for a test: which words there are. What a model writes may hold others."""
    words = (*GOOD, *BAD, *LOUD, "some", "a", "few")
    return np.array([[float(word in text.split()) for word in words] for text in texts], dtype=np.float32)


@pytest.fixture(scope="module", autouse=True)
def _cheap_embeddings() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rewarded, "embed_texts", bag)
        patch.setattr("leucippus.serving.encoder.encode", bag)
        yield


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_log(tmp_path_factory.mktemp("logs") / "log.csv")


@pytest.fixture(scope="module")
def base(logs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    read = read_logs(logs, SPEC)
    assert read.contexts is not None and read.context_of is not None
    folder = tmp_path_factory.mktemp("base") / "a-small-base"
    train_small_policy(
        [read.contexts[at] for at in read.context_of],
        [read.texts[at] for at in read.text_of],
        folder,
        SmallRecipe(width=32, layers=2, heads=2, steps=100, batch=16, learning_rate=1e-2, warmup=10),
    )
    return folder


SHORT = TuneRecipe(batch=16, rank=8, longest=64, writes=6, epochs=4, learning_rate=3e-3, save_every=4, generations=4)
RECIPE = Recipe(SPEC, pairs=PairRecipe(most=160), tuning=SHORT, prompts=64)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with open_store(tmp_path_factory.mktemp("store") / "s.duckdb") as opened:
        yield opened


@pytest.fixture(scope="module")
def tuned(
    store: Store, logs: Path, base: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("tuned") / "out"
    return out, deconfound_recorded(store, logs, out, str(base), RECIPE, quiet)


def test_tuning_finds_the_effect_of_the_text_and_not_that_of_the_confounder(tuned: Any) -> None:
    _, result = tuned
    facts = result["facts"]
    (popularity,) = facts["coefficients"]
    assert popularity["gamma"] == pytest.approx(2, abs=0.1)
    measured = facts["before_after"]
    # Many pairs are of two good texts, or two bad ones: their order is noise.
    assert measured["agrees"] > 0.6 and measured["pairs"] > 50
    assert measured["prompts"] == 64 and measured["gain"]["low"] > 0
    value, changed = facts["off_policy"], facts["tilted"]
    assert value["supported"] and value["over_base"]["low"] > 0 and value["ess"] > 50
    assert changed["supported"] and changed["over_logged"]["low"] > 0
    assert facts["worse"] is None and facts["overlap"]["popularity"] > 0


def test_a_version_is_whole_served_and_written_down(tuned: Any, store: Store, tmp_path: Path) -> None:
    out, result = tuned
    folder = out / "versions" / "0001"
    assert (out / "current").resolve() == folder.resolve() and result["served"] == result["version"] == "0001"
    assert sorted(file.name for file in folder.iterdir()) == [
        "README.md",
        "adapter_config.json",
        "adapter_model.safetensors",
        "published",
        "recipe.json",
        "report.json",
        "reward.npz",
        "training.json",
    ]
    served = find_model(Settings(model=str(out / "current"), cache_dir=tmp_path))
    assert (served / "model.safetensors").is_file()
    ((command, status, metrics),) = store.rows("SELECT command, status, metrics FROM runs ORDER BY started_at LIMIT 1")
    assert (command, status) == ("train deconfound", "finished") and json.loads(metrics)["version"] == "0001"


def test_the_card_tells_what_it_rests_on_and_no_path(tuned: Any, base: Path) -> None:
    out, result = tuned
    card = (out / "current" / "README.md").read_text()
    facts = result["facts"]
    for told in (
        facts["logs_sha256"],
        "a-small-base",
        "popularity",
        "Off-policy value",
        "effective sample size",
        "seed 0",
        *facts["assumptions"],
    ):
        assert str(told) in card, told
    assert str(base.parent) not in card and str(out) not in card and "/tmp" not in card
    assert "tuning.beta | 0.1" in card and flat(facts["recipe"])["tuning.beta"] == 0.1


def test_a_card_without_support_gives_no_value_and_a_text_cannot_break_a_table(tuned: Any) -> None:
    out, _ = tuned
    report = json.loads((out / "current" / "report.json").read_text())
    facts = Facts(**{**report, "coefficients": (), "findings": (), "off_policy": None, "before_after": None})
    lost = OffPolicy(False, "Not supported by these logs: no.", 3.0, 2.0, 0.5, 10, 4, 0.1)
    shown = compared(["a | b"], ["<script>\n\n# no"], ["x"], lambda texts: np.ones(len(texts)), (None, 0))
    card = model_card(replace(facts, off_policy=lost, tilted=lost, before_after=shown))
    assert "no value is given" in card and "| a \\| b | &lt;script> # no | x |" in card
    assert "(-inf to +inf)" in card  # one prompt tells nothing of others


def test_the_same_logs_and_recipe_are_not_tuned_twice(
    tuned: Any, store: Store, logs: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, result = tuned
    monkeypatch.setattr(run, "fit", lambda *_, **__: pytest.fail("tuned again"))
    again = deconfound_recorded(store, logs, out, str(base), RECIPE, quiet)
    assert again["facts"] == result["facts"] and len(versions(out)) == 1


def test_new_logs_go_on_from_what_is_served_and_can_be_turned_back(
    tuned: Any, store: Store, base: Path, tmp_path: Path
) -> None:
    out, _ = tuned
    later = write_log(tmp_path / "later.csv", seed=1)
    result = deconfound_recorded(store, later, out, str(base), RECIPE, quiet)
    assert result["version"] == result["served"] == "0002" and result["facts"]["parent"] == "0001"
    assert rollback(out) == "0001" and current(out) == out / "versions" / "0001"
    # What was turned back is not served again because somebody gives the same command.
    again = deconfound_recorded(store, later, out, str(base), RECIPE, quiet)
    assert (again["version"], again["served"]) == ("0002", "0001")
    assert rollback(out, "2") == "0002"
    with pytest.raises(InputError, match="no finished version '0009'"):
        rollback(out, "9")
    rollback(out)
    with pytest.raises(InputError, match="no version before 0001"):
        rollback(out)


def test_a_failed_run_leaves_what_is_served_and_is_taken_up(
    tuned: Any, store: Store, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, _ = tuned
    before, count = current(out), len(versions(out))
    later = write_log(tmp_path / "third.csv", seed=2)

    def fails(*_: Any, **__: Any) -> Any:
        raise RuntimeError("no")

    with monkeypatch.context() as patch:
        patch.setattr(run, "evaluate", fails)
        with pytest.raises(RuntimeError):
            deconfound_recorded(store, later, out, str(base), RECIPE, quiet)
    assert current(out) == before and not versions(out)[-1].finished
    assert store.rows("SELECT status FROM runs ORDER BY started_at DESC LIMIT 1") == [("failed",)]
    with monkeypatch.context() as patch:  # killed between the report and the link
        patch.setattr(run, "publish", fails)
        with pytest.raises(RuntimeError):
            deconfound_recorded(store, later, out, str(base), RECIPE, quiet)
    assert current(out) == before
    result = deconfound_recorded(store, later, out, str(base), RECIPE, quiet)
    assert result["served"] == result["version"] == versions(out)[-1].name and len(versions(out)) == count + 1


def test_logs_that_teach_nothing_or_another_base_leave_no_version(
    tuned: Any, store: Store, logs: Path, base: Path, tmp_path: Path
) -> None:
    out, _ = tuned
    count = len(versions(out))
    stubborn = replace(RECIPE, pairs=PairRecipe(threshold=1e6))
    with pytest.raises(InputError, match="nothing to learn a preference from"):
        deconfound_recorded(store, logs, out, str(base), stubborn, quiet)
    other = tmp_path / "other-base"
    train_small_policy(["?"], ["a plan"], other, SmallRecipe(width=16, layers=1, heads=2, steps=1, batch=1))
    with pytest.raises(InputError, match="What is served here was tuned on a-small-base"):
        deconfound_recorded(store, logs, out, str(other), replace(RECIPE, seed=5), quiet)
    with pytest.raises(InputError, match="held out"):
        deconfound_recorded(store, logs, out, str(base), replace(RECIPE, held_out=1.0), quiet)
    assert len(versions(out)) == count


def test_what_is_worse_beyond_doubt_is_kept_and_not_served(
    tuned: Any, store: Store, logs: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, _ = tuned
    before = current(out)
    assert before is not None
    measured: list[Any] = []

    def poor(*given: Any, **named: Any) -> Any:
        if not measured:
            measured.append(evaluated.evaluate(*given, **named))
        whole = measured[0]
        assert whole.worse is None
        lost = replace(whole.before_after, gain=Estimate(-0.3, 0.1, -0.5, -0.1))
        return replace(whole, before_after=lost)

    with monkeypatch.context() as patch:
        patch.setattr(run, "evaluate", poor)
        result = deconfound_recorded(store, logs, out, str(base), replace(RECIPE, seed=9), quiet)
    assert current(out) == before and result["served"] != result["version"]
    assert "expected to earn less" in result["facts"]["worse"]
    assert "**Not served:**" in (out / "versions" / result["version"] / "README.md").read_text()
    # Nor is it when the command is given again; and going back passes it by.
    assert deconfound_recorded(store, logs, out, str(base), replace(RECIPE, seed=9), quiet)["served"] == before.name
    against = replace(measured[0].tilted, over_logged=Estimate(-0.3, 0.1, -0.5, -0.1))
    assert "less than what was shown" in str(replace(measured[0], tilted=against).worse)


@pytest.mark.parametrize(
    "rows",
    [["a plan,1,0.5", "a plan,0,0.1"], ["a plan,1,0.5", "huge views,0,0.1", "some guide,1,0.2"] * 2],
    ids=["one text", "six rows"],
)
def test_tiny_logs_are_refused_in_words(rows: list[str], store: Store, base: Path, tmp_path: Path) -> None:
    file = tmp_path / "tiny.csv"
    file.write_text("text,clicks,popularity\n" + "\n".join(rows) + "\n")
    recipe = replace(RECIPE, spec=LogSpec("text", "clicks", ("popularity",)))
    with pytest.raises(InputError):
        deconfound_recorded(store, file, tmp_path / "out", str(base), recipe, quiet)
    assert not (tmp_path / "out" / "versions").exists()


def test_best_of_n_keeps_texts_and_does_not_touch_what_is_served(
    tuned: Any, store: Store, logs: Path, base: Path
) -> None:
    out, _ = tuned
    before = current(out)
    recipe = replace(RECIPE, tuning=replace(SHORT, method="best-of-n"), pairs=PairRecipe(most=40))
    result = deconfound_recorded(store, logs, out, str(base), recipe, quiet)
    assert current(out) == before and Path(result["kept"]).is_file()
    assert not result["facts"]["off_policy"]["supported"]
    assert result["facts"]["before_after"]["gain"]["value"] > 0


def test_going_back_passes_by_what_was_never_served(tmp_path: Path) -> None:
    for name, files in (("0001", ("adapter_config.json",)), ("0002", ()), ("0003", ("adapter_config.json",))):
        folder = tmp_path / "versions" / name
        folder.mkdir(parents=True)
        for file in ("report.json", *files):
            (folder / file).write_text("{}")
    publish(tmp_path, "0001")
    publish(tmp_path, "0003")
    with pytest.raises(InputError, match="no finished version '0002' with a model"):
        publish(tmp_path, "0002")
    assert rollback(tmp_path) == "0001"
    assert [version.published for version in versions(tmp_path)] == [True, False, True]


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("dear")
    with pytest.raises(InputError, match="holds other files"), alone(tmp_path):
        pass
    assert [file.name for file in tmp_path.iterdir()] == ["letters.txt"]


def test_one_run_at_a_time_works_in_a_folder(tmp_path: Path) -> None:
    with alone(tmp_path), pytest.raises(InputError, match="Another run"), alone(tmp_path):
        pass
    with alone(tmp_path):
        pass


def test_an_unfinished_version_is_not_served_and_its_number_is_not_used_again(tmp_path: Path) -> None:
    next_folder(tmp_path).mkdir(parents=True)
    assert next_folder(tmp_path).name == "0002" and current(tmp_path) is None
    with pytest.raises(InputError, match="no finished version"):
        publish(tmp_path, "0001")
    with pytest.raises(InputError, match="holds no version that was served"):
        rollback(tmp_path)


def test_rows_held_out_are_of_other_contexts_where_there_are_many_else_of_other_users(
    logs: Path, tmp_path: Path
) -> None:
    read = read_logs(logs, SPEC)
    assert read.context_of is not None
    train, held = parted(read, 0.3, 0)
    assert not set(read.context_of[train]) & set(read.context_of[held])
    assert len(train) + len(held) == len(read.y) and 0.2 < len(held) / len(read.y) < 0.4
    # Logs that have grown hold out what they held out before.
    file = write_log(tmp_path / "grown.csv", rows=2400, topics=90)
    grown = read_logs(file, SPEC)
    assert grown.contexts is not None and grown.context_of is not None and read.contexts is not None
    then = {read.contexts[at] for at in read.context_of[held]}
    now = {grown.contexts[at] for at in grown.context_of[parted(grown, 0.3, 0)[1]]}
    assert then <= now and len(now) > len(then)
    few = read_logs(write_log(tmp_path / "few.csv", topics=5), SPEC)
    assert few.user_of is not None
    train, held = parted(few, 0.3, 0)
    assert not set(few.user_of[train]) & set(few.user_of[held]) and 0.2 < len(held) / len(few.y) < 0.4
    assert (parted(few, 0.3, 0)[1] == held).all() and len(parted(few, 1e-9, 0)[1]) > 0
    more = read_logs(write_log(tmp_path / "more.csv", rows=2400, topics=5), SPEC)
    again = parted(more, 0.3, 0)[1]
    assert (again[again < len(few.y)] == held).all() and len(again) > len(held)


def test_the_plan_says_which_arrows_are_taken_for_granted_and_where_texts_overlap(logs: Path) -> None:
    plan = causal_plan(read_logs(logs, SPEC))
    assert plan.rows == 1600 and plan.contexts == 60 and plan.comparable == 1
    assert 0 < plan.overlap["popularity"] < 1
    said = in_words(plan)
    assert "`popularity` → outcome `clicks`" in said and "cannot be seen in the logs" in said


def test_the_command_plans_tells_what_is_wrong_and_turns_back(logs: Path, tmp_path: Path) -> None:
    import typer

    from leucippus.cli_deconfound import register

    app = typer.Typer()
    register(app)
    runner = CliRunner()
    columns = ["--text", "text", "--outcome", "clicks", "--confounders", "popularity", "--context", "topic"]
    planned = runner.invoke(app, ["deconfound", str(logs), *columns, "--plan-only", "--json"])
    assert planned.exit_code == 0 and json.loads(planned.stdout)["rows"] == 1600
    without = runner.invoke(app, ["deconfound", str(logs), *columns])
    assert isinstance(without.exception, InputError) and "no folder to tune into" in str(without.exception)
    turned = runner.invoke(app, ["rollback", str(tmp_path)])
    assert isinstance(turned.exception, InputError)


def test_the_usual_recipe_follows_the_method() -> None:
    assert recipe_for(SPEC, "grpo").pairs.most < recipe_for(SPEC).pairs.most
    assert recipe_for(SPEC, "sft", lessons=7, seed=3).pairs.most == 7
    assert recipe_for(SPEC, beta=0.5, reward="interacted").tuning.beta == 0.5
    with pytest.raises(InputError, match="no method 'ppo'"):
        recipe_for(SPEC, "ppo")
    with pytest.raises(InputError, match="no method 'magic'"):
        recipe_for(SPEC, reward="magic")
    with pytest.raises(InputError, match="beta nan"):
        recipe_for(SPEC, beta=float("nan"))
