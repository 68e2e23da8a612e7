"""The outside world: vendors' words to ours and back, over HTTP and files. Never DuckDB. Imports models only."""
