"""The thesis's fader: Max's gain~ object with its default values, 0.6 dB a step, 158 steps, unity
at 128."""

FADER_STEPS = 158
UNITY = 128 / FADER_STEPS


def volume_to_gain(volume: float) -> float:
    """Return the factor that the fader applies. volume: 0..1 of its way.

    >>> volume_to_gain(UNITY)
    1.0
    """
    return 10 ** (0.6 * FADER_STEPS * (volume - UNITY) / 20) if volume > 0 else 0.0
