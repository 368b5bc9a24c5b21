"""Labelling clips with a model folder."""
