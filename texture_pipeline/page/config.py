"""What a page is made from."""

from texturelib.config import ConfigPath, StageConfig


class PageConfig(StageConfig):
    """The output folders of the stages, which the page is made from; None where a stage did not
    run."""

    title: str
    method: str | None
    """The adaptation method, in words."""
    synthetic: ConfigPath | None
    recordings: ConfigPath | None
    """The simulated recordings, where these were used."""
    real: ConfigPath | None
    adaptation: ConfigPath | None
    synthesis: ConfigPath | None
    augmented: ConfigPath | None
    """The set that the laws made of the recordings."""
    instruments: tuple[ConfigPath, ...]
    """The folders in which synthesisers were trained or played."""
