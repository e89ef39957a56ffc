"""One research design a file: its specification, its checks, its estimator, its challenges, its figure."""
