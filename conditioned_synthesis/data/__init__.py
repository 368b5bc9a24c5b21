"""Clips with their controls on disk: MTCRNN's form, written and read."""
