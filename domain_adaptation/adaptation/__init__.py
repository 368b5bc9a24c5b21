"""Adapting an extractor to real clips without labels."""
