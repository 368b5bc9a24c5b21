"""Sizes and learning rates that go together, each under one word."""

from collections.abc import Mapping
from typing import Any, Literal

Preset = Literal["small", "small_waveform", "specgan", "wavegan"]

_PUBLISHED: Mapping[str, Any] = {
    "num_steps": 200_000,
    "checkpoint": 2000,
    "batch_size": 64,
    "lr": 1e-4,
    "seconds": 1.024,
    "latent": 64,
    "critic_steps": 5,
    "control_penalty": 10.0,
    "frequency": "axis",
    "film": False,
    "noise": False,
    "bounded": True,
}

PRESETS: Mapping[Preset, Mapping[str, Any]] = {
    # What a processor trains within minutes.
    "small": {},
    "small_waveform": {
        "representation": {"type": "waveform"},
        "widths": (96, 64, 48, 32, 16),
        "kernel": 16,
        "stride": 4,
        "bounded": True,
    },
    # C. Donahue, J. McAuley and M. Puckette, "Adversarial audio synthesis", ICLR 2019, at 16 kHz;
    # kernels, steps of the critic and the representation of spectra as in Google's audio-synthesis.
    "wavegan": {
        **_PUBLISHED,
        "representation": {"type": "waveform"},
        "widths": (1024, 512, 256, 128, 64),
        "kernel": 36,
        "stride": 4,
    },
    "specgan": {
        **_PUBLISHED,
        "representation": {"type": "log_magnitude", "n_fft": 512, "hop_length": 128},
        "widths": (1024, 512, 256, 128, 64),
        "kernel": 6,
        "stride": 2,
    },
}
