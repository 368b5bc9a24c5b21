"""Where recordings come from, one module per source."""

from real_datasets.sources._base import Recording, Source, sources

__all__ = ["Recording", "Source", "sources"]
