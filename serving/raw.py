"""`serve --raw`: the model itself as an OpenAI-compatible server, through Ray Serve LLM. Loopback only."""

import ipaddress
from pathlib import Path
from typing import Any

from leucippus.config import Settings
from leucippus.errors import ConfigError
from leucippus.serving.arithmetic import engine_dtype
from leucippus.serving.cluster import connect_ray, engine_environment


def serve_raw(model: Path, settings: Settings, *, host: str, port: int) -> str:
    """Start the server and return the URL of its API; it runs until Ray Serve is shut down.

    Raises
    ------
    ConfigError : `host` is not a loopback address. The server has no accounts: whoever reaches it may use it.
    """
    if not _is_loopback(host):
        raise ConfigError(
            f"{host!r} is not a loopback address, and the raw server asks nobody for a token.",
            expected="127.0.0.1, ::1 or localhost",
            next_step="Put a proxy that checks tokens in front of the loopback address.",
        )
    # Ray Serve LLM keeps a proxy, a controller and a router beside the engine, each booking a CPU of Ray's.
    ray_settings = settings.model_copy(
        update={"engine": settings.engine.model_copy(update={"replicas": settings.engine.replicas + 4})}
    )
    connect_ray(ray_settings)
    from ray import serve
    from ray.serve.llm import LLMConfig, build_openai_app

    engine = settings.engine
    options: dict[str, Any] = {}
    if not engine.gpus_per_engine:
        options["accelerator_config"] = {"kind": "cpu"}
    config = LLMConfig(
        model_loading_config={"model_id": model.name, "model_source": str(model)},
        deployment_config={"autoscaling_config": {"min_replicas": engine.replicas, "max_replicas": engine.replicas}},
        runtime_env={"env_vars": engine_environment(engine)},
        engine_kwargs={
            "dtype": engine_dtype(engine),
            "max_model_len": engine.max_model_len,
            "max_num_seqs": engine.max_num_seqs,
            "enforce_eager": not engine.compile,
            "distributed_executor_backend": "uni",
        },
        **options,
    )
    serve.start(http_options={"host": host, "port": port})
    serve.run(build_openai_app({"llm_configs": [config]}), blocking=False)
    return f"http://[{host}]:{port}/v1" if ":" in host else f"http://{host}:{port}/v1"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
