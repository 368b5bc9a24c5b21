"""Sources of recordings, one module each."""

from real_datasets.sources._base import Recording, Source, sources

__all__ = ["Recording", "Source", "sources"]
