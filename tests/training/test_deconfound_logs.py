"""Logs are read as they are, what cannot be used is counted, what must not be used is refused, and nobody's number stays."""

import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leucippus.errors import DataError, InputError
from leucippus.training.deconfound.embed import embed_texts, hidden_states
from leucippus.training.deconfound.logs import Logs, LogSpec
from leucippus.training.deconfound.privacy import mask
from leucippus.training.deconfound.reading import read_logs
from leucippus.training.deconfound.roles import words_of

SPEC = LogSpec(text="headline", outcome="y", confounders=("price", "site"))
ROWS = 240


def table(**more: Any) -> dict[str, list[Any]]:
    """Columns of a small log; `more` replaces some or adds others."""
    random = np.random.default_rng(0)
    return {
        "headline": [f"Headline number {chr(97 + i % 26)}{chr(97 + i % 24)}" for i in range(ROWS)],
        "y": random.normal(size=ROWS).round(3).tolist(),
        "price": random.normal(size=ROWS).round(3).tolist(),
        "site": [("north", "south", "west")[i % 3 if i % 7 else 0] for i in range(ROWS)],
        **more,
    }


def written(path: Path, columns: Mapping[str, list[Any]]) -> Path:
    """The columns in a file of the kind that its ending says."""
    import pandas as pd

    frame = pd.DataFrame(columns)
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    elif path.suffix == ".jsonl":
        frame.to_json(path, orient="records", lines=True)
    elif path.suffix == ".duckdb":
        with duckdb.connect(str(path)) as connection:
            connection.register("given", frame)
            connection.execute("CREATE TABLE shown AS SELECT * FROM given")
    elif path.suffix == ".sqlite":
        connection_ = sqlite3.connect(path)
        frame.to_sql("shown", connection_, index=False)
        connection_.close()
    else:
        frame.to_csv(path, index=False, sep="\t" if path.suffix == ".tsv" else ",")
    return path


def read(folder: Path, spec: LogSpec = SPEC, **more: Any) -> Logs:
    return read_logs(written(folder / "log.csv", table(**more)), spec)


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet", "jsonl", "duckdb", "sqlite"])
def test_every_kind_of_file_gives_the_same_numbers(tmp_path: Path, ending: str) -> None:
    columns = table()
    logs = read_logs(written(tmp_path / f"log.{ending}", columns), SPEC)
    assert [logs.texts[at] for at in logs.text_of] == columns["headline"]
    assert len(logs.texts) == len(set(columns["headline"]))
    assert logs.y.tolist() == columns["y"]
    assert logs.names == ("price", "site=west", "site=south")  # north is the most frequent, then west
    assert logs.c[:, 0].tolist() == columns["price"]
    assert logs.c[:, 1].tolist() == [float(site == "west") for site in columns["site"]]
    assert not logs.dropped and logs.unanswered is None and len(logs.sha256) == 64


def test_rows_that_lack_something_are_counted_by_what_they_lack(tmp_path: Path) -> None:
    columns = table()
    columns["headline"][3] = "  "
    columns["price"][5] = columns["price"][6] = None
    columns["y"][8] = columns["y"][9] = columns["y"][10] = None
    columns["y"][5] = None
    logs = read_logs(written(tmp_path / "log.csv", columns), SPEC)
    assert logs.dropped == {"confounder price missing": 2, "outcome missing": 3, "text missing": 1}
    assert logs.n == ROWS - 6
    assert logs.unanswered is not None
    assert [logs.texts[at] for at in logs.unanswered.text_of] == columns["headline"][8:11]
    assert logs.unanswered.c[:, 0].tolist() == columns["price"][8:11]


