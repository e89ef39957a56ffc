"""An inquiry: a question about a data set, on its way to a design."""
