"""Models loaded by several threads at once leave transformers as it was."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from leucippus.serving.encoder import Encoder
from leucippus.serving.tagger import base_model


@pytest.fixture
def many_switches() -> Iterator[None]:
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(usual)


def test_threads_that_load_models_side_by_side_leave_the_ties_of_later_ones_alone(many_switches: None) -> None:
    from transformers import PreTrainedModel

    tie = PreTrainedModel.tie_weights
    together = Barrier(3)

    def load(at: int) -> None:
        together.wait()
        for _ in range(2):
            if at:
                Encoder()
            else:
                base_model(2)

    try:
        with ThreadPoolExecutor(3) as threads:
            list(threads.map(load, range(3)))
        assert PreTrainedModel.tie_weights is tie
    finally:
        PreTrainedModel.tie_weights = tie  # type: ignore[method-assign]
