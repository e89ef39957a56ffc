"""Ray: join the cluster that is configured, or start a small local one."""

import logging
import os
from typing import Any

from leucippus.config import Settings

# Set for every engine process. Offline: a model folder is complete, nothing may be fetched behind the user's back.
# MALLOC_*: glibc otherwise returns and re-faults the large blocks torch allocates every step.
ENGINE_ENVIRONMENT = {
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_LOGGING_LEVEL": "ERROR",
    "TOKENIZERS_PARALLELISM": "false",
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "17179869184",
    "MALLOC_TOP_PAD_": "268435456",
    "HF_HUB_OFFLINE": "1",
}


def connect_ray(settings: Settings) -> Any:
    """The `ray` module, initialised. Calling it again is free."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    import ray

    if ray.is_initialized():
        return ray
    if settings.ray_address:
        ray.init(address=settings.ray_address, log_to_driver=False, logging_level=logging.ERROR)
    else:
        ray.init(
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            # Two cores still have to fit an engine and whatever calls it.
            num_cpus=max(os.cpu_count() or 1, settings.engine.replicas + 1),
            object_store_memory=128 * 2**20,
        )
    return ray
