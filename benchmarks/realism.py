"""How real do textures sound, by measures that no training knows? python benchmarks/realism.py FOLDER
[--references TEXTURES] [--recordings RECORDINGS] [--names sink,crowd] [--synthesisers texenv,grains]
[--steps N] [--page]

TEXTURES holds recordings of single textures in refs/, and sounds that others made of them in
published/, NAME_METHOD.wav; all of a reference is learnt from, and compared with. RECORDINGS are
longer: of each, the first half (at most 60 s) is learnt from, and the second compared with, at its
own rate. Every synthesiser is trained anew, in the toolkit's own loop, with one control, which is held,
and plays 16 s. What is in FOLDER already, trainings half done included, is not made again. Prints
Markdown: the distance in texture statistics; two judges, unbiased squared maximum mean
discrepancies (times 1,000) of half-second patches of log-mel spectrograms, and of features of a
random network that has another seed and another shape than that of the loss; copying; the level
against the reference's; texture loss from clips, where two clips of one texture are about 1 apart;
times real time on one core; minutes of training, of one core. "real" is what the two halves of the
recording are to each other, "untrained" knows the mean levels of bands alone, "shuffled" is what
texenv learnt of the texture before it in the list. --page writes FOLDER/index.html: a row per
texture, with sounds and spectrograms.
"""

import argparse
import html
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import soundfile
import torch
from scipy.stats import spearmanr

from conditioned_synthesis.data.clips import Sounds
from conditioned_synthesis.data.split import SplitSounds
from conditioned_synthesis.dsp.texture_statistics import TextureStatistics
from conditioned_synthesis.evaluation.copying import Snippets
from conditioned_synthesis.evaluation.judges.mmd import unbiased_mmd
from conditioned_synthesis.evaluation.judges.patches import PatchStatistics, RandomFeatures
from conditioned_synthesis.instrument.automation import constant
from conditioned_synthesis.losses.adversary import Adversary
from conditioned_synthesis.losses.log_mel import LogMelLoss
from conditioned_synthesis.losses.random_cnn import RandomCnnLoss
from conditioned_synthesis.losses.texture import TextureLoss
from conditioned_synthesis.synthesisers import Synthesiser
from conditioned_synthesis.synthesisers.grains import Grains
from conditioned_synthesis.synthesisers.mtcrnn.settings import Mtcrnn
from conditioned_synthesis.synthesisers.texenv.settings import TexEnv
from conditioned_synthesis.training.command import plan_of
from texturelib.audio import mix_down, read_header, read_sound, to_16_bit
from texturelib.controls import Control
from texturelib.learning import loop
from texturelib.learning.compute import ComputeConfig, start_fabric
from texturelib.pictures import spectrogram_picture
from texturelib.sound_files import find_audio

STATISTICS, RANDOM = TextureLoss(), RandomCnnLoss()
BOTH = (STATISTICS, RandomCnnLoss(weight=3.0))
SYNTHESISERS: dict[str, Synthesiser] = {
    "statistics": TexEnv(losses=(STATISTICS,), n_bands=32, rings=False),
    "random_cnn": TexEnv(losses=(STATISTICS, RANDOM), n_bands=32, rings=False),
    "log_mel": TexEnv(losses=(STATISTICS, LogMelLoss()), n_bands=32, rings=False),
    "rings": TexEnv(losses=(STATISTICS,), n_bands=32, rings=True),
    "random_cnn_64_rings": TexEnv(losses=BOTH, n_bands=64, rings=True),
    "adversary": TexEnv(losses=BOTH, n_bands=64, rings=True, adversary=Adversary()),
    "texenv": TexEnv(),
    "untrained": TexEnv(),
    "grains": Grains(tolerance=1.0),  # all clips are of one sound: none is nearer than another
    "mtcrnn": Mtcrnn(),
}
# Frechet audio distances of the published sounds (DAFx 2026, of PANN CNN14 at 16 kHz).
PUBLISHED_FAD = {
    "applause": {"OT": 1.47, "RISpec": 1.75, "AN": 6.27},
    "crowd": {"OT": 0.89, "RISpec": 2.18, "AN": 3.81},
    "fire": {"OT": 1.10, "RISpec": 2.10, "AN": 4.44},
    "rain": {"OT": 1.22, "RISpec": 1.74, "AN": 3.89},
    "sink": {"OT": 0.60, "RISpec": 2.06, "AN": 11.68},
}
BATCH, SECONDS, MOST_LEARNT, SEED = 8, 16.0, 60.0, 0
MOST_COMPARED = 32.0  # seconds, as a discrepancy takes time with the square of it


@dataclass
class Row:
    """Measures of a sound against a reference; see the module. A field is a column's title."""

    distance: float
    patches: float
    random_features: float
    copying: float
    level_db: float
    texture_loss: float
    times_real_time: float = float("nan")
    minutes: float = float("nan")


# Sounds. --------------------------------------------------------------------------------------------------------------


@dataclass
class Texture:
    """learnt, compared: [samples], the same of a short reference."""

    name: str
    sample_rate: int
    learnt: np.ndarray
    compared: np.ndarray


