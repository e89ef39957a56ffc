"""Which numbers this machine computes with fastest."""


def fast_bfloat16() -> bool:
    """Whether this machine multiplies bfloat16 faster than float32: without instructions for it, many times slower."""
    import torch

    return bool(
        torch.cuda.is_available() or torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    )
