"""The simulator's headlines are worth what they say, and go with the confounder as much as is asked."""

import numpy as np
import pytest

from leucippus.training.deconfound.simulated import draw, every_text, features, truth


def test_the_truth_of_a_headline_is_read_off_its_words() -> None:
    log_ = draw(0.6, 300, 0)
    assert [truth(text) for text in log_.texts] == pytest.approx(log_.f.tolist())
    assert len(set(every_text())) == len(every_text()) > 50_000
    assert features("Just in: sleep, useful tips") is None and truth("") == min(truth(text) for text in log_.texts)


def test_popularity_and_concreteness_go_together_as_much_as_is_asked() -> None:
    for entanglement in (0.0, 0.5, 0.9):
        log_ = draw(entanglement, 20_000, 1, experiment=0.5)
        shown = ~log_.columns["randomised"]
        together = -np.corrcoef(log_.a[shown], log_.columns["popularity"][shown])[0, 1]
        assert together == pytest.approx(entanglement, abs=0.03)
        assert abs(np.corrcoef(log_.a[~shown], log_.columns["popularity"][~shown])[0, 1]) < 0.03
