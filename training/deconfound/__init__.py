"""DeconfoundLM: what known confounders do to an outcome is taken out of it before a model learns from it."""
