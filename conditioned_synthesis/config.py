"""The config of stage 4."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)

from conditioned_synthesis.labels.outliers import Outliers
from conditioned_synthesis.synthesisers import Synthesiser, synthesisers
from texturelib.config import Config, ConfigPath, Seed, Share, StageConfig
from texturelib.errors import UsageError
from texturelib.learning.compute import ComputeConfig


def _count_or_median(value: Any) -> Any:
    if value != "median" and (not isinstance(value, int) or value < 1):
        raise ValueError(f'{value!r} should be "median" or a whole number above 0')
    return value


Bins = Annotated[int, Field(ge=2, le=1000)]
ClipsPerBin = Annotated[PositiveInt | Literal["median"], BeforeValidator(_count_or_median)]


class Analyse(Config):
    """`conditioned-synthesis analyse`: what the labels are like."""

    bins: Bins = 10
    """Of the histograms, over each control's labels from the smallest to the largest."""


class Balance(Config):
    """`conditioned-synthesis balance`: a subset in which the labels of one control, or of several
    together, are evenly spread."""

    control: str | list[str] | None = None
    """Whose labels; null takes the control whose histogram is nearest to flat already. Of a list,
    every combination of the bins of all is a bin."""
    bins: Bins = 10
    """Of each control."""
    outliers: Outliers = "keep"
    """What becomes of labels outside 0..1, which a network may give: clipped to 0..1, or their
    clips dropped."""
    clips_per_bin: ClipsPerBin = "median"
    """Bins with fewer clips are dropped; "median" is the median count of the bins that hold any."""
    seed: Seed = 0
    """Of the choice within a bin."""


class Export(Config):
    """`conditioned-synthesis export`: clips as MTCRNN reads them."""

    source: Literal["balanced", "labelled"] = "balanced"
    """What is exported: the balanced subset, or all that is labelled."""
    sample_rate: Annotated[int, Field(ge=8000, le=192000)] = 16000
    """MTCRNN takes every file for 16 kHz."""
    controls: Annotated[list[str], Field(min_length=1)] | None = None
    """The controls to play with, in this order; null takes all."""
    max_rejected: Share = 0.0
    """The share of clips that may fail before the whole job counts as failed."""


class Train(Config):
    """`conditioned-synthesis train`: what the synthesiser learns from."""

    sounds: ConfigPath | None = None
    """A folder of wavs with .params files beside them, of any rate; null takes what `export`
    wrote."""
    controls: Annotated[list[str], Field(min_length=1)] | None = None
    """The controls to learn, in this order; null takes all."""
    seed: Seed = 0


class Generate(Config):
    """`conditioned-synthesis generate`, where no single sound is asked for: of each control,
    examples of what it does."""

    values: Annotated[int, Field(ge=2, le=100)] = 5
    """Of each control, evenly spread over what was trained on, a sound each."""
    seconds: Annotated[float, Field(gt=0, le=86400)] = 2.0
    """Of each of these."""
    sweep_seconds: Annotated[float, Field(gt=0, le=86400)] = 6.0
    """Of one more, in which the control moves through its range."""
    temperature: PositiveFloat = 1.0
    """Below 1 tamer, above 1 wilder."""
    fast: bool = False
    """Rougher, where that is faster: of "mtcrnn", with weights rounded to bytes."""
    seed: Seed = 0


Values = Annotated[int, Field(ge=3, le=100)]
Seeds = Annotated[int, Field(ge=1, le=100)]
Seconds = Annotated[float, Field(gt=0, le=600)]


class Linearise(Config):
    """`conditioned-synthesis linearise`: how it is measured what the sliders do. Of each control in
    turn, the others in their middle."""

    values: Values = 9
    """Evenly spread over what was trained on."""
    seeds: Seeds = 3
    """Sounds at each value."""
    seconds: Seconds = 3.0
    """Of each; as long as one of the labeller's clips, or longer."""


MEASURED_ALWAYS = (
    "synthesiser",
    "linearised",
    "untrained",
    "labels shuffled",
    "held-out clips",
    "white noise",
)


