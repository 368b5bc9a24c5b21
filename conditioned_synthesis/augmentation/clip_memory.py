"""Does the memory hold what making a clip takes?"""

from conditioned_synthesis.config import SynthesisConfig
from texturelib.dataset import read_description
from texturelib.memory import memory, too_little_memory

# Bytes for a value of the longest moment at the recording's rate, or of the clip. Measured with clips
# of 18 and 37 s at 44.1 kHz by the process's greatest memory: 48 to 188, where a Fourier transform of
# as many samples needs most, which has large primes. The arrays alone are 45 at most.
_BYTES_OF_A_VALUE = 190


def problem_with_memory(config: SynthesisConfig, workers: int | None = None) -> str | None:
    """Return what is wrong, as a sentence about `augment.seconds`; None where it fits, where it is
    made on other machines, or where the recordings are not there yet.

    Args:
        workers: how many, in place of what the config says.
    """
    settings = config.augment
    is_elsewhere = getattr(config.executor, "address", None) is not None
    if settings is None or is_elsewhere or not (config.labelled / "dataset.json").exists():
        return None
    dataset = read_description(config.labelled)
    seconds = settings.seconds or dataset["seconds"]
    moment = seconds * dataset["sample_rate"] / settings.size[0]
    clip = seconds * (settings.sample_rate or dataset["sample_rate"])
    of_a_clip = _BYTES_OF_A_VALUE * max(moment, clip) * dataset.get("channels", 1)
    return too_little_memory(
        f"augment.seconds: {seconds:g}: making a clip",
        of_a_clip,
        memory()[1],
        workers or config.executor.workers,
        settings.n_clips,
    )