def test_users_groups_contexts_times_and_experiments_are_coded_row_by_row(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    who = [f"user {i}" for i in random.integers(30, size=ROWS)]
    asked = [f"Question {i}?" for i in random.integers(5, size=ROWS)]
    drawn = [("yes", "no", "TRUE")[i] for i in random.integers(3, size=ROWS)]
    days = [f"2024-01-{1 + i % 28:02d}" for i in range(ROWS)]
    spec = replace(SPEC, user="who", context="asked", experiment="drawn", time="day", group="desk")
    logs = read(tmp_path, spec, who=who, asked=asked, drawn=drawn, day=days, desk=[i % 4 for i in range(ROWS)])
    assert logs.contexts is not None and logs.context_of is not None
    assert [logs.contexts[at] for at in logs.context_of] == asked
    for codes, names in ((logs.user_of, who), (logs.group_of, [i % 4 for i in range(ROWS)])):
        assert codes is not None and len(set(zip(codes.tolist(), names, strict=True))) == len(set(names))
    assert logs.randomised is not None and logs.randomised.tolist() == [word != "no" for word in drawn]
    assert logs.time is not None and logs.time[1] - logs.time[0] == 86_400
    assert logs.observational.sum() == drawn.count("no")


def test_a_categorical_instrument_keeps_its_levels(tmp_path: Path) -> None:
    wave = ["a", "b", "c"] * (ROWS // 3)
    logs = read(tmp_path, replace(SPEC, instrument="wave"), wave=wave)
    assert logs.z_levels == 3 and logs.z is not None
    assert len(set(zip(logs.z.tolist(), wave, strict=True))) == 3


@pytest.mark.parametrize(
    ("spec", "more", "said"),
    [
        (replace(SPEC, outcome="absent"), {}, "absent"),
        (replace(SPEC, confounders=("price", "price")), {}, "two parts"),
        (replace(SPEC, confounders=("y",)), {}, "two parts"),
        (replace(SPEC, context="headline"), {}, "'headline' has two parts"),
        (replace(SPEC, confounders=()), {}, "neither confounders nor a group"),
        (replace(SPEC, confounders=("always",)), {"always": [7] * ROWS}, "'always' is 7 in every row"),
        (replace(SPEC, confounders=("always",)), {"always": ["x"] * ROWS}, "'always' is x in every row"),
        (replace(SPEC, confounders=("name",)), {"name": [f"n{i // 2}" for i in range(ROWS)]}, "more than 100 levels"),
        (replace(SPEC, outcome="site", confounders=("price",)), {}, "'site' is not a number"),
        (SPEC, {"y": [1.5] * ROWS}, "is 1.5 in every row"),
        (SPEC, {"headline": [f"Only {i % 3}" for i in range(ROWS)]}, "3 different texts"),
        (SPEC, {"y": [None] * (ROWS - 30) + [float(i) for i in range(30)]}, "30 of 240 rows"),
        (replace(SPEC, time="day"), {"day": ["soon"] * ROWS}, "'day' cannot be read"),
        (replace(SPEC, instrument="z"), {"z": [1.0] * ROWS}, "'z' does not vary"),
    ],
)
def test_a_log_that_cannot_be_used_is_refused_with_the_reason(
    tmp_path: Path, spec: LogSpec, more: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, spec, **more)
    assert said in str(caught.value)


@pytest.mark.parametrize("name", ["clicks", "post_exposure_visits", "next visit", "Rating"])
def test_what_people_do_once_they_have_seen_a_text_is_no_confounder(tmp_path: Path, name: str) -> None:
    spec = replace(SPEC, confounders=("price", name))
    values = np.random.default_rng(2).normal(size=ROWS).round(3).tolist()
    with pytest.raises(InputError, match="not usable as confounders"):
        read(tmp_path, spec, **{name: values})
    assert read(tmp_path, replace(spec, allow=(name,)), **{name: values}).names == ("price", name)


@pytest.mark.parametrize("name", ["prior_clicks", "post_length", "lag1_revenue"])
def test_what_was_known_before_is_taken(tmp_path: Path, name: str) -> None:
    values = np.random.default_rng(2).normal(size=ROWS).round(3).tolist()
    assert read(tmp_path, replace(SPEC, confounders=(name,)), **{name: values}).names == (name,)


def test_a_time_after_the_text_was_shown_is_no_confounder(tmp_path: Path) -> None:
    shown = [f"2024-01-{1 + i % 27:02d} 10:00:00" for i in range(ROWS)]
    later = [f"2024-01-{1 + i % 27:02d} 10:05:00" for i in range(ROWS)]
    spec = replace(SPEC, confounders=("price", "at"), time="shown")
    with pytest.raises(InputError, match="later than 'shown' in 100 % of the rows"):
        read(tmp_path, spec, shown=shown, at=later)
    assert read(tmp_path, replace(spec, time="at", confounders=("price", "shown")), shown=shown, at=later).n == ROWS


@pytest.mark.parametrize("leak", ["copy", "square", "steps", "noise"])
def test_a_copy_of_the_outcome_is_no_confounder_whatever_its_shape(tmp_path: Path, leak: str) -> None:
    y = np.array(table()["y"])
    shapes = {
        "copy": 3 * y - 1,
        "square": y**2,
        "steps": np.floor(20 * y),
        "noise": y + np.random.default_rng(3).normal(size=ROWS),
    }
    spec = replace(SPEC, confounders=("x",))
    if leak == "noise":  # half of the outcome's variance is no copy
        assert read(tmp_path, spec, x=shapes[leak].tolist()).names == ("x",)
        return
    with pytest.raises(InputError, match="as a copy would"):
        read(tmp_path, spec, x=shapes[leak].tolist())


def test_a_binary_outcome_is_read_in_any_spelling_and_its_copy_is_seen(tmp_path: Path) -> None:
    clicked = [("yes", "no")[i % 2] for i in range(ROWS)]
    logs = read(tmp_path, replace(SPEC, outcome="clicked"), clicked=clicked)
    assert logs.y.tolist() == [float(word == "yes") for word in clicked]
    with pytest.raises(InputError, match="as a copy would"):
        read(
            tmp_path,
            replace(SPEC, outcome="clicked", confounders=("x",)),
            clicked=clicked,
            x=[5 + 2 * (i % 2) for i in range(ROWS)],
        )


def test_names_of_columns_are_never_run_as_sql(tmp_path: Path) -> None:
    wild = "x'); DROP TABLE data; --\""
    values = np.random.default_rng(4).normal(size=ROWS).round(3).tolist()
    path = written(tmp_path / "log.parquet", table(**{wild: values}))
    spec = replace(SPEC, confounders=(wild,))
    assert read_logs(path, spec).c[:, 0].tolist() == values
    with_gaps = written(tmp_path / "gaps.parquet", table(**{wild: [None, *values[1:]]}))
    assert read_logs(with_gaps, spec).dropped == {f"confounder {wild} missing": 1}


def test_a_table_is_asked_for_where_a_database_has_several(tmp_path: Path) -> None:
    path = written(tmp_path / "log.sqlite", table())
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE other (a)")
    connection.commit()
    connection.close()
    with pytest.raises(DataError, match="2 tables: other, shown"):
        read_logs(path, SPEC)
    with pytest.raises(DataError, match="no table 'missing'"):
        read_logs(path, SPEC, table="missing")
    assert read_logs(path, SPEC, table="SHOWN").n == ROWS


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("write to jo.doe+x@ex-ample.co.uk now", "email"),
        ("write to jo (at) example (dot) com", "email"),
        ("call +49 (0)30 1234-5678", "phone"),
        ("call (555) 123-4567 or so", "phone"),
        ("call 1-800-555-1234", "phone"),
        ("card 4111 1111 1111 1111 ok", "card"),
        ("to DE89 3704 0044 0532 0130 00.", "account"),
        ("number 123-45-6789", "id"),
        ("key 550e8400-e29b-41d4-a716-446655440000", "id"),
        ("customer no. 4711x", "id"),
        ("from 192.168.1.20", "address"),
        ("see https://x.org/a?token=abc123", "link"),
    ],
)
def test_personal_data_are_masked(text: str, kind: str) -> None:
    masked, counts = mask(text)
    assert counts == {kind: 1}
    assert f"[{kind}]" in masked
    assert sum(character.isdigit() for character in masked) == 0 and "@" not in masked


