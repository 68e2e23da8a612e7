"""The words: what sources tell, what the ledger remembers, what destinations receive. No I/O, no imports of ours."""
