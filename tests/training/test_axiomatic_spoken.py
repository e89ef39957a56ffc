"""Axioms in plain English: what is said is so, nothing that is tested was taught, and an adapter is whole or not there."""

import json
import re
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import pytest

from leucippus.config import Settings
from leucippus.errors import ConfigError, InputError
from leucippus.graphs.axioms import SINGLE, UNCONDITIONAL, Axiom, Question, holds
from leucippus.graphs.dag import Graph
from leucippus.serving.client import find_model
from leucippus.serving.merging import merge
from leucippus.training import adapter as tuning
from leucippus.training.axiomatic import adapter as axiomatic
from leucippus.training.axiomatic.adapter import (
    AdapterRecipe,
    Tuned,
    check_base,
    compare,
    conversations,
    find_base,
    tune,
)
from leucippus.training.axiomatic.answering import Replies, answered, compared, mcnemar, table
from leucippus.training.axiomatic.dataset import part_of
from leucippus.training.axiomatic.paraphrases import FAMILIES, INSTRUCTION, KEPT, LEARNED, Family, ask, explain, tell
from leucippus.training.axiomatic.spoken import (
    Spoken,
    SpokenRecipe,
    SpokenSuite,
    cladder,
    spoken_lessons,
    spoken_suites,
)
from leucippus.training.axiomatic.structures import nodes_of
from leucippus.training.folders import claim_folder

EDGES = (("rain", "mud"), ("snow", "mud"), ("mud", "fog"), ("rain", "heat"))
ALL = [pytest.param(family, id=family.name) for family in FAMILIES]


def _question(axiom: Axiom, x: str = "rain", y: str = "fog") -> Question:
    return Question(axiom, x, y, ("mud",) if axiom in SINGLE else () if axiom in UNCONDITIONAL else ("snow", "heat"))


NAMES = r"\w+(?:, \w+)*(?: and \w+)?"


def _read(form: str, text: str) -> dict[str, tuple[str, ...]] | None:
    """The names that stand in a text in the places of a form; None if it is not of that form."""
    places: set[str] = set()

    def place(match: re.Match[str]) -> str:
        name = match[1]
        if name in places:
            return f"(?P={name})"
        places.add(name)
        return f"(?P<{name}>{NAMES})"

    found = re.fullmatch(re.sub(r"\\{(\w+)\\}", place, re.escape(form)), text, re.IGNORECASE)
    return {name: tuple(re.split(r", | and ", found[name].lower())) for name in places} if found else None


def _told(family: Family, text: str) -> set[tuple[str, str]]:
    """The edges that a text tells, read back from its sentences."""
    said = text.removeprefix(f"{family.opening} ").split(". ")
    read = [
        next(filter(None, (_read(form.removesuffix("."), one.removesuffix(".")) for form in family.sentences)), {})
        for one in said
    ]
    return {(cause, effect) for one in read for cause in one["x"] for effect in one["y"]}


@pytest.mark.parametrize("family", ALL)
def test_the_premises_tell_the_edges_and_nothing_else(family: Family) -> None:
    for seed in range(10):
        text, order = tell(Random(seed), family, EDGES)
        assert _told(family, text) == set(EDGES) == set(order)
        assert text.startswith(family.opening)
        assert "{" not in text and text.endswith(".")


@pytest.mark.parametrize("family", ALL)
@pytest.mark.parametrize("axiom", list(Axiom))
def test_every_family_asks_about_every_axiom(family: Family, axiom: Axiom) -> None:
    question = _question(axiom)
    text, opposite = ask(family, question)
    assert text.endswith("?") and text[0].isupper() and "{" not in text
    assert all(re.search(rf"\b{name}\b", text, re.IGNORECASE) for name in (question.x, question.y, *question.given))
    assert opposite == family.questions[axiom].opposite
    if axiom not in SINGLE:
        alone, _ = ask(family, Question(axiom, "rain", "fog"))
        assert "snow" not in alone and "{" not in alone and "  " not in alone


def test_no_two_ways_to_ask_are_the_same_and_a_set_can_always_be_left_out() -> None:
    texts = [wording.text for family in FAMILIES for wording in family.questions.values()]
    assert len(set(texts)) == len(texts) == 8 * len(FAMILIES)
    for family in FAMILIES:
        for axiom, wording in family.questions.items():
            assert bool(wording.alone) == (axiom not in SINGLE | UNCONDITIONAL), (family.name, axiom)
            assert ("{given}" in wording.text) == (axiom not in UNCONDITIONAL)


