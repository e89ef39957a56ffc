"""DuckDB: what was read, what it claims, and who said so. Knows no models."""
