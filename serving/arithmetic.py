"""Which numbers this machine computes with fastest."""

from typing import Literal

from leucippus.config import EngineSettings


def fast_bfloat16() -> bool:
    """Whether this machine multiplies bfloat16 faster than float32: without instructions for it, many times slower."""
    import torch

    return bool(
        torch.cuda.is_available() or torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    )


def engine_dtype(engine: EngineSettings) -> Literal["auto", "bfloat16", "float32", "float16"]:
    """vLLM's name of the numbers that an engine on this machine computes with."""
    if engine.dtype == "auto" and not engine.gpus_per_engine and not fast_bfloat16():
        return "float32"
    return engine.dtype
