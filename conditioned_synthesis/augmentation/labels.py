"""The labels of augmented clips: how those of a recording move, or relative ones where it has
none."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from conditioned_synthesis.augmentation.settings import Augment
from conditioned_synthesis.labels.table import controls_of
from texturelib.controls import Control, Law
from texturelib.dataset import Dataset


class Change(NamedTuple):
    """What is done to a recording: it is played `slow_down` times slower, `layers` moments of it
    are added such that the level stays, and that is amplified by `gain_db`."""

    slow_down: float
    layers: int
    gain_db: float

    @property
    def gain(self) -> float:
        """The factor on each layer: the sum of n independent sounds is sqrt(n) times as loud."""
        return 10 ** (self.gain_db / 20) / self.layers**0.5


class Labels(Protocol):
    """How augmented clips are labelled.

    controls: of the augmented set. notes: what a person should know about the labels.
    """

    controls: tuple[Control, ...]
    notes: list[str]

    def moved(self, rows: Sequence[np.ndarray], change: Change) -> np.ndarray | None:
        """Return the labels of a changed recording, or None where one would leave 0..1.

        Args:
            rows: by layer, the dataset's clips that it covers.

        Shape:
            -> [controls]
        """
        ...


def labels_of(dataset: Dataset, settings: Augment) -> Labels:
    """Return how clips made of this dataset are labelled."""
    return MovedLabels(dataset, settings) if dataset.controls else RelativeLabels(settings)


class RelativeLabels:
    """Labels of recordings without labels: the changes themselves, as far as they vary.

    The recording as it is has size 1, density 1 and level 0 dB.
    """

    def __init__(self, settings: Augment) -> None:
        self.notes: list[str] = []
        self.controls = tuple(relative_controls(settings))

    def moved(self, rows: Sequence[np.ndarray], change: Change) -> np.ndarray | None:  # noqa: ARG002
        values = {"size": change.slow_down, "density": change.layers, "level": change.gain_db}
        labels = [float(each.to_slider(values[each.name])) for each in self.controls]
        return np.clip(labels, 0.0, 1.0)  # the logarithm of an end may miss 1 by its last digit


def relative_controls(settings: Augment) -> Iterator[Control]:
    """Yield the controls of recordings without labels: what varies of size, density and level."""
    if settings.size[0] < settings.size[1]:
        yield Control(
            "size",
            *settings.size,
            "x",
            "exponential",
            description="how large everything is, compared with the recording",
            laws={"slow_down": 1.0, "mixing": 0.0, "gain": 0.0},
        )
    if settings.density[0] < settings.density[1]:
        low, high = settings.density
        yield Control(
            "density",
            float(low),
            float(high),
            "x",
            "exponential",
            description="how much of it there is, compared with the recording",
            laws={"mixing": 1.0, "slow_down": 0.0, "gain": 0.0},
        )
    if settings.level and settings.level[0] < settings.level[1]:
        yield Control(
            "level",
            *settings.level,
            "dB",
            description="how loud it is, compared with the recording",
            laws={"gain": 1.0, "slow_down": 0.0, "mixing": 0.0},
        )


class MovedLabels:
    """Labels of recordings that have some: the mean of those of the clips that a moment covers,
    moved by the laws of the controls. A control keeps its label under a change of which its laws
    say nothing."""

    def __init__(self, dataset: Dataset, settings: Augment) -> None:
        self.controls = tuple(controls_of(dataset))
        self._values = dataset.control_values().astype(float)
        self._laws: list[Law] = []
        if settings.size != (1.0, 1.0):
            self._laws.append("slow_down")
        if settings.density != (1, 1):
            self._laws.append("mixing")
        if self._laws[-1:] == ["mixing"] or settings.level:
            self._laws.append("gain")
        self.notes = [*self._unknown()]

    def _unknown(self) -> Iterator[str]:
        in_words = {"slow_down": "slowed down", "mixing": "layered", "gain": "amplified"}
        for law in self._laws:
            names = [each.name for each in self.controls if law not in each.laws]
            if names:
                kept = "its label is" if len(names) == 1 else "their labels are"
                yield f"nothing says how {', '.join(names)} moves when a sound is {in_words[law]}; {kept} kept"

    def moved(self, rows: Sequence[np.ndarray], change: Change) -> np.ndarray | None:
        of_layers = [self._values[each].mean(axis=0) for each in rows]
        labels = np.mean(of_layers, axis=0)
        factors = {"slow_down": change.slow_down, "mixing": change.layers, "gain": change.gain}
        for index, control in enumerate(self.controls):
            for law in self._laws:
                if control.laws.get(law):
                    labels[index] = control.moved(law, factors[law], labels[index])
        # A label that is not a number is not within either.
        return labels if bool(((labels >= 0) & (labels <= 1)).all()) else None
