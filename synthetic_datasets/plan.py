"""The plan of a synthetic set: which clip gets which control values and level. Nothing is rendered
here."""

import random
from typing import TYPE_CHECKING

from synthetic_datasets.config import SyntheticConfig
from synthetic_datasets.distributions import Variable

if TYPE_CHECKING:
    import pandas as pd


def make_plan(config: SyntheticConfig) -> "pd.DataFrame":
    """Return a row per clip: file_name, each varied control (0..1), each varied parameter, volume
    (0..1)."""
    import pandas as pd

    rng = random.Random(config.seed)
    # The thesis draws a first value for the volume, then for each control, before the first clip.
    volume = Variable(rng, config.volume.low, config.volume.high)
    variables = {name: Variable(rng, low, high) for name, (low, high) in config.ranges.items()}
    rows = [
        {
            "file_name": config.file_name.replace("{number}", str(number)),
            **values,
            # A stream of its own: a clip's sound has [seed, index], and [seed, index, redraw] with
            # a redraw from 1 on.
            **config.engine.draw_varied([config.seed, number - 1, 0, 1]),
            "volume": volume.draw(config.volume.chance_new),
        }
        for number, values in enumerate(config.distribution.values(variables, rng), start=1)
    ]
    return pd.DataFrame(rows)


def sample_evenly(plan: "pd.DataFrame", n_clips: int | None) -> "pd.DataFrame":
    """Return `n_clips` rows spread evenly over the plan, first and last included; all rows when it
    is None. The index stays."""
    from texturelib.evenly import evenly_spread

    return plan if n_clips is None else plan.iloc[evenly_spread(len(plan), n_clips)]