def textures(references: Path | None, recordings: Path | None) -> list[Texture]:
    found = []
    for path in sorted((references / "refs").glob("*.wav")) if references else []:
        sound, rate = soundfile.read(path, dtype="float32")
        found.append(Texture(path.stem, rate, sound, sound))
    for name in find_audio(recordings) if recordings else []:
        rate = read_header(recordings / name).sample_rate  # type: ignore[operator]
        sound = mix_down(read_sound(recordings / name, rate))  # type: ignore[operator]
        half = len(sound) // 2
        learnt = sound[: min(half, round(MOST_LEARNT * rate))]
        compared = sound[half : half + round(MOST_COMPARED * rate)]
        found.append(Texture(f"{Path(name).stem}, {rate} Hz", rate, learnt, compared))
    return found


def played(
    settings: Synthesiser, texture: Texture, steps: int, folder: Path
) -> tuple[np.ndarray, float, float]:
    """-> SECONDS of what it plays, times real time, minutes of training."""
    clip = to_16_bit(texture.learnt.clip(-1, 1))[None]
    sounds = Sounds(texture.sample_rate, clip, [[constant(0.5)]], (Control("held", 0.0, 1.0, ""),))
    torch.manual_seed(SEED)
    network = settings.network(1, texture.sample_rate)
    rows = np.arange(1)
    began = time.process_time()
    training = settings.training(network, SplitSounds(sounds, rows, rows), SEED)
    folder.mkdir(parents=True, exist_ok=True)
    if steps:
        fabric = start_fabric(ComputeConfig(accelerator="cpu"))
        loop.train(training, plan_of(settings, folder), fabric)
    else:
        network.train()
        network.losses(*training.batch(0, slice(None))[:2])  # it measures the levels of bands
    minutes = (time.process_time() - began) / 60
    network.eval()
    held = np.full((round(SECONDS * texture.sample_rate), 1), 0.5, dtype=np.float32)
    network.player(SEED + 1).play(held[: texture.sample_rate])  # what is made once
    began = time.process_time()
    sound = network.player(SEED).play(held)
    return sound, SECONDS / (time.process_time() - began), minutes


def of_steps(settings: Synthesiser, steps: int) -> Synthesiser:
    if not isinstance(settings, TexEnv):
        return settings
    return settings.model_copy(
        update={"num_steps": max(1, steps), "batch_size": BATCH, "checkpoint": 50}
    )


# Measures. ------------------------------------------------------------------------------------------------------------


