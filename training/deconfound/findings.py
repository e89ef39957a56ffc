"""What one diagnostic found."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """A diagnostic's number and what it means."""

    name: str
    statistic: float
    p_value: float | None
    """None where the diagnostic is no test."""
    fired: bool
    said: str
    """In plain words, with what to do."""
