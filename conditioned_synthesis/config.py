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

from conditioned_synthesis.augmentation.settings import Augment
from conditioned_synthesis.judge_settings import Embedding
from conditioned_synthesis.labels.outliers import Outliers
from conditioned_synthesis.listening.settings import Listening
from conditioned_synthesis.robustness.settings import Robustness
from conditioned_synthesis.synthesisers import Synthesiser, TrainedSynthesiser, synthesisers
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
    """Settings of `conditioned-synthesis analyse`, which describes the distribution of the
    labels."""

    bins: Bins = 10
    """Number of bins of each histogram, from the smallest to the largest label of the control."""


class Balance(Config):
    """Settings of `conditioned-synthesis balance`, which chooses a subset in which the labels of
    one control, or of several together, are evenly distributed."""

    control: str | list[str] | None = None
    """Control whose labels are balanced; null takes the one whose histogram is nearest to flat
    already. For a list, every combination of the bins of all is a bin."""
    bins: Bins = 10
    """Number of bins of each control."""
    outliers: Outliers = "keep"
    """Treatment of labels outside 0..1, which a network may give: "keep" leaves them, "clip" clips
    them to 0..1, "drop" drops their clips."""
    clips_per_bin: ClipsPerBin = "median"
    """Number of clips to keep in each bin; bins with fewer are dropped. "median" is the median
    count of the bins that hold any."""
    seed: Seed = 0
    """Seed of the random choice within a bin."""


class Export(Config):
    """Settings of `conditioned-synthesis export`, which writes clips in MTCRNN's format."""

    source: Literal["balanced", "labelled"] = "balanced"
    """Clips to export: the balanced subset, or all labelled clips."""
    sample_rate: Annotated[int, Field(ge=8000, le=192000)] = 16000
    """Sample rate of the exported clips, in Hz. MTCRNN takes every file for 16 kHz."""
    controls: Annotated[list[str], Field(min_length=1)] | None = None
    """Controls to export, in this order; null takes all."""
    max_rejected: Share = 0.0
    """Largest share of clips that may fail before the whole job counts as failed."""


class Train(Config):
    """Settings of `conditioned-synthesis train`: what the synthesiser learns from."""

    sounds: ConfigPath | None = None
    """Dataset folder, or folder of wavs with .params files beside them, of any sample rate; null
    takes what `augment` wrote, or where that is null what `export` wrote. A dataset's column
    `split` says which clips are held out: those that are not "train"."""
    controls: Annotated[list[str], Field(min_length=1)] | None = None
    """Controls to learn, in this order; null takes all."""
    seed: Seed = 0
    """Seed of the weights and all random numbers of the training."""


class Generate(Config):
    """Settings of `conditioned-synthesis generate` when no single sound is requested: it then plays
    examples of each control."""

    values: Annotated[int, Field(ge=2, le=100)] = 5
    """Number of values of each control, evenly spaced over its trained range; each is played as a
    sound."""
    seconds: Annotated[float, Field(gt=0, le=86400)] = 2.0
    """Length of each of these sounds, in seconds."""
    sweep_seconds: Annotated[float, Field(gt=0, le=86400)] = 6.0
    """Length of one more sound per control, in which the control moves through its range, in
    seconds."""
    temperature: PositiveFloat = 1.0
    """Randomness of the sound: below 1 tamer, above 1 wilder."""
    fast: bool = False
    """Whether to play faster at lower quality where the synthesiser can: "mtcrnn" with weights
    rounded to bytes."""
    seed: Seed = 0
    """Seed of the sounds."""


Values = Annotated[int, Field(ge=3, le=100)]
Seeds = Annotated[int, Field(ge=1, le=100)]
Seconds = Annotated[float, Field(gt=0, le=600)]


class Linearise(Config):
    """Settings of `conditioned-synthesis linearise`: how the effect of each slider is measured.
    Each control is varied in turn, the others in their middle."""

    values: Values = 9
    """Number of values of each control, evenly spaced over its trained range."""
    seeds: Seeds = 3
    """Number of sounds at each value, each with another seed."""
    seconds: Seconds = 3.0
    """Length of each sound, in seconds; at least that of one of the labeller's clips, or without a
    labeller of the clips themselves."""


MEASURED_ALWAYS = (
    "synthesiser",
    "linearised",
    "untrained",
    "labels shuffled",
    "held-out clips",
    "real halves",
    "white noise",
)


