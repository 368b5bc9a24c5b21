"""How many clips pass from command to command: by what is there, and by what the configs will make."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from texture_pipeline.doctor.plan import Plan, Step
from texturelib.audio import wav_bytes
from texturelib.errors import TextureError
from texturelib.files import read_json


@dataclass(frozen=True)
class Clips:
    """What a folder of sounds holds, or will hold at most. controls: their names."""

    n: int
    seconds: float
    sample_rate: int
    controls: tuple[str, ...] = ()

    @property
    def n_bytes(self) -> float:
        return wav_bytes(self.n * self.seconds, self.sample_rate)


class Flow:
    """Clips by the folder that they lie in."""

    def __init__(self, plan: Plan, surveys: Mapping[Path, Any]) -> None:
        """surveys: of the recordings that are there, by the folder that their segments go into."""
        self._made: dict[Path, Clips] = {}
        for step in plan.steps:
            if step.runs and (made := self._made_by(step, surveys)):
                self._made[made[0]] = made[1]

    def at(self, path: Path) -> Clips | None:
        """-> None where nobody can know yet."""
        return self._made.get(path) or _on_disk(path)

    def _made_by(self, step: Step, surveys: Mapping[Path, Any]) -> tuple[Path, Clips] | None:
        config: Any = step.job.config
        match step.job.stage.package, step.command:
            case "synthetic_datasets", "generate":
                n = config.distribution.n_planned
                return step.folder, Clips(n, config.seconds, config.sample_rate, tuple(config.ranges))
            case "synthetic_datasets", "simulate-recordings":
                n = config.n_locations * config.takes_per_location
                return step.folder / "recordings", Clips(n, config.seconds, config.sample_rate)
            case "real_datasets", "build":
                n = self._n_segments(step, config, surveys)
                return None if n is None else (step.folder, Clips(n, config.seconds, config.sample_rate))
            case "domain_adaptation", "label":
                real, synthetic = self.at(config.real), self.at(config.synthetic)
                return (step.folder, replace(real, controls=synthetic.controls)) if real and synthetic else None
            case "conditioned_synthesis", "balance":
                labelled = self.at(config.labelled)
                return (step.folder, labelled) if labelled else None
            case "conditioned_synthesis", "export":
                source = self.at(config.exported_folder)
                if source is None:
                    return None
                controls = tuple(config.export.controls or source.controls)
                return step.folder, replace(source, sample_rate=config.export.sample_rate, controls=controls)
        return None

    def _n_segments(self, step: Step, config: Any, surveys: Mapping[Path, Any]) -> int | None:
        if step.folder in surveys:
            return surveys[step.folder].n_segments
        for path in step.inputs.values():
            if takes := self._made.get(path):  # recordings that are simulated first
                n_samples = round(takes.seconds * config.sample_rate)
                n_whole = max(0, (n_samples - config.n_samples) // config.n_hop + 1)
                return takes.n * min(n_whole, config.most_per_recording or n_whole)
        return None


def _on_disk(path: Path) -> Clips | None:
    """-> of a finished dataset folder, or of wavs as MTCRNN reads them."""
    try:
        if (path / "dataset.json").is_file():
            facts = read_json(path / "dataset.json")
            names = tuple(control["name"] for control in facts["controls"])
            return Clips(facts["n_clips"], facts["seconds"], facts["sample_rate"], names)
        from conditioned_synthesis.data.mtcrnn_format import find_pairs

        pairs = find_pairs(path, path) if path.is_dir() else {}
        if not pairs:
            return None
        import soundfile

        sound, params = next(iter(pairs.items()))
        header = soundfile.info(sound)
        names = tuple(name for name in read_json(params) if name != "meta") if params.exists() else ()
        return Clips(len(pairs), header.frames / header.samplerate, header.samplerate, names)
    except (TextureError, KeyError, TypeError, OSError, RuntimeError):
        return None  # the command that reads it will say more
