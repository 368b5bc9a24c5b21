"""Instruments outside this toolkit: one small file, and players of it that share every number."""