class Evaluate(Config):
    """Settings of `conditioned-synthesis evaluate`: how the synthesiser is measured, and what it is
    compared with."""

    values: Values = 9
    """Number of values of each control in turn, evenly spaced over its trained range, the others in
    their middle."""
    seeds: Seeds = 5
    """Number of sounds at each value, each with another seed."""
    seconds: Seconds = 4.0
    """Length of each sound, in seconds; at least that of one of the labeller's clips, or without a
    labeller of the clips themselves."""
    clips: Annotated[int, Field(ge=2, le=10000)] = 64
    """Largest number of held-out clips, evenly spaced among them, that are compared with sounds
    that have their controls."""
    baselines: bool = True
    """Whether the same synthesiser is measured too with the weights that it began with, and trained
    on shuffled labels, which takes as long as `train`."""
    also: dict[str, ConfigPath] = Field(default={})
    """Other model folders to measure in the same way, by the name that the tables give them."""

    embedding: Embedding | None = None
    """Network by whose embeddings sounds are compared with the clips; null for none."""

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
    """Config of all commands of `conditioned-synthesis`; each writes a folder of its own in
    `output`."""

    labelled: ConfigPath
    """Dataset folder of the labelled recordings, as `domain-adaptation label` writes it; for
    `augment` it may have no labels, as `real-datasets build` writes it."""
    analyse: Analyse = Analyse()
    balance: Balance = Balance()
    export: Export = Export()
    augment: Augment | None = None
    """How clips are made of recordings by the laws of the controls; null makes none."""
    synthesiser: Annotated[Synthesiser, synthesisers] | None = None
    """Synthesiser to train and play; null trains none."""
    train: Train = Train()
    labeller: ConfigPath | None = None
    """Model folder of stage 3 that reads the controls from sounds, for `linearise` and `evaluate`;
    null reads them by the laws of the controls alone, without a network. It must not have had a part
    in any loss that the synthesiser was trained with."""
    linearise: Linearise | None = None
    """How sliders are made linear for `generate`; null leaves them as they were learnt."""
    generate: Generate = Generate()
    evaluate: Evaluate | None = Evaluate()
    """How the synthesiser is measured; null measures nothing."""
    listening: Listening | None = None
    """What people are asked who listen to sounds of models; null makes no listening test."""
    robustness: Robustness | None = None
    """How it is measured how much noise representations of sounds can bear; null measures nothing."""
    compute: ComputeConfig = ComputeConfig()

    @model_validator(mode="after")
    def _can_be_linearised(self) -> "SynthesisConfig":
        if self.linearise and self.reader is None:
            raise ValueError(
                "linearise: takes a labeller, which reads what the sliders do, or clips with laws; but labeller names none, "
                "and what export writes has no laws"
            )
        return self

    @model_validator(mode="after")
    def _each_process_has_clips(self) -> "SynthesisConfig":
        settings, processes = self.synthesiser, self.compute.processes
        if isinstance(settings, TrainedSynthesiser) and settings.batch_size < processes:
            raise ValueError(
                f"compute.processes: {processes} is more than synthesiser.batch_size, {settings.batch_size}: "
                "each process needs a clip of every batch"
            )
        return self

    def wanted_synthesiser(self) -> Synthesiser:
        """Return the synthesiser. Errors: UsageError when the config has none."""
        if self.synthesiser is None:
            raise UsageError('synthesiser: names none; it should, as {"type": "mtcrnn"}')
        return self.synthesiser

    def wanted_augment(self) -> Augment:
        """Return the settings of `augment`. Errors: UsageError when the config has none."""
        if self.augment is None:
            raise UsageError(
                'augment: is null, so no clips are made; {"n_clips": 400} would make some'
            )
        return self.augment

    @property
    def reader(self) -> "Path | Literal['laws'] | None":
        """What reads the controls from sounds: the labeller, else the laws where the sounds can have
        any; None for what `export` writes, as MTCRNN's format has none."""
        if self.labeller:
            return self.labeller
        return None if self.sounds_folder == self.mtcrnn_folder else "laws"

    def wanted_reader(self) -> "Path | Literal['laws']":
        """Return what reads the controls. Errors: UsageError when nothing can."""
        if self.reader is None:
            raise UsageError(
                "labeller: names none, and what export writes has no laws to read by; name a model folder of "
                "domain-adaptation, or a dataset folder whose controls have laws as train.sounds"
            )
        return self.reader

    def wanted_linearise(self) -> Linearise:
        """Return the settings of `linearise`. Errors: UsageError when the config has none."""
        if self.linearise is None:
            raise UsageError(
                'linearise: is null, so sliders stay as they were learnt; {"values": 9} would make them linear'
            )
        return self.linearise

    def wanted_evaluate(self) -> Evaluate:
        """Return the settings of `evaluate`. Errors: UsageError when the config sets it to null."""
        if self.evaluate is None:
            raise UsageError('evaluate: is null, so nothing is measured; {"values": 9} would do it')
        return self.evaluate

    def wanted_listening(self) -> Listening:
        """Return the settings of `listening-test`. Errors: UsageError when the config has none."""
        if self.listening is None:
            raise UsageError(
                'listening: is null, so there is no test; {"ratings": 6} would make one'
            )
        return self.listening

    def wanted_robustness(self) -> Robustness:
        """Return the settings of `robustness`. Errors: UsageError when the config has none."""
        if self.robustness is None:
            raise UsageError(
                'robustness: is null, so nothing is measured; {"repeats": 20} would do it'
            )
        return self.robustness

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
    def augmented_folder(self) -> Path:
        return self.output / "augmented"

    @property
    def sounds_folder(self) -> Path:
        """The folder of what the synthesiser learns from."""
        return self.train.sounds or (self.augmented_folder if self.augment else self.mtcrnn_folder)

    @property
    def synthesiser_folder(self) -> Path:
        return self.output / "synthesiser"

    @property
    def linearised_folder(self) -> Path:
        return self.output / "instrument"

    @property
    def played_folder(self) -> Path:
        """The model folder that is played when none is named."""
        return self.linearised_folder if self.linearise else self.synthesiser_folder

    @property
    def shuffled_folder(self) -> Path:
        return self.output / "shuffled"

    @property
    def evaluation_folder(self) -> Path:
        return self.output / "evaluation"

    @property
    def listening_folder(self) -> Path:
        return self.output / "listening"

    @property
    def robustness_folder(self) -> Path:
        return self.output / "robustness"

    @property
    def examples_folder(self) -> Path:
        return self.output / "examples"