def test_no_name_is_a_word_of_a_wording() -> None:
    said = [INSTRUCTION]
    for family in FAMILIES:
        said += [family.opening, *family.sentences, *(f"{w.text} {w.alone}" for w in family.questions.values())]
    assert not set(re.findall(r"\w+", " ".join(said).lower())) & {*LEARNED.nouns, *KEPT.nouns}


def test_the_steps_say_in_words_what_the_trace_says() -> None:
    assert explain(EDGES, Question(Axiom.TRANSITIVITY, "rain", "snow")) == (
        "rain leads to mud; mud leads to fog; fog is done; mud is done; rain leads to heat; heat is done; "
        "rain is done. snow is not reached."
    )
    assert explain(EDGES, Question(Axiom.D_SEPARATION, "rain", "snow", ("fog",))) == (
        "fog comes from mud; mud comes from rain; rain is done; mud comes from snow; snow is done; "
        "mud is done; fog is done. up at rain: on to mud; down at mud, behind: back to rain; "
        "down at mud, behind: back to snow. snow is reached."
    )
    assert explain(EDGES, Question(Axiom.INTERVENTION, "rain", "fog", ("mud",))) == (
        "rain leads to mud; rain leads to heat; heat is done; rain is done. fog is not reached."
    )
    assert explain(EDGES, Question(Axiom.COLLIDER, "rain", "snow", ("mud",))) == "rain leads to mud. snow leads to mud."
    assert explain(EDGES, Question(Axiom.BACK_DOOR, "mud", "fog", ("rain", "snow"))).endswith(
        "up at mud: back to rain; up at rain, known: done; up at mud: back to snow; up at snow, known: done; "
        "up at mud: on to fog; up at mud: done."
    )


def _lessons(count: int, **changes: Any) -> list[Spoken]:
    return list(islice(spoken_lessons(SpokenRecipe(), **changes), count))


def test_the_answer_is_that_of_the_graph_however_it_is_asked() -> None:
    """Read back from the words: edges from the premises, x, y and the set from the question."""
    families = {family.name: family for family in FAMILIES}
    checked: Counter[tuple[str, str]] = Counter()
    for lesson in [*_lessons(800, part="train"), *_lessons(400, part="test", held_out=True)]:
        family, axiom = families[lesson.family], Axiom(lesson.axiom)
        wording = family.questions[axiom]
        text = lesson.prompt.removesuffix(f" {INSTRUCTION}")
        # Premises end where the question begins; questions of two sentences say "someone" or "suppose" first.
        ends = [match.end() for match in re.finditer(r"\. ", text)]
        for end in ends:
            asked = next(
                filter(None, (_read(form, text[end:]) for form in (wording.alone, wording.text) if form)), None
            )
            if asked:
                break
        else:
            pytest.fail(f"cannot be read back: {lesson.prompt}")
        edges = tuple(sorted(_told(family, text[:end].strip())))
        question = Question(axiom, asked["x"][0], asked["y"][0], asked.get("given", ()))
        yes = holds(Graph(nodes_of(edges), edges), question)
        assert (lesson.answer == "Yes") == (yes != wording.opposite), lesson
        checked[lesson.family, lesson.axiom] += 1
    assert len(checked) == 8 * len(FAMILIES)


def test_the_completion_ends_with_the_answer_and_is_read_as_it() -> None:
    for lesson in _lessons(300, part="train"):
        assert lesson.completion.endswith(f"So the answer is {lesson.answer.lower()}.")
        assert answered(lesson.completion) == (lesson.answer == "Yes")
    (short,) = islice(spoken_lessons(SpokenRecipe(with_steps=False), "train"), 1)
    assert short.completion == short.answer and not short.steps


