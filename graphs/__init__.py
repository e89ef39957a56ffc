"""Causal graphs as pure functions: what can be learnt from data about an effect, and by which formula."""
