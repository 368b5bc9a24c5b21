"""Does the memory hold what rendering a clip takes?"""

import joblib

from synthetic_datasets.config import RecordingsConfig, SyntheticConfig
from texturelib.memory import memory

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
    free = memory()[1]
    n_fit = int(free / of_a_clip)
    n_workers = min(workers or config.executor.workers or joblib.cpu_count(), _n_clips(config))
    if n_workers <= n_fit:
        return None
    needs = f"seconds: {config.seconds:g}: rendering a clip takes {_in_words(of_a_clip)} of memory"
    if n_fit:
        return (
            f"{needs} for each of {n_workers} workers, and {_in_words(free)} are free; "
            f"take --workers {n_fit}, or shorter clips"
        )
    return f"{needs}, and {_in_words(free)} are free; take shorter clips"


def _n_clips(config: SyntheticConfig | RecordingsConfig) -> int:
    if isinstance(config, SyntheticConfig):
        return config.distribution.n_planned
    return config.n_locations * config.takes_per_location


def _in_words(n_bytes: float) -> str:
    return f"{n_bytes / 2**30:.1f} GiB"
