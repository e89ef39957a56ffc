"""Causal graphs as pure functions: no I/O, no language model. Empty until the identification engine lands."""
