"""Judges of sounds: networks of others that had no part in any training, and must have none."""