def test_names_families_and_classes_of_lessons_and_tests_have_nothing_in_common() -> None:
    for one, other in ((LEARNED.nouns, KEPT.nouns), (LEARNED.letters, KEPT.letters)):
        assert not set(one) & set(other) and len(set(one)) == len(one)
    assert sum(family.held_out for family in FAMILIES) >= 2
    learned = _lessons(1500, part="train")
    held_out = {family.name for family in FAMILIES if family.held_out}
    tested = spoken_suites(150)
    assert not {lesson.family for lesson in learned} & held_out
    assert {item.family for item in tested[1].items} == held_out
    assert {item.family for item in tested[0].items} == {family.name for family in FAMILIES} - held_out
    assert {part_of(lesson.task) for lesson in learned} == {"train"}
    for suite in tested:
        assert {part_of(item.task) for item in suite.items} == {"test"}
        assert not {item.task for item in suite.items} & {lesson.task for lesson in learned}
    words = [
        set(re.findall(r"\w+", " ".join(each.prompt for each in group).lower())) for group in (learned, tested[0].items)
    ]
    assert not words[0] & set(KEPT.nouns) and not words[1] & set(LEARNED.nouns)


def test_lessons_are_balanced_repeatable_and_never_said_twice() -> None:
    learned = _lessons(1000, part="train")
    assert learned == _lessons(1000, part="train")
    assert len({lesson.prompt for lesson in learned}) == 1000
    for axiom in Axiom:
        said = Counter(lesson.answer for lesson in learned if lesson.axiom == axiom)
        assert abs(said["Yes"] - said["No"]) <= 2
    assert {lesson.nodes for lesson in learned} == {3, 4, 5, 6}


def test_the_suites_ask_of_every_axiom_and_of_the_sizes_they_say() -> None:
    within, other, larger = spoken_suites(240)
    for suite in (within, other, larger):
        assert len(suite.items) == 240
        assert min(Counter(item.axiom for item in suite.items).values()) > 15
    assert {item.nodes for item in within.items} <= {3, 4, 5, 6} and {item.nodes for item in larger.items} == {
        7,
        8,
        9,
        10,
    }


@pytest.mark.parametrize("sizes", [{2: 1.0}, {}, {14: 1.0}])
def test_sizes_that_cannot_be_asked_about_are_named(sizes: dict[int, float]) -> None:
    with pytest.raises(InputError, match="cannot be asked about"):
        SpokenRecipe(sizes=sizes)
    with pytest.raises(InputError, match="no axiom 'magic'"):
        SpokenRecipe(axioms={"magic": 1.0})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Yes", True),
        ("no", False),
        ("**Yes**, because rain leads to mud.", True),
        ("rain leads to mud; mud is done. So the answer is no.", False),
        ("Yes, it might seem so, but the answer is: No.", False),
        ("The answer is yes. Wait. The answer is no.", False),
        ("There is no effect of rain on mud.", None),
        ("Given the premises, I would say yes.", True),
        ("Nothing is known about yesterday.", None),
        ("Note that rain causes mud.", None),
        ("", None),
        ("\n\n", None),
        ("No\nYes", False),
        ("x" * 1_000_000, None),
    ],
)
def test_an_answer_is_read(text: str, said: bool | None) -> None:
    assert answered(text) is said


def _suite(answers: str) -> SpokenSuite:
    """y and n."""
    named = {"y": "Yes", "n": "No"}
    return SpokenSuite("made up", tuple(Spoken("?", "", named[a], "collider", 3, "0", "causes") for a in answers))


def test_the_better_of_two_ways_counts_for_the_base() -> None:
    suite = _suite("yyyynnnn")
    base = Replies(["Yes"] * 6 + [""] * 2, [True] * 4 + [False] * 3 + [True])
    tuned = Replies(["Yes"] * 4 + ["No"] * 4, None)
    found = compared(suite, base, tuned)
    assert (found.base.counted, found.base.accuracy, found.base.written, found.base.unanswered) == (
        "leaning",
        0.875,
        0.5,
        2,
    )
    assert found.tuned.accuracy == 1 and found.gain == 0.125
    assert found.low < found.gain < found.high
    assert found.by_axiom == {"collider": (8, 0.875, 1.0)}
    assert "made up" in table([found])
    worse = compared(suite, Replies(["Yes"] * 4 + ["No"] * 4, [False] * 8), Replies(["No"] * 8, None))
    assert worse.base.counted == "written" and worse.gain == -0.5


