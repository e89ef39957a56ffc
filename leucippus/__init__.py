"""Leucippus: documents become grounded causal claims you can ask about."""

from leucippus._version import __version__

__all__ = ["__version__"]