class Evaluate(Config):
    """`conditioned-synthesis evaluate`: how the synthesiser is measured, and what it is compared
    with."""

    values: Values = 9
    """Of each control in turn, evenly spread over what was trained on, the others in their
    middle."""
    seeds: Seeds = 5
    """Sounds at each value."""
    seconds: Seconds = 4.0
    """Of each; as long as one of the labeller's clips, or longer."""
    clips: Annotated[int, Field(ge=2, le=10000)] = 64
    """At most so many of those that were held out of the training, evenly spread, are compared with
    sounds that have their controls."""
    also: dict[str, ConfigPath] = Field(default={})
    """Other model folders to measure in the same way, by the name that the tables give them."""

    @field_validator("also")
    @classmethod
    def _has_good_names(cls, also: dict[str, Path]) -> dict[str, Path]:
        for name in also:
            if name in MEASURED_ALWAYS:
                raise ValueError(
                    f'"{name}" is measured anyway, so another model needs another name'
                )
            if not re.fullmatch(r"\w[\w -]{0,39}", name):
                raise ValueError(
                    f'"{name}" should be a name of 40 letters, digits, spaces, - and _ at most'
                )
        return also


class SynthesisConfig(StageConfig):
    """The commands of `conditioned-synthesis`; each writes a folder of its own in `output`."""

    labelled: ConfigPath
    """The labelled recordings: a dataset folder, as `domain-adaptation label` writes it."""
    analyse: Analyse = Analyse()
    balance: Balance = Balance()
    export: Export = Export()
    synthesiser: Annotated[Synthesiser, synthesisers] | None = None
    """What is trained, and played; null: nothing is."""
    train: Train = Train()
    labeller: ConfigPath | None = None
    """A model folder of stage 3, which reads the controls from sounds, for `linearise` and
    `evaluate`. It must not have had a part in any loss that the synthesiser was trained with. Null:
    there is none."""
    linearise: Linearise | None = None
    """How sliders are made linear; they then are in what `generate` plays. Null: they stay as they
    were learnt."""
    generate: Generate = Generate()
    evaluate: Evaluate | None = Evaluate()
    """How it is measured; null: it is not."""
    compute: ComputeConfig = ComputeConfig()

    @model_validator(mode="after")
    def _can_be_linearised(self) -> "SynthesisConfig":
        if self.linearise and not self.labeller:
            raise ValueError(
                "linearise: takes a labeller, which reads what the sliders do, but labeller names none"
            )
        return self

    def wanted_synthesiser(self) -> Synthesiser:
        """Errors: UsageError when the config has none."""
        if self.synthesiser is None:
            raise UsageError('synthesiser: names none; it should, as {"type": "mtcrnn"}')
        return self.synthesiser

    def wanted_labeller(self) -> Path:
        """Errors: UsageError when the config has none."""
        if self.labeller is None:
            raise UsageError(
                "labeller: names none; it should name a model folder of domain-adaptation that reads the controls"
            )
        return self.labeller

    def wanted_linearise(self) -> Linearise:
        """Errors: UsageError when the config has none."""
        if self.linearise is None:
            raise UsageError(
                'linearise: is null, so sliders stay as they were learnt; {"values": 9} would make them linear'
            )
        return self.linearise

    def wanted_evaluate(self) -> Evaluate:
        """Errors: UsageError when the config says not to."""
        if self.evaluate is None:
            raise UsageError('evaluate: is null, so nothing is measured; {"values": 9} would do it')
        return self.evaluate

    @property
    def analysis_folder(self) -> Path:
        return self.output / "analysis"

    @property
    def balanced_folder(self) -> Path:
        return self.output / "balanced"

    @property
    def exported_folder(self) -> Path:
        return self.balanced_folder if self.export.source == "balanced" else self.labelled

    @property
    def mtcrnn_folder(self) -> Path:
        return self.output / "mtcrnn"

    @property
    def sounds_folder(self) -> Path:
        return self.train.sounds or self.mtcrnn_folder

    @property
    def synthesiser_folder(self) -> Path:
        return self.output / "synthesiser"

    @property
    def linearised_folder(self) -> Path:
        return self.output / "instrument"

    @property
    def played_folder(self) -> Path:
        """The model folder that is played where none is named."""
        return self.linearised_folder if self.linearise else self.synthesiser_folder

    @property
    def shuffled_folder(self) -> Path:
        return self.output / "shuffled"

    @property
    def evaluation_folder(self) -> Path:
        return self.output / "evaluation"

    @property
    def examples_folder(self) -> Path:
        return self.output / "examples"
