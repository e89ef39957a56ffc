"""A LoRA adapter as a model of its own: merged into its base once and kept, so that an engine serves it like any other.

Merged it decodes at the speed of its base, and an extractor's adapter can still be loaded beside it.
"""

import json
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from filelock import FileLock

from leucippus.errors import ConfigError, ModelNotFound
from leucippus.serving.loading import ALONE
from leucippus.serving.packaged import Progress

LORA = "adapter_config.json"
_WEIGHTS = "adapter_model.safetensors"
_KEY = re.compile(r"base_model\.model\.(?P<module>.+)\.lora_(?P<side>[AB])\.weight")


def is_adapter(folder: Path) -> bool:
    """Whether a folder holds an adapter and no whole model."""
    return (folder / LORA).is_file() and not (folder / "config.json").is_file()


def base_of(adapter: Path) -> str:
    """The name or the path of the model that an adapter says it was tuned on.

    Raises
    ------
    ModelNotFound : it does not say.
    """
    try:
        base = json.loads((adapter / LORA).read_text(encoding="utf-8"))["base_model_name_or_path"]
    except (OSError, ValueError, KeyError, TypeError):
        base = None
    if not isinstance(base, str) or not base:
        raise ModelNotFound(
            f"{adapter / LORA} does not say which model the adapter was tuned on.", expected="base_model_name_or_path"
        )
    return base


def merge(base: Path, adapter: Path) -> Any:
    """The base with the adapter in its weights, as a transformers model.

    Raises
    ------
    ConfigError : the adapter cannot be read, was tuned on a model of other sizes, or PEFT is not installed.
    """
    try:
        from peft import PeftModel
    except ImportError as error:
        raise ConfigError("An adapter as the model needs PEFT.", next_step="Run `make install`.") from error
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM

    # Added in float32 and rounded once: what the adapter adds is small beside the weights.
    with ALONE:
        model: Any = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    try:
        _check_fits(model, base, adapter)
        return PeftModel.from_pretrained(model, str(adapter)).merge_and_unload().to(_dtype(base))
    except (OSError, SafetensorError, RuntimeError, ValueError, TypeError) as error:
        raise ConfigError(
            f"The adapter in {adapter} cannot be loaded: {str(error).splitlines()[0]}", expected="a LoRA adapter (PEFT)"
        ) from error


def merged_folder(base: Path, adapter: Path, target: Path, progress: Progress) -> Path:
    """`target`, made on first use: the base's folder with merged weights.

    Raises
    ------
    ConfigError : the adapter does not fit the base, or the target cannot be written.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{target}.lock"):
            if target.is_dir():  # renamed into place, so whole
                return target
            progress(f"merging {adapter} into {base.name} (once)")
            scratch = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
            try:
                _write(base, adapter, scratch)
                os.rename(scratch, target)
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
    except OSError as error:
        raise ConfigError(
            f"{target} cannot be written: {error}", expected="room for the model", next_step="Set LEUCIPPUS_CACHE_DIR."
        ) from error
    return target


def _write(base: Path, adapter: Path, scratch: Path) -> None:
    from transformers import AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    merge(base, adapter).save_pretrained(scratch)
    AutoTokenizer.from_pretrained(base).save_pretrained(scratch)


def _dtype(base: Path) -> Any:
    """In which a model's weights are kept."""
    import torch

    config = json.loads((base / "config.json").read_text(encoding="utf-8"))
    return getattr(torch, config.get("dtype") or config.get("torch_dtype") or "float32")


def _check_fits(model: Any, base: Path, adapter: Path) -> None:
    """PEFT passes over weights for layers that a model lacks: an adapter of a deeper model would seem to load."""
    from safetensors import safe_open

    modules = dict(model.named_modules())
    with safe_open(adapter / _WEIGHTS, "pt") as weights:
        for key in weights.keys():  # noqa: SIM118  (not a mapping)
            if not (found := _KEY.fullmatch(key)):
                continue
            into, out = getattr(getattr(modules.get(found["module"]), "weight", None), "shape", (None, None))[::-1]
            shape = weights.get_slice(key).get_shape()
            size, wanted = (shape[1], into) if found["side"] == "A" else (shape[0], out)
            if size != wanted:
                raise ConfigError(
                    f"The adapter in {adapter} was not tuned on {base.name}: {found['module']} has {size} numbers there, "
                    f"and {wanted or 'no such part'} here.",
                    expected=f"an adapter for {base.name}",
                    next_step=f"See base_model_name_or_path in {adapter / LORA}.",
                )
