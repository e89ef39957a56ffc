"""Unpacking a packaged model: once, whole or not at all, whoever else does it at the same time."""

import hashlib
import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from leucippus.errors import ModelNotFound
from leucippus.serving import packaged
from leucippus.serving.packaged import PackagedModel, describe, minilm_folder, unpack

WEIGHTS = b"these are weights"
PACKAGE = "package_of_weights"


def model(sha256: str = hashlib.sha256(WEIGHTS).hexdigest(), package: str = PACKAGE) -> PackagedModel:
    return PackagedModel("Tiny", package, "tiny.gguf", sha256, "MIT", "made for this test")


def convert(source: Path, target: Path) -> None:
    (target / "model.safetensors").write_bytes(source.read_bytes().upper())
    (target / "config.json").write_text("{}")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The installed package that carries the weights."""
    folder = tmp_path / "site" / PACKAGE
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError('must not be imported')")
    (folder / "tiny.gguf").write_bytes(WEIGHTS)
    monkeypatch.syspath_prepend(str(folder.parent))
    return folder


@pytest.fixture
def conversions(package: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Where each conversion was written to."""
    made: list[Path] = []

    def counted(source: Path, target: Path) -> None:
        made.append(target)
        convert(source, target)

    monkeypatch.setattr(packaged, "_convert", counted)
    return made


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "not" / "there" / "yet"


@pytest.mark.usefixtures("conversions")
def test_the_folder_is_named_after_the_content(cache: Path) -> None:
    assert unpack(model(), cache) == cache / f"Tiny-{hashlib.sha256(WEIGHTS).hexdigest()[:8]}"


def test_a_model_is_unpacked_once(cache: Path, conversions: list[Path]) -> None:
    told: list[str] = []
    first = unpack(model(), cache, told.append)
    assert (first / "model.safetensors").read_bytes() == WEIGHTS.upper()
    assert unpack(model(), cache, told.append) == first
    assert len(conversions) == 1
    assert len(told) == 1
    assert "Tiny" in told[0]


def test_the_weights_are_not_needed_again(cache: Path, conversions: list[Path], package: Path) -> None:
    folder = unpack(model(), cache)
    (package / "tiny.gguf").write_bytes(b"changed since")
    assert unpack(model(), cache) == folder


def _lose(file: Path) -> None:
    file.unlink()


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:3])


def _garble(file: Path) -> None:
    file.write_bytes(b"\xff" * 20)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "manifest.json"])
@pytest.mark.parametrize("damage", [_lose, _cut, _garble])
def test_a_damaged_copy_is_made_again(
    cache: Path, conversions: list[Path], name: str, damage: Callable[[Path], None]
) -> None:
    folder = unpack(model(), cache)
    if name == "config.json" and damage is _cut:
        (folder / name).write_text("{")
    else:
        damage(folder / name)
    told: list[str] = []
    assert unpack(model(), cache, told.append) == folder
    assert "damaged" in told[0]
    assert len(conversions) == 2
    assert (folder / "model.safetensors").read_bytes() == WEIGHTS.upper()


def test_other_weights_than_ours_are_refused(cache: Path, conversions: list[Path]) -> None:
    with pytest.raises(ModelNotFound) as caught:
        unpack(model(sha256="0" * 64), cache)
    assert hashlib.sha256(WEIGHTS).hexdigest() in caught.value.problem
    assert caught.value.expected == "0" * 64
    assert not conversions


@pytest.mark.usefixtures("conversions")
def test_a_package_without_its_weights_is_refused(cache: Path, package: Path) -> None:
    (package / "tiny.gguf").unlink()
    with pytest.raises(ModelNotFound, match="no such file"):
        unpack(model(), cache)


def test_a_package_that_is_not_installed_is_named(cache: Path) -> None:
    with pytest.raises(ModelNotFound, match="no_such_package") as caught:
        unpack(model(package="no_such_package"), cache)
    assert "requirements/models.txt" in caught.value.next_step


def test_a_conversion_that_fails_leaves_nothing(
    package: Path, cache: Path, conversions: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(source: Path, target: Path) -> None:
        (target / "model.safetensors").write_bytes(b"half of the wei")
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(packaged, "_convert", half)
        with pytest.raises(OSError, match="disk full"):
            unpack(model(), cache)
    assert [path.name for path in cache.iterdir() if path.is_dir()] == []
    assert (unpack(model(), cache) / "model.safetensors").read_bytes() == WEIGHTS.upper()


def _unpack_slowly(cache: Path, log: Path) -> None:
    """In another process: unpack, and note each conversion as a line of `log`."""

    def slow(source: Path, target: Path) -> None:
        with log.open("a") as stream:
            stream.write("converted\n")
        time.sleep(0.3)
        convert(source, target)

    packaged._convert = slow
    unpack(model(), cache)


@pytest.mark.usefixtures("package")
def test_two_processes_at_once_convert_once(
    cache: Path, tmp_path: Path, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(pytestconfig.rootpath))  # where the other processes find this module
    log = tmp_path / "log"
    spawn = multiprocessing.get_context("spawn")
    both = [spawn.Process(target=_unpack_slowly, args=(cache, log)) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join(60)
    assert [process.exitcode for process in both] == [0, 0]
    assert log.read_text() == "converted\n"
    assert [path.name for path in cache.iterdir() if path.is_dir()] == [f"Tiny-{model().sha256[:8]}"]


def test_the_packaged_models_say_their_licence_and_place(cache: Path) -> None:
    language, encoder, extractor = describe(cache)
    assert language["licence"] == "Apache-2.0"
    assert "not unpacked yet" in language["place"]
    assert Path(encoder["place"]) == minilm_folder()
    assert (minilm_folder() / "config.json").is_file()
    assert (Path(extractor["place"]) / "MODEL_CARD.md").is_file()
    assert not cache.exists()


@pytest.mark.engine
def test_the_packaged_model_is_what_vllm_reads(packaged_model: Path) -> None:
    names = {path.name for path in packaged_model.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "manifest.json"} <= names
