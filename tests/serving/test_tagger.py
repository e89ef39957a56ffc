"""The tagger on the packaged encoder and the shipped weights, in this process and as a Ray actor."""

import asyncio
import json
from pathlib import Path

import numpy as np
import pytest

from leucippus.config import Settings, TaggerSettings
from leucippus.errors import EngineDied, ModelNotFound
from leucippus.serving.packaged import EXTRACTOR
from leucippus.serving.pool import TaggerPool
from leucippus.serving.tagger import DESCRIPTION, WEIGHTS, LocalTagger, Scores, Tagger, base_model, save_tagger
from tests.conftest import Run

TEXTS = ["Heavy rain caused floods.", "The museum opens at nine.", "Crème brûlée — naïve café", "", "Frost " * 300]


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    return Tagger.load(EXTRACTOR)


def _equal(one: Scores, other: Scores) -> bool:
    return one.offsets == other.offsets and np.array_equal(one.words, other.words)


def test_every_word_has_its_place_and_its_numbers(tagger: Tagger) -> None:
    text = TEXTS[2]
    (scores,) = tagger.score([text])
    assert [text[slice(*span)] for span in scores.offsets] == ["Crème", "brûlée", "—", "naïve", "café"]
    assert scores.words.shape == (5, len(scores.head)) and np.isfinite(scores.words).all()


def test_texts_come_back_in_their_order(tagger: Tagger) -> None:
    assert [len(scores.offsets) for scores in tagger.score(TEXTS[:4])] == [5, 6, 5, 0]


def test_the_same_texts_give_the_same_scores(tagger: Tagger) -> None:
    assert all(map(_equal, tagger.score(TEXTS), tagger.score(TEXTS)))


def test_nothing_gives_nothing(tagger: Tagger) -> None:
    assert tagger.score([]) == []


def test_what_is_too_long_is_cut_and_says_so(tagger: Tagger) -> None:
    short, long = tagger.score([TEXTS[0], TEXTS[4]])
    assert long.cut and 0 < long.offsets[-1][1] < len(TEXTS[4])
    assert not short.cut


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    model, tokenizer = base_model(7, seed=3)
    save_tagger(model, tmp_path)
    assert (tmp_path / WEIGHTS).stat().st_size < 25e6  # the word embeddings stay at home
    saved = Tagger.load(tmp_path).score(TEXTS[:1])[0].words
    np.testing.assert_allclose(saved, Tagger(model.eval(), tokenizer).score(TEXTS[:1])[0].words, atol=0.05)


def test_a_folder_without_a_tagger_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match=str(tmp_path)):
        Tagger.load(tmp_path)


def test_a_tagger_of_another_encoder_is_refused(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"bert.encoder.layer.9.output.dense.bias": np.zeros(3, np.float32)}, tmp_path / WEIGHTS)
    (tmp_path / DESCRIPTION).write_text(json.dumps({"width": 7}))
    with pytest.raises(ModelNotFound, match="does not fit"):
        Tagger.load(tmp_path)


def test_a_pool_on_ray_scores_as_this_process_does(run: Run, tagger: Tagger) -> None:
    pool = TaggerPool(EXTRACTOR, Settings(tagger=TaggerSettings(replicas=2)))
    local = LocalTagger(EXTRACTOR)
    try:
        here, there = run(local.score(TEXTS)), run(pool.score(TEXTS))
    finally:
        run(pool.close())
    assert all(map(_equal, here, there))


def test_a_pool_whose_folder_holds_no_tagger_does_not_start(run: Run, tmp_path: Path) -> None:
    pool = TaggerPool(tmp_path, Settings())
    with pytest.raises(EngineDied, match="holds no tagger"):
        run(pool.start())


def test_many_may_ask_at_once(run: Run, tagger: Tagger) -> None:
    local = LocalTagger(EXTRACTOR)

    async def all_together() -> list[list[Scores]]:
        return await asyncio.gather(*(local.score(TEXTS) for _ in range(6)))

    alone = tagger.score(TEXTS)
    assert all(all(map(_equal, scores, alone)) for scores in run(all_together()))
