"""The labels of a dataset: described, and balanced."""
