"""Estimators and tests as functions of arrays: one a file. They know no design and no data set."""