def test_mcnemar_is_exact() -> None:
    scipy = pytest.importorskip("scipy.stats")
    for better, worse in ((0, 0), (5, 0), (9, 3), (3, 9), (120, 80)):
        expected = scipy.binomtest(better, better + worse).pvalue if better + worse else 1.0
        assert mcnemar(better, worse) == pytest.approx(expected)


def test_cladder_is_read_and_what_is_no_question_is_named(tmp_path: Path) -> None:
    file = tmp_path / "cladder.jsonl"
    rows = [
        {"question": "Will it?", "given_info": "It may.", "background": None, "answer": "no", "query_type": "ate"},
        {"question": "Will it?", "answer": "yes"},
    ]
    file.write_text("\n".join(map(json.dumps, rows)))
    first, second = cladder(file).items
    assert first.prompt == f"It may. Will it? {INSTRUCTION}" and (first.answer, first.axiom) == ("No", "ate")
    assert second.answer == "Yes"
    for text, said in (
        ("", "empty"),
        ("{", "Line 1"),
        ('{"question": "?", "answer": "maybe"}', "Line 1"),
        ("[]", "Line 1"),
    ):
        file.write_text(text)
        with pytest.raises(InputError, match=said):
            cladder(file)
    with pytest.raises(InputError, match="cannot be read"):
        cladder(tmp_path / "nowhere.jsonl")


def test_what_the_extractor_learned_is_rehearsed() -> None:
    recipe = AdapterRecipe(lessons=30, tuning=tuning.Recipe(texts=10))
    learned, rehearsed = conversations(recipe)
    assert len(learned) == 30 and len(rehearsed) == 10
    assert all("claims" in row["completion"][0]["content"] for row in rehearsed)
    assert conversations(AdapterRecipe(lessons=3, tuning=tuning.Recipe(texts=0)))[1] == []


def _base(folder: Path, **changes: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"hidden_size": 8, "vocab_size": 16} | changes))
    (folder / "tokenizer.json").write_text("{}")
    return folder