@pytest.mark.parametrize(
    "text",
    [
        "in 2024-2025 we sold 1,000,000 of 250 000 units for $1,234.56",
        "on 2024-05-06 at 10:30, or 07.05.2024",
        "10 tips from 1990 to 2020, 24/7, version 10.2.3",
        "pi is 3.14159265358979 and ISBN 978-3-16-148410-0",
        "see https://x.org/a/b for order 66",
        "card 4111 1111 1111 1112",
    ],
)
def test_numbers_that_are_nobodys_stay(text: str) -> None:
    assert mask(text) == (text, {})


@given(st.text(max_size=200))
def test_masking_twice_is_masking_once(text: str) -> None:
    once, _ = mask(text)
    assert mask(once)[0] == once


@pytest.mark.parametrize(
    "piece", ["+1 1", "a", "0", "1 ", "[at] ", "AB12 ", "http://", "user id: ", "a@", "a.b-", "1:", "x@y."]
)
def test_masking_takes_no_longer_for_a_hostile_text(piece: str) -> None:
    from time import perf_counter

    began = perf_counter()
    mask("1 1 " + piece * (20_000 // len(piece)) + "@")
    assert perf_counter() - began < 3


def test_masked_texts_that_are_the_same_are_one_and_masking_can_be_declined(tmp_path: Path) -> None:
    columns = table()
    columns["headline"][0], columns["headline"][1] = "Call +49 30 1234567", "Call +49 30 7654321"
    path = written(tmp_path / "log.csv", columns)
    logs = read_logs(path, SPEC)
    assert logs.texts[logs.text_of[0]] == "Call [phone]" and logs.text_of[0] == logs.text_of[1]
    assert logs.masked == {"phone": 2}
    plain = read_logs(path, SPEC, masked=False)
    assert plain.texts[plain.text_of[1]] == "Call +49 30 7654321" and not plain.masked


def test_names_are_cut_into_words() -> None:
    assert words_of("clicksAfter_24h") == ("clicks", "after", "24", "h")
    assert words_of("CTR prior") == ("ctr", "prior")


def test_texts_embedded_before_an_interruption_are_not_embedded_again(tmp_path: Path) -> None:
    texts = [f"text {i}" for i in range(5_000)]
    seen: list[str] = []

    def encode(some: Any) -> Any:
        if some[-1] == texts[-1] and not again:
            raise KeyboardInterrupt
        seen.extend(some)
        return np.array([[float(text.split()[1]), 1.0] for text in some], dtype=np.float32)

    again = False
    with pytest.raises(KeyboardInterrupt):
        embed_texts(texts, tmp_path, with_model=encode)
    again = True
    seen.clear()
    e = embed_texts(texts, tmp_path, with_model=encode)
    assert set(seen) == set(texts[4_096:])
    assert e[:, 0].tolist() == list(range(5_000))
    seen.clear()
    assert embed_texts(texts, tmp_path, with_model=encode).shape == (5_000, 2) and not seen


def test_a_models_own_hidden_states_do_not_depend_on_what_a_text_is_batched_with(tmp_path: Path) -> None:
    from leucippus.training.deconfound.small_policy import SmallRecipe, train_small_policy

    texts = ["a red end", "a blue end and a red one and more of it", "red"]
    train_small_policy(
        ["Say:"] * 3, texts, tmp_path / "base", SmallRecipe(width=16, layers=1, heads=2, steps=1, batch=2, warmup=1)
    )
    encode_texts = hidden_states(tmp_path / "base", batch=3)
    together = encode_texts(texts)
    assert together.shape == (3, 16) and together.dtype == np.float32
    assert np.allclose((together**2).sum(axis=1), 1, atol=1e-5)
    assert np.allclose(together, np.concatenate([encode_texts([text]) for text in texts]), atol=1e-5)
    assert not np.allclose(together[0], together[1], atol=1e-3)
    e = embed_texts(texts, tmp_path / "cache", with_model=encode_texts, model="tiny")
    assert np.allclose(e, together, atol=1e-5)
    with pytest.raises(InputError, match="holds no model"):
        hidden_states(tmp_path / "nothing")
