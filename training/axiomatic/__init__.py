"""Axiomatic training: teach a transformer axioms of causal reasoning, and measure how far beyond its lessons it reasons."""
