"""The parts of asking a model what it knows: what is asked, what is kept of its answers, where to ask next."""
