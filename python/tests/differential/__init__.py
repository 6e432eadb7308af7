"""Generated tables and queries whose answers must be plain DuckDB's. ``python -m differential --help`` (in python/tests) runs as many as wanted."""