def parts(sound: np.ndarray, length: int) -> np.ndarray:
    """-> [parts, length], half a part apart."""
    starts = range(0, len(sound) - length + 1, length // 2)
    return np.stack([sound[start : start + length] for start in starts])


class Judges:
    """The measures of sounds against one recording."""

    def __init__(self, texture: Texture) -> None:
        self.texture, self.rate = texture, texture.sample_rate
        self.statistics = TextureStatistics(self.rate, self.rate)
        self.loss = STATISTICS.module(self.rate, self.rate)
        self.embed = (PatchStatistics(self.rate), RandomFeatures(self.rate))

    def row(self, sound: np.ndarray, reference: np.ndarray | None = None) -> Row:
        whole = self.texture.compared if reference is None else reference
        clips, real = (torch.from_numpy(parts(each, self.rate)) for each in (sound, whole))
        unit = torch.from_numpy(parts(self.texture.compared, self.rate))
        judged = [
            1000 * unbiased_mmd(*(embed(parts(each, self.rate // 2)) for each in (sound, whole)))
            for embed in self.embed
        ]
        learnt = self.texture.learnt if reference is None else reference
        n = min(len(clips), len(real))
        with torch.no_grad():
            losses = [self.loss(clips[:n], real[:n].roll(shift, 0)) for shift in range(3)]
        return Row(
            self.statistics.distance(clips, real, unit),
            *judged,
            Snippets(learnt[None], self.rate).copying(parts(sound, self.rate)),
            10 * float(np.log10(np.mean(sound**2) / np.mean(whole**2))),
            float(torch.stack(losses).mean()),
        )


def kept(path: Path, make: Callable[[], Row]) -> Row:
    """-> the row in a file, made and written where there is none."""
    if not path.exists():
        row = make()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(row)))
    return Row(**json.loads(path.read_text()))


def made(name: str, texture: Texture, judges: Judges, steps: int, folder: Path) -> Row:
    """-> the measures of a synthesiser's sound, which is left in the folder."""
    is_trained = name != "untrained"
    settings = of_steps(SYNTHESISERS[name], steps)
    training = folder / f"{texture.name}_{name}"
    sound, speed, minutes = played(settings, texture, steps if is_trained else 0, training)
    soundfile.write(
        folder / f"{texture.name}_{name}.wav", sound, texture.sample_rate, subtype="FLOAT"
    )
    row = judges.row(sound)
    row.times_real_time, row.minutes = speed, minutes
    print(f"{texture.name}, {name}: {row}", flush=True)
    return row


# What is printed. -----------------------------------------------------------------------------------------------------


def print_agreement(rows: dict[str, dict[str, Row]]) -> None:
    """Print how the measures order the published sounds, beside their published distance."""
    pairs = [
        (PUBLISHED_FAD[name][method], rows[name][method])
        for name in rows
        for method in PUBLISHED_FAD.get(name, {})
        if method in rows[name]
    ]
    if len(pairs) < 3:
        return
    published = [fad for fad, _ in pairs]
    found = [
        f"{title} {spearmanr(published, [getattr(row, title) for _, row in pairs]).statistic:+.2f}"
        for title in ("distance", "patches", "random_features")
    ]
    print(f"\nSpearman with the published distance, {len(pairs)} sounds: {', '.join(found)}")


def print_tables(rows: dict[str, dict[str, Row]]) -> None:
    for title in Row.__dataclass_fields__:
        print(f"\n| {title} | {' | '.join(rows)} | mean |\n|---{'|--:' * (len(rows) + 1)}|")
        for kind in dict.fromkeys(kind for row in rows.values() for kind in row):
            values = [
                getattr(row[kind], title) if kind in row else float("nan") for row in rows.values()
            ]
            mean = float(np.mean(values))  # none where one is missing
            cells = ["" if np.isnan(each) else f"{each:.2f}" for each in [*values, mean]]
            if any(cells):
                print(f"| {kind} | {' | '.join(cells)} |")


def write_page(found: list[Texture], references: Path | None, folder: Path) -> None:
    """Write a page with a row per texture: the reference, what others made of it, and what is in
    the folder."""
    rows = []
    for texture in found:
        sounds = {"reference": (texture.compared[: round(SECONDS * texture.sample_rate)])}
        for path in (
            sorted((references / "published").glob(f"{texture.name}_*.wav")) if references else []
        ):
            sounds[path.stem.split("_")[-1]] = soundfile.read(path, dtype="float32")[0]
        for name in SYNTHESISERS:
            path = folder / f"{texture.name}_{name}.wav"
            if path.exists():
                sounds[name] = soundfile.read(path, dtype="float32")[0]
        cells = []
        for name, sound in sounds.items():
            stem = f"page/{texture.name}_{name}"
            (folder / "page").mkdir(exist_ok=True)
            soundfile.write(folder / f"{stem}.wav", sound, texture.sample_rate)
            spectrogram_picture(
                folder / f"{stem}.png", sound[: 4 * texture.sample_rate], texture.sample_rate
            )
            source = html.escape(stem, quote=True)
            cells.append(
                f'<td>{html.escape(name)}<br><img src="{source}.png" width="320" alt=""><br>'
                f'<audio controls preload="none" src="{source}.wav"></audio></td>'
            )
        rows.append(f"<tr><th>{html.escape(texture.name)}</th>{''.join(cells)}</tr>")
    (folder / "index.html").write_text(
        f'<!doctype html><meta charset="utf-8"><title>Textures</title><table>{"".join(rows)}</table>'
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--references", type=Path)
    parser.add_argument("--recordings", type=Path)
    parser.add_argument("--names")
    parser.add_argument("--synthesisers", default="statistics,texenv,untrained,grains")
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--page", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    found = textures(options.references, options.recordings)
    if options.names:
        wanted = options.names.split(",")
        found = [each for each in found if each.name.split(",")[0] in wanted]
    folder = options.folder / str(options.steps)
    chosen = [each for each in options.synthesisers.split(",") if each]
    rows: dict[str, dict[str, Row]] = {texture.name: {} for texture in found}
    judges = {texture.name: Judges(texture) for texture in found}
    for texture in found:
        judge, row, half = judges[texture.name], rows[texture.name], len(texture.compared) // 2
        row["real"] = kept(
            folder / f"{texture.name}_real.json",
            lambda judge=judge, sound=texture.compared, half=half: judge.row(
                sound[:half], sound[half:]
            ),
        )
        if options.references:
            for path in sorted((options.references / "published").glob(f"{texture.name}_*.wav")):
                sound = soundfile.read(path, dtype="float32")[0]
                row[path.stem.split("_")[-1]] = kept(
                    folder / f"{path.stem}.json",
                    lambda judge=judge, sound=sound: judge.row(sound),
                )
    for name in chosen:
        for texture in found:
            rows[texture.name][name] = kept(
                folder / f"{texture.name}_{name}.json",
                lambda name=name, texture=texture: made(
                    name, texture, judges[texture.name], options.steps, folder
                ),
            )
    if "texenv" in chosen:
        for texture, other in zip(found, [found[-1], *found], strict=False):
            if texture.sample_rate == other.sample_rate and texture is not other:
                sound = soundfile.read(folder / f"{other.name}_texenv.wav", dtype="float32")[0]
                rows[texture.name]["shuffled"] = judges[texture.name].row(sound)
    print_agreement(rows)
    print_tables(rows)
    if options.page:
        write_page(found, options.references, folder)


if __name__ == "__main__":
    main()
