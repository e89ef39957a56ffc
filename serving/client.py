"""The only door to a model: a Protocol, and `connect`, which finds what stands behind it."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from leucippus.config import PACKAGED_MODEL, Settings
from leucippus.errors import ConfigError, ModelNotFound
from leucippus.serving.calls import Answer, Call, Failed, Usage
from leucippus.serving.merging import LORA, base_of, is_adapter, merged_folder
from leucippus.serving.packaged import EXTRACTOR, SMOLLM2, Progress, unpack
from leucippus.serving.tagger import DESCRIPTION as TAGGER

_SAMPLE = 2**20


class Client(Protocol):
    """Messages in, a typed value or a typed failure out."""

    @property
    def usage(self) -> Usage:
        """Tokens spent through this client so far."""
        ...

    @property
    def batches_at_once(self) -> int:
        """How many batches it works on at a time; one more can be waiting, ready."""
        ...

    async def start(self) -> object:
        """Make it ready; the first call does so too."""
        ...

    async def generate(self, call: Call) -> Answer[Any] | Failed:
        """One call, as soon as possible. Cancelling the awaiting task aborts it."""
        ...

    async def generate_batch(self, calls: Sequence[Call]) -> list[Answer[Any] | Failed]:
        """Many calls together, answers in the order of the calls."""
        ...

    async def close(self) -> None: ...


def is_url(model: str) -> bool:
    return urlsplit(model).scheme in ("http", "https")


def model_name(model: str) -> str:
    """The name a model is recorded under: content, not place, where we know it."""
    if model == PACKAGED_MODEL:
        return f"{SMOLLM2.name}@{SMOLLM2.sha256[:8]}"
    return folder_name(Path(model)) if Path(model).is_dir() else model


def folder_name(folder: Path) -> str:
    """`name@digest` of a model or adapter folder: its settings, and of its weights the sizes, heads and tails."""
    digest = hashlib.blake2b(digest_size=4)
    for path in sorted([*folder.glob("*config.json"), *folder.glob("*.safetensors"), *folder.glob("*.bin")]):
        digest.update(f"{path.name}:{path.stat().st_size}".encode())
        with path.open("rb") as stream:
            digest.update(stream.read(_SAMPLE))
            stream.seek(max(0, path.stat().st_size - _SAMPLE))
            digest.update(stream.read(_SAMPLE))
    return f"{folder.resolve().name}@{digest.hexdigest()}"


def connect(settings: Settings, progress: Progress = lambda _: None) -> Client:
    """A client for `settings.model`: packaged, a folder, a hub name, or a URL (`http://host/v1#model-name`).

    A folder may hold a model, or an adapter, which is then served merged into its base.

    Raises
    ------
    ModelNotFound : there is no such model here or where we may look.
    ConfigError : an adapter was asked for that is not there, or cannot be used with this model.
    """
    if is_url(settings.model):
        from leucippus.serving.remote import RemoteClient

        folder = adapter_folder(settings)
        if folder is not None and ((folder / LORA).is_file() or not (folder / TAGGER).is_file()):
            raise ConfigError(
                f"An adapter ({settings.adapter}) cannot be sent to a remote endpoint.",
                next_step="Load it there, and name it as the model: URL#adapter-name.",
            )
        return RemoteClient(settings)

    from leucippus.serving.pool import EnginePool

    folder = lora_folder(settings)
    adapters = {settings.adapter: os.fspath(folder.resolve())} if settings.adapter and folder else {}
    return EnginePool(str(find_model(settings, progress)), settings, adapters)


def find_model(settings: Settings, progress: Progress = lambda _: None) -> Path:
    """The folder of a local model, unpacked, merged or downloaded if need be.

    Raises
    ------
    ModelNotFound : no packaged model, folder or reachable hub model has that name.
    ConfigError : it is an adapter that does not fit the base it names.
    """
    name = settings.model
    if name == PACKAGED_MODEL:
        return unpack(SMOLLM2, settings.cache_dir, progress)
    if Path(name).is_dir():
        folder = Path(name).resolve()
        if is_adapter(folder):
            return _merged(folder, settings, progress)
        if not (folder / "config.json").is_file():
            raise ModelNotFound(
                f"{name!r} is a folder without a config.json.",
                expected=f"a Hugging Face model folder, or an adapter with {LORA}",
            )
        return folder
    return _from_hub(name)


def _merged(adapter: Path, settings: Settings, progress: Progress) -> Path:
    """An adapter in its base, which it gives by name if it is the packaged one, else by path or name on the hub."""
    name = base_of(adapter)
    base = find_model(settings.model_copy(update={"model": PACKAGED_MODEL}), progress) if name == SMOLLM2.name else None
    if base is None and is_adapter(Path(name)):
        raise ModelNotFound(f"The base of {adapter} is {name!r}, an adapter itself.", expected="a whole model")
    base = base or find_model(settings.model_copy(update={"model": name}), progress)
    digest = hashlib.blake2b(f"{folder_name(adapter)} on {folder_name(base)}".encode(), digest_size=4).hexdigest()
    return merged_folder(base, adapter, settings.cache_dir / f"{adapter.name}-{digest}", progress)


def _from_hub(name: str) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name))
    except Exception as error:  # a wrong name, no network, a gated model: all mean there is no model to load
        raise ModelNotFound(
            f"No model {name!r}: not a folder here, and the hub did not give it ({type(error).__name__}).",
            expected=f"'{PACKAGED_MODEL}', a model folder, a hub name, or a URL such as http://localhost:8000/v1",
            next_step="`leucippus models` lists what is here.",
        ) from error


def adapter_folder(settings: Settings) -> Path | None:
    """The folder of the extractor or adapter in force; none if it is switched off.

    The packaged extractor was tuned on the packaged model: with another model it is not used.
    """
    if settings.adapter == PACKAGED_MODEL:
        return EXTRACTOR if settings.model == PACKAGED_MODEL else None
    return Path(settings.adapter) if settings.adapter else None


def lora_folder(settings: Settings) -> Path | None:
    """The folder of the LoRA adapter in force; none if there is none, or the extractor in force has no adapter.

    Raises
    ------
    ConfigError : the folder holds neither an adapter nor an extractor.
    """
    folder = adapter_folder(settings)
    if folder is None or (folder / LORA).is_file():
        return folder
    if not (folder / TAGGER).is_file():
        raise ConfigError(f"{str(folder)!r} is not a LoRA adapter.", expected=f"a folder with {LORA} (PEFT)")
    return None
