"""How many clips pass from command to command, according to what exists and what the configs
will make."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from texture_pipeline.doctor.plan import Plan
from texturelib.costs import Clips, Step
from texturelib.errors import TextureError
from texturelib.files import read_json


class Flow:
    """The clips that each folder has or will have."""

    def __init__(self, plan: Plan, surveys: Mapping[Path, Any]) -> None:
        """Collect what the steps will make. surveys: of the recordings that exist, by the folder
        that their segments go into."""
        self._surveys = surveys
        self._made: dict[Path, Clips] = {}
        for step in plan.steps:
            if step.runs and (made := step.costs.makes(step, self)):
                self._made[made[0]] = made[1]

    def at(self, path: Path) -> Clips | None:
        """Return the clips of a folder; None where they are not yet known."""
        return self._made.get(path) or _on_disk(path)

    def n_segments(self, step: Step) -> int | None:
        """Return the most segments that a step can cut from its recordings; None where that is
        not yet known."""
        config = step.config
        if step.folder in self._surveys:
            return self._surveys[step.folder].n_segments
        for path in step.inputs.values():
            if takes := self._made.get(path):  # recordings that are simulated first
                n_samples = round(takes.seconds * config.sample_rate)
                n_whole = max(0, (n_samples - config.n_samples) // config.n_hop + 1)
                return takes.n * min(n_whole, config.most_per_recording or n_whole)
        return None

    def n_channels(self, step: Step) -> int:
        """Return the number of channels of the segments that a step cuts; 1 where that is not yet
        known."""
        if step.folder in self._surveys:
            return self._surveys[step.folder].n_channels
        return 1 if step.config.channels == "all" else step.config.channels


def _on_disk(path: Path) -> Clips | None:
    """Return the clips of a finished dataset folder, or of a folder of wavs as MTCRNN reads
    them."""
    try:
        if (path / "dataset.json").is_file():
            facts = read_json(path / "dataset.json")
            names = tuple(control["name"] for control in facts["controls"])
            return Clips(
                facts["n_clips"],
                facts["seconds"],
                facts["sample_rate"],
                names,
                facts.get("channels", 1),
            )
        from conditioned_synthesis.data.mtcrnn_format import find_pairs

        pairs = find_pairs(path, path) if path.is_dir() else {}
        if not pairs:
            return None
        import soundfile

        sound, params = next(iter(pairs.items()))
        header = soundfile.info(sound)
        names = (
            tuple(name for name in read_json(params) if name != "meta") if params.exists() else ()
        )
        return Clips(len(pairs), header.frames / header.samplerate, header.samplerate, names)
    except (TextureError, KeyError, TypeError, OSError, RuntimeError):
        return None  # the command that reads it will say more
