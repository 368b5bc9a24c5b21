"""What the commands of stage 4 read, in the smallest size: a labelled set, sounds with their controls,
an untrained instrument and the weights of its network."""

from pathlib import Path

import numpy as np
import pandas as pd

from texturelib.audio import write_wav
from texturelib.dataset import write_dataset

RATE = 8000
CONTROLS = [
    {"name": "rate", "unit": "1/s", "low": 1.0, "high": 9.0, "curve": "linear", "offset": 0.0}
]
WORDS = '{"meta": {}, "rate": {"times": [0, 1], "values": [0.1, 0.9], "units": "norm"}}'


def write_sources(folder: Path, recording: str, seconds: float) -> None:
    """Write labels/, sounds/, model/, model.pkl and a recording, which is so long, by its name."""
    import torch

    from conditioned_synthesis.instrument.instrument import (
        ModelSpec,
        Slider,
        new_instrument,
        save_instrument,
    )
    from conditioned_synthesis.synthesisers.mtcrnn.settings import Mtcrnn

    rng = np.random.default_rng(0)
    names = [f"audio/{number}.wav" for number in range(1, 7)]
    sounds = [*(f"labels/{name}" for name in names), "sounds/a.wav", "sounds/b.wav"]
    for name in sounds:
        write_wav(folder / name, rng.uniform(-0.5, 0.5, RATE // 10), RATE)
    table = pd.DataFrame({"file_name": names, "rate": np.linspace(0.1, 0.9, 6)})
    write_dataset(folder / "labels", table, sample_rate=RATE, seconds=0.1, controls=CONTROLS)
    for name in "ab":
        (folder / "sounds" / f"{name}.params").write_text(WORDS)
    write_wav(folder / recording, rng.uniform(-0.5, 0.5, round(seconds * RATE)), RATE)
    spec = ModelSpec(
        synthesiser=Mtcrnn(hidden_size=4),
        sliders=(Slider(control=CONTROLS[0], low=0, high=1),),
        sample_rate=RATE,
    )
    instrument = new_instrument(spec, 0)
    save_instrument(folder / "model", instrument)
    torch.save(instrument.network.state_dict(), folder / "model.pkl")
