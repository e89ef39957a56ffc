"""The raw server has no accounts, so it is offered to nobody else."""

from pathlib import Path

import pytest

from leucippus.config import Settings
from leucippus.errors import ConfigError
from leucippus.serving import raw


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "::", "example.org", "", "127.0.0.1.example.org"])
def test_a_host_that_others_can_reach_is_refused_before_anything_starts(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(raw, "connect_ray", lambda _: pytest.fail("Ray was started"))
    with pytest.raises(ConfigError) as caught:
        raw.serve_raw(Path("model"), Settings(), host=host, port=8000)
    assert repr(host) in caught.value.problem
    assert "127.0.0.1" in caught.value.expected


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_a_loopback_address_goes_on_to_start_ray(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def reached(settings: Settings) -> None:
        raise InterruptedError

    monkeypatch.setattr(raw, "connect_ray", reached)
    with pytest.raises(InterruptedError):
        raw.serve_raw(Path("model"), Settings(), host=host, port=8000)
