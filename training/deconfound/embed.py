"""Texts → vectors, each text once, kept in a file: what was embedded before an interruption is not embedded again.

The file lies on disk and is mapped, so memory holds a piece of it; its name is the hash of the model and the texts.
"""

import json
from collections.abc import Callable, Sequence
from hashlib import blake2b
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leucippus.errors import InputError
from leucippus.serving.encoder import Encode, encode
from leucippus.serving.loading import ALONE

Report = Callable[[str, int, int, float], None]
"""What is done, how far, of how much, and seconds so far."""
MODEL = "all-MiniLM-L6-v2"
_PIECE = 2_048


def embed_texts(
    texts: Sequence[str],
    folder: Path,
    report: Report | None = None,
    *,
    with_model: Encode = encode,
    model: str = MODEL,
) -> NDArray[np.float32]:
    """(m, d) vectors of the texts, mapped from a file in `folder`.

    Parameters
    ----------
    with_model : texts to vectors, if not by the packaged MiniLM; such as `hidden_states` of a local model.
    model : the name under which its vectors are kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{_hash(texts, model)}.npy"
    progress = file.with_suffix(".json")
    if not file.exists():
        _embed(texts, file, progress, report, with_model)
    mapped: NDArray[np.float32] = np.load(file, mmap_mode="r", allow_pickle=False)
    return mapped


def _embed(texts: Sequence[str], file: Path, progress: Path, report: Report | None, with_model: Encode) -> None:
    part = file.with_suffix(".part")
    began = monotonic()
    done, width = _done(progress, part)
    if not done:
        width = with_model(texts[:1]).shape[1]
        _mapped(part, mode="w+", dtype=np.float32, shape=(len(texts), width))
    into = _mapped(part, mode="r+")
    while done < len(texts):
        piece = texts[done : done + _PIECE]
        into[done : done + len(piece)] = with_model(piece)
        into.flush()
        done += len(piece)
        progress.write_text(json.dumps({"done": done, "width": width}))
        if report is not None:
            report("embedding", done, len(texts), monotonic() - began)
    del into
    part.replace(file)
    progress.unlink(missing_ok=True)


def _mapped(file: Path, **how: Any) -> Any:
    return np.lib.format.open_memmap(file, **how)  # type: ignore[no-untyped-call]


def _done(progress: Path, part: Path) -> tuple[int, int]:
    """Texts embedded before, and the width of their vectors."""
    try:
        said = json.loads(progress.read_text())
        return (int(said["done"]), int(said["width"])) if part.exists() else (0, 0)
    except (OSError, ValueError, KeyError, TypeError):
        return 0, 0


def _hash(texts: Sequence[str], model: str) -> str:
    digest = blake2b(digest_size=16)
    digest.update(model.encode())
    for text in texts:
        coded = text.encode()
        digest.update(len(coded).to_bytes(8, "little"))
        digest.update(coded)
    return digest.hexdigest()


def hidden_states(folder: str | Path, *, batch: int = 16, most_tokens: int = 256) -> Encode:
    """Vectors from a local Hugging Face model: the mean of its last hidden states over a text's tokens, unit length.

    Raises
    ------
    InputError : the folder holds no model that transformers can load.
    """
    import torch
    from transformers import AutoModel, AutoTokenizer

    try:
        with ALONE:
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            model = AutoModel.from_pretrained(folder, local_files_only=True, dtype=torch.float32).eval()
    except (OSError, ValueError) as error:
        raise InputError(
            f"{folder} holds no model: {error}", expected="a folder with a model and its tokenizer"
        ) from error
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    tokenizer.padding_side = "right"  # so that tokens of a decoder see nothing of what is padded

    def encode_texts(texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = np.zeros((len(texts), model.config.hidden_size), dtype=np.float32)
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        with torch.inference_mode():
            for at in range(0, len(order), batch):
                chosen = order[at : at + batch]
                tokens = tokenizer(
                    [texts[i] for i in chosen],
                    padding=True,
                    truncation=True,
                    max_length=most_tokens,
                    return_tensors="pt",
                )
                hidden = model(**tokens).last_hidden_state
                shown = tokens["attention_mask"][..., None]
                mean = (hidden * shown).sum(1) / shown.sum(1)
                vectors[chosen] = torch.nn.functional.normalize(mean, dim=-1).float().numpy()
        return vectors

    return encode_texts