def _adapter(folder: Path, base: str, **trained: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": base}))
    if trained:
        (folder / "training.json").write_text(json.dumps(trained))
    return folder


def _silent(name: str, step: int, steps: int, loss: float) -> None:
    pass


def test_a_base_without_a_model_or_a_tokenizer_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no config\.json"):
        find_base(str(tmp_path))
    (_base(tmp_path / "base") / "tokenizer.json").unlink()
    with pytest.raises(InputError, match="no tokenizer"):
        tune(str(tmp_path / "base"), tmp_path / "out", AdapterRecipe(), _silent)
    assert not (tmp_path / "out").exists()


def test_an_adapter_of_another_base_is_refused(tmp_path: Path) -> None:
    base = _base(tmp_path / "mine")
    check_base(_adapter(tmp_path / "a", "mine", hidden_size=8, vocab_size=16), "mine", base)
    check_base(_adapter(tmp_path / "a", "/elsewhere/mine"), "mine", base)
    for adapter in (
        _adapter(tmp_path / "b", "yours"),
        _adapter(tmp_path / "c", "mine", hidden_size=9, vocab_size=16),
        _adapter(tmp_path / "d", "mine", hidden_size=8, vocab_size=17),
    ):
        with pytest.raises(InputError, match="was tuned on"):
            check_base(adapter, "mine", base)
    with pytest.raises(InputError, match="holds no adapter"):
        check_base(tmp_path, "mine", base)


def test_a_folder_of_another_recipe_or_base_is_left_alone(tmp_path: Path) -> None:
    base, out = _base(tmp_path / "base"), tmp_path / "out"
    made: Any = axiomatic._Made("another", AdapterRecipe())
    claim_folder(out, made)
    with pytest.raises(InputError, match="another recipe"):
        tune(str(base), out, AdapterRecipe(), _silent)


@pytest.mark.parametrize("fails", ["fit", "save"])
def test_a_full_disk_leaves_no_adapter(fails: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> Any:
        raise OSError(28, "No space left on device")

    class Model:
        class config:
            hidden_size, vocab_size = 8, 16

        def save_pretrained(self, folder: str) -> None:
            Path(folder).mkdir()
            (Path(folder) / "adapter_model.safetensors").write_bytes(b"half")
            full()

    class Trainer:
        model = Model()

        class state:
            global_step, log_history = 1, [{"train_loss": 1.0}]

    monkeypatch.setattr(axiomatic, "fit", full if fails == "fit" else lambda *_: Trainer())
    out = tmp_path / "out"
    recipe = AdapterRecipe(lessons=2, tuning=tuning.Recipe(texts=0))
    with pytest.raises(InputError, match="No space left"):
        tune(str(_base(tmp_path / "base")), out, recipe, _silent)
    assert not list(out.glob("adapter*")) and not (out / "unfinished").exists()


def test_a_checkpoint_that_was_cut_short_is_not_the_last(tmp_path: Path) -> None:
    assert tuning.last_checkpoint(tmp_path) is None
    for step, whole in ((9, True), (10, True), (100, False)):
        (tmp_path / f"checkpoint-{step}").mkdir()
        if whole:
            (tmp_path / f"checkpoint-{step}" / "trainer_state.json").write_text("{}")
    assert tuning.last_checkpoint(tmp_path) == tmp_path / "checkpoint-10"


def test_a_finished_adapter_is_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base, out = _base(tmp_path / "base"), tmp_path / "out"
    made: Any = axiomatic._Made(str(base), AdapterRecipe())
    claim_folder(out, made)
    done = Tuned(str(base), 8, 16, 1, 0, 1, 1.0, 1.0)
    _adapter(out, str(base))
    (out / "training.json").write_text(json.dumps(asdict(done)))
    monkeypatch.setattr(axiomatic, "fit", lambda *_: pytest.fail("made again"))
    assert tune(str(base), out, AdapterRecipe(), _silent) == done


KILLED = """
import os, signal
from pathlib import Path
from leucippus.training.adapter import Recipe
from leucippus.training.axiomatic.adapter import AdapterRecipe, tune

def report(name, step, of, loss):
    if name == "adapter" and step == 3:
        os.kill(os.getpid(), signal.SIGKILL)

short = Recipe(texts=2, batch=2, rank=4, learning_rate=5e-3, longest=200, save_every=1)
tune("smollm2", Path({out!r}), AdapterRecipe(lessons=6, generated=10, tuning=short), report)
"""


@pytest.mark.engine
def test_tuning_goes_on_after_a_kill_and_the_adapter_is_loaded_and_served(packaged_model: Path, tmp_path: Path) -> None:
    from transformers import AutoConfig, LlamaForCausalLM

    short = tuning.Recipe(texts=2, batch=2, rank=4, learning_rate=5e-3, longest=200, save_every=1)
    recipe = AdapterRecipe(lessons=6, generated=10, tuning=short)
    out = tmp_path / "out"
    steps: list[int] = []

    def told(name: str, step: int, of: int, loss: float) -> None:
        if name == "adapter":
            steps.append(step)

    killed = subprocess.run([sys.executable, "-c", KILLED.format(out=str(out))], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not (out / "adapter_config.json").exists()
    assert [folder.name for folder in (out / "checkpoints").glob("checkpoint-*")] == ["checkpoint-2"]
    tuned = tune("smollm2", out, recipe, told)
    assert steps == [3, 4] and tuned.steps == 4
    assert sorted(file.name for file in out.iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
        "recipe.json",
        "training.json",
    ]
    assert json.loads((out / "adapter_config.json").read_text())["base_model_name_or_path"] == "SmolLM2-135M-Instruct"
    assert str(packaged_model) not in "".join(file.read_text() for file in out.glob("*.json"))

    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / packaged_model.name).symlink_to(packaged_model)
    served = find_model(Settings(model=str(out), cache_dir=cache))
    assert served.parent == cache and (served / "model.safetensors").is_file()
    suites = [SpokenSuite(suite.name, suite.items[:2]) for suite in spoken_suites(2)[:2]]
    assert [found.suite for found in compare("smollm2", out, suites, longest=4, longest_base=4)] == [
        s.name for s in suites
    ]

    (tmp_path / "small").mkdir()
    small: Any = LlamaForCausalLM
    small(AutoConfig.from_pretrained(packaged_model, num_hidden_layers=2)).save_pretrained(tmp_path / "small")
    with pytest.raises(ConfigError, match="was not tuned on small"):
        merge(tmp_path / "small", out)
