"""Ray: join the cluster that is configured, or start a small local one."""

import logging
import os
from typing import Any

from leucippus.config import EngineSettings, Settings, TaggerSettings
from leucippus.errors import ServingError

TORCH_ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",  # a model folder is complete: nothing may be fetched behind the user's back
    "TOKENIZERS_PARALLELISM": "false",
    # glibc would otherwise return to the system, and fault in again, the blocks torch allocates at every step.
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "17179869184",
    "MALLOC_TOP_PAD_": "268435456",
}
"""Environment of any process that runs or trains a model; the allocator reads it when the process starts."""


def tagger_environment(tagger: TaggerSettings) -> dict[str, str]:
    """Environment of a process that hosts a tagger; Ray would otherwise give it one thread."""
    return TORCH_ENVIRONMENT | {"OMP_NUM_THREADS": str(tagger.threads or os.cpu_count() or 1)}


def engine_environment(engine: EngineSettings) -> dict[str, str]:
    """Environment of a process that hosts vLLM."""
    environment = TORCH_ENVIRONMENT | {"VLLM_NO_USAGE_STATS": "1", "VLLM_LOGGING_LEVEL": "ERROR"}
    if not engine.gpus_per_engine:
        environment["VLLM_CPU_KVCACHE_SPACE"] = str(engine.kv_cache_gib)
    return environment


def connect_ray(settings: Settings) -> Any:
    """The `ray` module, initialised. Calling it again is free."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    import ray

    if ray.is_initialized():
        return ray
    if settings.ray_address:
        try:
            ray.init(address=settings.ray_address, log_to_driver=False, logging_level=logging.ERROR)
        except (ConnectionError, ValueError) as error:
            raise ServingError(
                f"No Ray cluster at {settings.ray_address!r}: {error}",
                next_step="Correct LEUCIPPUS_RAY_ADDRESS, or unset it to start a local Ray.",
            ) from error
    else:
        ray.init(
            address="local",  # not whatever cluster RAY_ADDRESS or an earlier `ray start` points to
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            # Two cores still have to fit an engine, a tagger and whatever calls them.
            num_cpus=max(os.cpu_count() or 1, settings.engine.replicas + settings.tagger.replicas + 1),
            object_store_memory=128 * 2**20,
        )
    return ray
