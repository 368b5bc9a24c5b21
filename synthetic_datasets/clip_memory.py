"""Does the memory hold what rendering a clip takes?"""

from synthetic_datasets.config import RecordingsConfig, SyntheticConfig
from texturelib.memory import memory, too_little_memory

# Measured from clips of 60 s to clips of 240 s at 44.1 kHz. Bytes for a sample of a clip: wind 36, liquid, rain and fire 53 to
# 58; of a simulated recording, whose room and microphone work in double precision: liquid and rain 77 to 90.
_BYTES_OF_A_SAMPLE = {SyntheticConfig: 60, RecordingsConfig: 90}


def problem_with_memory(
    config: SyntheticConfig | RecordingsConfig, workers: int | None = None
) -> str | None:
    """Return a sentence about `seconds` where clips of that length do not fit in memory; None where
    they fit, or are made on other machines. workers: how many, in place of the config's number."""
    if getattr(config.executor, "address", None) is not None:
        return None
    of_a_clip = _BYTES_OF_A_SAMPLE[type(config)] * config.seconds * config.sample_rate
    return too_little_memory(
        f"seconds: {config.seconds:g}: rendering a clip",
        of_a_clip,
        memory()[1],
        workers or config.executor.workers,
        _n_clips(config),
    )


def _n_clips(config: SyntheticConfig | RecordingsConfig) -> int:
    if isinstance(config, SyntheticConfig):
        return config.distribution.n_planned
    return config.n_locations * config.takes_per_location
