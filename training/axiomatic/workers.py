"""The same training run, each batch shared out to several processes by Ray Train. Knows Ray; `train` knows the rest.

Every worker holds the whole model, learns from its share of the batch, and all take the mean of what they found (gloo
on processors, NCCL on graphics cards). The first one reports and writes, so `out` must be a folder that all can reach.
"""

import os
import tempfile
from pathlib import Path
from threading import Thread
from typing import Any

from leucippus.config import load_settings
from leucippus.errors import InputError, LeucippusError, ServingError
from leucippus.serving.cluster import TORCH_ENVIRONMENT, connect_ray
from leucippus.training.axiomatic.presets import Recipe
from leucippus.training.axiomatic.train import Report, fit


def fit_on_workers(out: Path, recipe: Recipe, report: Report, workers: int) -> None:
    """As `fit`, by several processes.

    Raises
    ------
    InputError : as `fit`; or there are not so many cores.
    ServingError : Ray cannot be started, or a worker died: the run can be taken up again.
    """
    ray = connect_ray(load_settings())
    from ray.train import FailureConfig, ScalingConfig
    from ray.train.torch import TorchConfig, TorchTrainer
    from ray.train.v2.api.config import RunConfig
    from ray.train.v2.api.exceptions import TrainingFailedError, WorkerGroupError
    from ray.util.queue import Queue

    cards = int(ray.cluster_resources().get("GPU", 0))
    on_cards = cards >= workers
    cores = int(ray.cluster_resources().get("CPU", 0))
    if not on_cards and cores < workers:  # Ray would wait for more cores for ever
        raise InputError(
            f"{workers} workers need as many cores; there are {cores}.", expected=f"at most {cores} workers"
        )
    told = Queue(actor_options={"num_cpus": 0})
    listener = Thread(target=_listen, args=(told, report), daemon=True)
    listener.start()
    threads = max(1, (os.cpu_count() or 1) // workers)
    try:
        with tempfile.TemporaryDirectory() as records:  # Ray's own; ours are in `out`
            # Ray types these as those of its first version, and takes those of its second.
            failures: Any = FailureConfig(max_failures=0)
            run_config: Any = RunConfig(
                name="axiomatic",
                storage_path=records,
                failure_config=failures,  # it is for the user to say that it shall go on
                worker_runtime_env={"env_vars": TORCH_ENVIRONMENT | {"OMP_NUM_THREADS": str(threads)}},
            )
            TorchTrainer(
                _work,
                train_loop_config={"out": str(out.resolve()), "recipe": recipe, "told": told, "workers": workers},
                scaling_config=ScalingConfig(num_workers=workers, use_gpu=on_cards),
                torch_config=TorchConfig(backend="nccl" if on_cards else "gloo"),
                run_config=run_config,
            ).fit()
    except TrainingFailedError as error:
        raised = list(error.worker_failures.values()) if isinstance(error, WorkerGroupError) else [error]
        for one in raised:
            if isinstance(ours := _cause(one), LeucippusError):
                raise ours from error
        raise ServingError(
            f"A worker of the training died: {str(raised[0] if raised else error).splitlines()[-1]}",
            next_step="Give the same command again: training goes on from the last checkpoint.",
        ) from error
    finally:
        told.put(None)
        listener.join(timeout=10)
        told.shutdown()


def _work(given: dict[str, Any]) -> None:
    """What each worker does."""
    import ray.train

    told = given["told"]

    def report(*said: Any) -> None:
        if ray.train.get_context().get_world_rank() == 0:
            told.put(said)

    fit(Path(given["out"]), given["recipe"], report, workers=given["workers"])


def _listen(told: Any, report: Report) -> None:
    while (said := told.get()) is not None:
        report(*said)


def _cause(error: BaseException | None) -> BaseException | None:
    """The error of ours that is wrapped in Ray's, if there is one."""
    while error is not None and not isinstance(error, LeucippusError):
        error = getattr(error, "cause", None) or error.__cause__
    return error
