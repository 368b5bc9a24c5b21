"""Clips with their controls on disk, in MTCRNN's format, written and read."""
