"""How real do textures sound, by measures that no training knows? python benchmarks/realism.py FOLDER
--references TEXTURES [--names sink,crowd] [--steps N] [--variants statistics,random_cnn]

TEXTURES holds recordings of single textures in refs/, and sounds that others made of them in
published/, NAME_METHOD.wav. Of each recording, every variant of TexEnv is trained anew (one control,
which is held) and plays 16 s; what is in FOLDER already is not made again. Prints Markdown: the
distance in texture statistics; two judges, unbiased squared maximum mean discrepancies (times
1,000) of half-second patches of log-mel spectrograms, and of features of a random network that has
another seed and another shape than that of the loss; and copying. "real" is what the two halves of
the recording are to each other.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import soundfile
import torch
from scipy.stats import spearmanr

from conditioned_synthesis.dsp.texture_statistics import TextureStatistics
from conditioned_synthesis.evaluation.copying import Snippets
from conditioned_synthesis.evaluation.judges.mmd import unbiased_mmd
from conditioned_synthesis.evaluation.judges.patches import PatchStatistics, RandomFeatures
from conditioned_synthesis.losses.log_mel import LogMelLoss
from conditioned_synthesis.losses.random_cnn import RandomCnnLoss
from conditioned_synthesis.losses.texture import TextureLoss
from conditioned_synthesis.synthesisers.texenv.settings import TexEnv

VARIANTS = {
    "statistics": TexEnv(losses=(TextureLoss(),)),
    "random_cnn": TexEnv(losses=(TextureLoss(), RandomCnnLoss())),
    "log_mel": TexEnv(losses=(TextureLoss(), LogMelLoss())),
    "rings": TexEnv(losses=(TextureLoss(),), rings=True),
    "random_cnn_rings": TexEnv(losses=(TextureLoss(), RandomCnnLoss()), rings=True),
    "random_cnn_64": TexEnv(losses=(TextureLoss(), RandomCnnLoss()), n_bands=64),
}
# Frechet audio distances of the published sounds (DAFx 2026, of PANN CNN14 at 16 kHz).
PUBLISHED_FAD = {
    "applause": {"OT": 1.47, "RISpec": 1.75, "AN": 6.27},
    "crowd": {"OT": 0.89, "RISpec": 2.18, "AN": 3.81},
    "fire": {"OT": 1.10, "RISpec": 2.10, "AN": 4.44},
    "rain": {"OT": 1.22, "RISpec": 1.74, "AN": 3.89},
    "sink": {"OT": 0.60, "RISpec": 2.06, "AN": 11.68},
}
TITLES = ("distance", "patches", "random features", "copying")
BATCH, SECONDS, LR, SEED = 8, 16.0, 0.003, 0


def played(settings: TexEnv, reference: np.ndarray, rate: int, steps: int) -> np.ndarray:
    """-> SECONDS of what a network plays that was trained on random seconds of the reference."""
    torch.manual_seed(SEED)
    rng = np.random.default_rng(SEED)
    network = settings.network(1, rate).train()
    optimizer = torch.optim.Adam(network.parameters(), lr=LR)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LR, total_steps=steps)
    controls = torch.full((BATCH, rate, 1), 0.5)
    for _ in range(steps):
        starts = rng.integers(0, len(reference) - rate + 1, BATCH)
        clips = torch.from_numpy(np.stack([reference[start : start + rate] for start in starts]))
        torch.stack([*network.losses(clips, controls).values()]).sum().backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), settings.gradient_norm)
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
    player = network.eval().player(SEED)
    return player.play(np.full((round(SECONDS * rate), 1), 0.5, dtype=np.float32))


def read(path: Path) -> tuple[np.ndarray, int]:
    sound, rate = soundfile.read(path, dtype="float32")
    return sound, rate


def parts(sound: np.ndarray, length: int) -> np.ndarray:
    """-> [parts, length], half a part apart."""
    starts = range(0, len(sound) - length + 1, length // 2)
    return np.stack([sound[start : start + length] for start in starts])


class Judges:
    """The measures of sounds against one recording."""

    def __init__(self, reference: np.ndarray, rate: int) -> None:
        self.reference, self.rate = reference, rate
        self.texture = TextureStatistics(rate, rate)
        self.embed = (PatchStatistics(rate), RandomFeatures(rate))

    def row(self, sound: np.ndarray, reference: np.ndarray | None = None) -> list[float]:
        """-> distance, the judges, copying."""
        whole = self.reference if reference is None else reference
        clips, real = (torch.from_numpy(parts(each, self.rate)) for each in (sound, whole))
        unit = torch.from_numpy(parts(self.reference, self.rate))
        judged = [
            1000 * unbiased_mmd(*(embed(parts(each, self.rate // 2)) for each in (sound, whole)))
            for embed in self.embed
        ]
        copying = Snippets(whole[None], self.rate).copying(parts(sound, self.rate))
        return [self.texture.distance(clips, real, unit), *judged, copying]


def print_agreement(rows: dict[str, dict[str, list[float]]]) -> None:
    """Print how the measures order the published sounds, beside their published distance."""
    pairs = [
        (PUBLISHED_FAD[name][method], rows[name][method])
        for name in rows
        for method in PUBLISHED_FAD.get(name, {})
        if method in rows[name]
    ]
    if len(pairs) > 2:
        published = [fad for fad, _ in pairs]
        found = [
            f"{title} {spearmanr(published, [row[index] for _, row in pairs]).statistic:+.2f}"
            for index, title in enumerate(TITLES[:3])
        ]
        print(f"\nSpearman with the published distance, {len(pairs)} sounds: {', '.join(found)}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--references", type=Path, required=True)
    parser.add_argument("--names")
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--variants", default=",".join(VARIANTS))
    options = parser.parse_args()
    found = sorted((options.references / "refs").glob("*.wav"))
    names = options.names.split(",") if options.names else [path.stem for path in found]
    rows: dict[str, dict[str, list[float]]] = {}
    for name in names:
        reference, rate = read(options.references / "refs" / f"{name}.wav")
        judges, rows[name] = Judges(reference, rate), {}
        half = len(reference) // 2
        rows[name]["real"] = judges.row(reference[:half], reference[half:])
        for path in sorted((options.references / "published").glob(f"{name}_*.wav")):
            rows[name][path.stem.split("_")[-1]] = judges.row(read(path)[0])
        for variant in filter(None, options.variants.split(",")):
            path = options.folder / f"{name}_{variant}_{options.steps}.wav"
            if not path.exists():
                started = time.process_time()
                sound = played(VARIANTS[variant], reference, rate, options.steps)
                print(f"{path.name}: {time.process_time() - started:.0f} s", flush=True)
                path.parent.mkdir(parents=True, exist_ok=True)
                soundfile.write(path, sound, rate, subtype="FLOAT")
            rows[name][variant] = judges.row(read(path)[0])
    print_agreement(rows)
    for index, title in enumerate(TITLES):
        print(
            f"\n| {title} | "
            + " | ".join(names)
            + " | mean |\n|---" * 1
            + "|---" * (len(names) + 1)
            + "|"
        )
        for kind in rows[names[0]]:
            values = [rows[name][kind][index] for name in names]
            print(
                f"| {kind} | " + " | ".join(f"{v:.2f}" for v in [*values, np.mean(values)]) + " |"
            )


if __name__ == "__main__":
    main()
