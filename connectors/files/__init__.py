"""Files of your own: people in CSV, Parquet or NDJSON, by a map from your columns to our words."""
