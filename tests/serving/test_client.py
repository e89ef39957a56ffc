"""The door: which client stands behind a model's name, and what is said when none does."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from leucippus.config import Settings
from leucippus.errors import ConfigError, ModelNotFound
from leucippus.serving.client import connect, find_model, is_url, model_name
from leucippus.serving.packaged import SMOLLM2
from leucippus.serving.remote import RemoteClient

URL = "http://127.0.0.1:9/v1"


@pytest.mark.parametrize(
    ("model", "answer"),
    [
        (URL, True),
        ("https://models.example/v1#qwen", True),
        ("packaged", False),
        ("Qwen/Qwen3-0.6B", False),
        ("/models/http", False),
        ("file:///models/qwen", False),
    ],
)
def test_only_http_addresses_are_urls(model: str, answer: bool) -> None:
    assert is_url(model) is answer


def test_a_url_is_a_remote_endpoint() -> None:
    assert isinstance(connect(Settings(model=URL)), RemoteClient)


def test_a_model_folder_is_used_where_it_lies(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    assert find_model(Settings(model="model")) == folder


def test_a_folder_that_holds_no_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match=r"config\.json") as caught:
        connect(Settings(model=str(tmp_path)))
    assert str(tmp_path) in caught.value.problem


def test_no_name_is_the_working_folder_and_no_model() -> None:
    with pytest.raises(ModelNotFound, match=r"^'' is a folder"):
        connect(Settings(model=""))


@pytest.mark.parametrize("name", ["nobody/no-such-model", "no such model", "./no/such/folder", "a/b/c/d"])
def test_a_model_that_is_nowhere_is_named_within_seconds(name: str) -> None:
    started = time.monotonic()
    with pytest.raises(ModelNotFound) as caught:
        find_model(Settings(model=name))
    assert time.monotonic() - started < 10
    assert repr(name) in caught.value.problem
    assert "packaged" in caught.value.expected


def test_an_adapter_cannot_be_sent_to_an_endpoint() -> None:
    with pytest.raises(ConfigError, match="remote") as caught:
        connect(Settings(model=URL, adapter="my-adapter"))
    assert "my-adapter" in caught.value.problem
    assert "URL#" in caught.value.next_step


def test_an_adapter_is_a_folder_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    (tmp_path / "adapter").mkdir()
    for adapter in ("adapter", "no-such-folder"):
        with pytest.raises(ConfigError, match=adapter) as caught:
            connect(Settings(model="model", adapter=adapter))
        assert "adapter_config.json" in caught.value.expected


def test_models_are_recorded_by_content_not_by_place(tmp_path: Path) -> None:
    folders = [tmp_path / place / "tuned" for place in ("a", "b", "c")]
    for folder, weights in zip(folders, (b"1", b"1", b"2"), strict=True):
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{}")
        (folder / "model.safetensors").write_bytes(weights)
    same, again, other = (model_name(str(folder)) for folder in folders)
    assert same == again != other
    assert same.startswith("tuned@")
    assert model_name("packaged") == f"SmolLM2-135M-Instruct@{SMOLLM2.sha256[:8]}"
    assert model_name("Qwen/Qwen3-0.6B") == "Qwen/Qwen3-0.6B"
    assert model_name(f"{URL}#qwen") == f"{URL}#qwen"


@pytest.mark.engine
def test_the_packaged_model_is_found(packaged_model: Path) -> None:
    assert json.loads((packaged_model / "config.json").read_text())["model_type"] == "llama"


def _adapter(folder: Path, base: str | None) -> Path:
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": base}))
    return folder


def test_an_adapter_as_the_model_names_its_base(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match="does not say"):
        find_model(Settings(model=str(_adapter(tmp_path / "a", None))))
    with pytest.raises(ModelNotFound, match="nobody/no-such-model"):
        find_model(Settings(model=str(_adapter(tmp_path / "b", "nobody/no-such-model"))))
    (tmp_path / "c" / "adapter_config.json").parent.mkdir()
    (tmp_path / "c" / "adapter_config.json").write_text("{")
    with pytest.raises(ModelNotFound, match="does not say"):
        find_model(Settings(model=str(tmp_path / "c")))
    with pytest.raises(ModelNotFound, match="an adapter itself"):
        find_model(Settings(model=str(_adapter(tmp_path / "d", str(tmp_path / "d")))))


@pytest.mark.engine
def test_an_adapter_as_the_model_is_merged_into_its_base_once(
    packaged_model: Path, adapter: str, tmp_path: Path
) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    settings = Settings(model=adapter, cache_dir=tmp_path)
    served = find_model(settings)
    made = (served / "model.safetensors").stat().st_mtime_ns
    assert find_model(settings) == served and (served / "model.safetensors").stat().st_mtime_ns == made
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == [served.name]
    assert model_name(adapter).startswith(Path(adapter).name)

    tokens = AutoTokenizer.from_pretrained(served)("Rain leads to mud. Mud", return_tensors="pt")

    def logits(folder: Path, lora: bool = False) -> torch.Tensor:
        model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        model = PeftModel.from_pretrained(model, adapter) if lora else model
        with torch.inference_mode():
            found: torch.Tensor = model(**tokens).logits
        return found

    apart, merged, plain = logits(packaged_model, lora=True), logits(served), logits(packaged_model)
    assert (apart - merged).abs().mean() < 0.05 * (apart - plain).abs().mean()


@pytest.mark.engine
def test_an_adapter_that_cannot_be_read_leaves_no_model(packaged_model: Path, tmp_path: Path) -> None:
    folder = _adapter(tmp_path / "broken", str(packaged_model))
    (folder / "adapter_model.safetensors").write_bytes(b"cut short")
    with pytest.raises(ConfigError, match="cannot be loaded"):
        find_model(Settings(model=str(folder), cache_dir=tmp_path / "cache"))
    assert [path for path in (tmp_path / "cache").iterdir() if path.is_dir()] == []
