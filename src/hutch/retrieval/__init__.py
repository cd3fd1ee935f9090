"""Retrieval: a chunk database, language models that read from it, and what it shows of leakage."""
