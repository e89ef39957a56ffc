"""What every test has: none of the developer's settings, no network. What some ask for: one running engine."""

import asyncio
import json
import os
import threading
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pytest

# huggingface_hub reads this when it is imported, and any import may be the one that imports it.
os.environ["HF_HUB_OFFLINE"] = "1"

from leucippus.config import Settings, load_settings
from leucippus.serving.client import connect, find_model
from leucippus.serving.pool import EnginePool

T = TypeVar("T")
_PATIENCE_S = 300


class Run(Protocol):
    """Run a coroutine to its end on the event loop of the session, and return what it returns."""

    def __call__(self, work: Coroutine[Any, Any, T]) -> T: ...


@pytest.fixture(scope="session", autouse=True)
def _no_settings_of_the_developer(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[None]:
    """Session-wide, because the engine is started before any test's own fixtures. The cache folder stays."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("LEUCIPPUS_") and name != "LEUCIPPUS_CACHE_DIR"]:
            patch.delenv(name)
        empty = tmp_path_factory.mktemp("no-settings-here")
        patch.setattr("leucippus.config.user_config_path", lambda *_: empty)
        patch.chdir(empty)
        # Other processes (Ray's workers) find classes of test modules by it.
        patch.setenv("PYTHONPATH", str(pytestconfig.rootpath), prepend=os.pathsep)
        yield


@pytest.fixture(autouse=True)
def _fresh_settings(
    _no_settings_of_the_developer: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """A working folder of its own, and settings read anew: neither outlives the test."""
    monkeypatch.chdir(tmp_path)
    load_settings.cache_clear()
    yield
    load_settings.cache_clear()


@pytest.fixture(scope="session")
def run() -> Iterator[Run]:
    """One event loop for the whole session, in a thread: a pool's locks belong to the loop that first used them."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="session-loop", daemon=True)
    thread.start()

    def run_on_it(work: Coroutine[Any, Any, T]) -> T:
        future = asyncio.run_coroutine_threadsafe(work, loop)
        try:
            return future.result(_PATIENCE_S)
        except TimeoutError:
            future.cancel()
            raise

    yield run_on_it
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture(scope="session")
def packaged_model(_no_settings_of_the_developer: None) -> Path:
    """The folder of the packaged model, unpacked once per machine."""
    return find_model(Settings())


@pytest.fixture(scope="session")
def adapter(packaged_model: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A LoRA adapter of random numbers, large enough to change what the packaged model says."""
    import torch
    from safetensors.torch import save_file

    config = json.loads((packaged_model / "config.json").read_text())
    size, rank = config["hidden_size"], 4
    random = torch.Generator().manual_seed(0)
    weights = {}
    for layer in range(config["num_hidden_layers"]):
        name = f"base_model.model.model.layers.{layer}.self_attn.q_proj"
        weights[f"{name}.lora_A.weight"] = torch.randn(rank, size, generator=random) / 5
        weights[f"{name}.lora_B.weight"] = torch.randn(size, rank, generator=random) / 5
    folder = tmp_path_factory.mktemp("adapter")
    save_file(weights, folder / "adapter_model.safetensors")
    description = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": rank, "lora_alpha": 8, "bias": "none"}
    (folder / "adapter_config.json").write_text(
        json.dumps(description | {"target_modules": ["q_proj"], "base_model_name_or_path": str(packaged_model)})
    )
    return str(folder)


@pytest.fixture(scope="session")
def engine(run: Run, packaged_model: Path, adapter: str) -> Iterator[EnginePool]:
    """The packaged model in one engine, which also knows `adapter`; a call without an adapter gets the plain model.

    Knowing an adapter makes plain calls about a quarter slower (300 tokens a second for 400 on two cores).
    """
    pool = connect(Settings(adapter=adapter))
    assert isinstance(pool, EnginePool)
    run(pool.start())
    yield pool
    run(pool.close())
