"""The labels of a set: looked at, and balanced."""
