"""Whether the labels of recordings keep to physics: python benchmarks/law_labels.py EXTRACTOR SCALE
SYNTHETIC RECORDINGS [--clips N]

EXTRACTOR: a model folder of train-extractor or adapt that never heard the recordings. SCALE: one of
train-scale that never heard them either. SYNTHETIC: the set that the extractor learnt from.
RECORDINGS: a folder of sounds. Each recording is played at three speeds, and layered 1, 2 and 4
times; each of these is labelled as a recording of its own, so nothing knows that they are one.

Prints Markdown: slopes of the mean label against what the engine's laws want, before and after the
labels are brought to the laws; the share of labels of single clips whose interval holds what the
laws say of them; how far recordings lie apart.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from domain_adaptation.data.clip_store import read_batch
from domain_adaptation.data.waveforms import prepared, to_full_scale
from domain_adaptation.evaluation.slow_down_test import Recording, find_recordings
from domain_adaptation.labelling.by_the_laws import (
    Reference,
    judge_recording,
    laws_of,
    reference_density,
    scale_of,
)
from domain_adaptation.labelling.inference import read_waveforms
from domain_adaptation.models.model_folder import Model, load_model
from texturelib.audio import read_mono
from texturelib.dataset import read_dataset
from texturelib.evenly import evenly_spread

_SPEEDS, _LAYERS = (0.7, 1.0, 1.4), (1, 2, 4)
_SYNTHETIC = 128


class Labeller:
    """Labels a recording, as it is and brought to the laws."""

    def __init__(self, model: Model, scale: Model, reference: Reference) -> None:
        self.model, self.scale, self.reference = model, scale, reference

    def __call__(self, clips: np.ndarray):
        """Return mean labels before, shift, single labels, half widths, and the verdict. clips:
        [clips, samples] int16."""
        clips = clips.astype(np.float32)
        verdict = judge_recording(self.model, self.scale, self.reference, clips)
        found = read_waveforms(self.model, clips)
        widths = self.model.half_widths(found.scale)
        assert widths is not None
        return found.labels, verdict, np.maximum(widths, verdict.half_width)


def in_layers(recording: Recording, n_layers: int) -> np.ndarray:
    """Return the segments of so many random moments of a recording, added."""
    spec, rng = recording.spec, np.random.default_rng(n_layers)
    samples = read_mono(recording.path, spec.sample_rate)
    added = samples.copy()
    for _ in range(n_layers - 1):
        added += np.roll(samples, int(rng.integers(len(samples))))
    n_samples = round(spec.seconds * spec.sample_rate)
    segments = added[: len(added) // n_samples * n_samples].reshape(-1, n_samples)
    waveforms = prepared(torch.from_numpy(segments), spec.sample_rate, spec.features.sample_rate)
    return to_full_scale(waveforms).numpy()


def slope(factors, labels) -> np.ndarray:
    return np.polyfit(np.log(factors), np.stack(labels), 1)[0]


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("extractor", "scale", "synthetic", "recordings"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--clips", type=int, default=24)
    options = parser.parse_args()
    model, scale = load_model(options.extractor), load_model(options.scale)
    dataset = read_dataset(options.synthetic)
    paths = [dataset.path(row) for row in evenly_spread(len(dataset), _SYNTHETIC)]
    clips = read_batch(paths, dataset.sample_rate, dataset.n_samples, dataset.n_channels)
    rate = model.spec.features.sample_rate
    clips = prepared(torch.from_numpy(clips), dataset.sample_rate, rate).numpy()
    recordings = find_recordings(options.recordings, model.spec)
    scales = [
        scale_of(scale, segments[evenly_spread(len(segments), 6)].astype(np.float32))
        for segments in (recording.segments() for recording in recordings)
    ]
    reference = Reference(float(np.median(scales)), reference_density(clips, rate))
    label = Labeller(model, scale, reference)
    names = model.spec.names
    by_speed, by_layers = laws_of(model.spec)
    # The last of those that move most with speed.
    steepest = len(by_speed) - 1 - int(np.nanargmax(np.abs(by_speed[::-1])))
    # The control that moves most with layers.
    rate_of = int(np.nanargmax(np.abs(by_layers)))
    print(
        f"\n| recording | change, dB | slope of {names[steepest]} ({by_speed[steepest]:+.3f}): before | after | told "
        f"| slope of {names[rate_of]} by layers ({by_layers[rate_of]:+.3f}): before | after | told | why not |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    held: dict[str, list[np.ndarray]] = {"told": [], "not told": []}
    means: dict[str, list[np.ndarray]] = {"before": [], "after": []}
    for recording in recordings:
        read, verdicts, widths = {}, {}, {}
        for speed in _SPEEDS:
            segments = recording.segments(speed)
            segments = segments[evenly_spread(len(segments), options.clips)]
            read[speed], verdicts[speed], widths[speed] = label(segments)
        own = verdicts[1.0]
        means["before"].append(read[1.0].mean(axis=0))
        means["after"].append(read[1.0].mean(axis=0) + own.shift)
        before = slope(_SPEEDS, [read[k].mean(axis=0) for k in _SPEEDS])
        after = slope(_SPEEDS, [read[k].mean(axis=0) + verdicts[k].shift for k in _SPEEDS])
        for speed in (0.7, 1.4):
            law = np.nan_to_num(by_speed) * np.log(speed)
            right = read[1.0].mean(axis=0) + own.shift + law
            inside = np.abs(read[speed] + verdicts[speed].shift - right) <= widths[speed]
            for i, why in enumerate(own.why_not):
                held["not told" if why else "told"].append(inside[:, i])
        layered = {}
        for n_layers in _LAYERS:
            segments = in_layers(recording, n_layers)
            segments = segments[evenly_spread(len(segments), options.clips)]
            labels, verdict, _ = label(segments)
            layered[n_layers] = labels.mean(axis=0), verdict.shift
        more = slope(_LAYERS, [labels for labels, _ in layered.values()])
        moved = slope(_LAYERS, [labels + shift for labels, shift in layered.values()])
        told = ["no" if why else "yes" for why in own.why_not]
        why_not = "; ".join(sorted({why for why in own.why_not if why}))
        print(
            f"| {recording.name} | {own.facts['spectrum_change_db']:.1f} | {before[steepest]:+.3f} | {after[steepest]:+.3f} "
            f"| {told[steepest]} | {more[rate_of]:+.3f} | {moved[rate_of]:+.3f} | {told[rate_of]} | {why_not} |",
            flush=True,
        )
        facts = ", ".join(f"{key} {value:.2f}" for key, value in own.facts.items())
        print(f"<!-- {recording.name}: {facts} -->", flush=True)
    print("\n| labels of clips at other speeds, held by their intervals | share |\n|---|---|")
    for which, parts in held.items():
        if parts:
            print(f"| {which} | {np.concatenate(parts).mean():.1%} |")
    spread = {when: np.std(np.stack(each), axis=0) for when, each in means.items()}
    shares = spread["after"] / np.maximum(spread["before"], 1e-9)
    words = ", ".join(f"{name} {share:.2f}" for name, share in zip(names, shares, strict=True))
    print(f"\nDeviation between recordings, after / before: {words}")


if __name__ == "__main__":
    main()
