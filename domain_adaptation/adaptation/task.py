"""What a method of adaptation works on: a model, synthetic clips and real clips."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import nn

from domain_adaptation.data.clip_store import ClipStore
from domain_adaptation.data.splits import Split
from domain_adaptation.features import Features
from domain_adaptation.models.model_folder import Model
from domain_adaptation.training.clips import Clips, Rows, Settings, Training, train_on_clips
from domain_adaptation.training.losses import SupervisedLoss
from texturelib.learning.checkpoint import HasState
from texturelib.learning.loop import State


class Objective(HasState, Protocol):
    """A loss function of a training. It may learn as well; then its state is saved with the
    training."""

    def __call__(self, module: nn.Module, real: torch.Tensor, /) -> torch.Tensor:
        """Return the loss of a batch of real clips, a scalar.

        real: [batch, samples] int16. An objective with weights of its own learns only while the
        module is in training mode.
        """
        ...


@dataclass(frozen=True)
class RealClips:
    """Real clips without labels, and the recording each of them comes from.

    clips: [clips, samples] int16 at the features' sample rate. sources: [clips], the index of each
    clip's recording.
    """

    clips: Rows
    sources: np.ndarray
    split: Split


@dataclass(frozen=True)
class Problem:
    """A trained model, the clips it was trained on, and real clips without labels.

    model: the copy that is adapted. classifier: frozen, [batch, n_features] -> [batch, 1], the
    logit of "this is real"; None where the method needs none. Only the training part of the
    synthetic clips is used.
    """

    model: Model
    classifier: nn.Module | None
    synthetic: ClipStore
    truth: np.ndarray
    synthetic_split: Split
    real: RealClips
    supervised: SupervisedLoss
    folder: Path
    seed: int
    fabric: Fabric

    @property
    def features(self) -> Features:
        return self.model.spec.features

    @property
    def labelled(self) -> Clips:
        """The synthetic clips with their controls.

        Batches are clips [batch, samples] int16 and truth [batch, controls].
        """
        return Clips(self.synthetic_split["train"], self.synthetic, self.truth)

    def train(
        self,
        module: nn.Module,
        objective: Objective,
        settings: Settings,
        *,
        keeps_best: bool,
        n_clips: int | None = None,
        methods: tuple[str, ...] = (),
    ) -> State:
        """Train `module`, a part of the model, on the real clips.

        n_clips: number of clips in an epoch, drawn at random, as many of every recording; None
        takes each clip once.
        """
        train = self.real.split["train"]
        if n_clips is not None:
            train = _evenly(train, self.real.sources[train], n_clips)
        return train_on_clips(
            module,
            objective,
            Clips(train, self.real.clips),
            Clips(self.real.split["validation"], self.real.clips),
            Training(
                settings,
                self.folder,
                self.seed,
                "adaptation",
                keeps_best,
                objective,
                methods,
                clips_per_epoch=n_clips,
            ),
            self.fabric,
        )

    @torch.no_grad()
    def encoded_synthetic(self) -> torch.Tensor:
        """Return the encodings of the synthetic training clips, augmented once, by the encoder as
        it is.

        -> [clips, n_features]
        """
        encoder = self.model.extractor.encoder.eval().to(self.fabric.device)
        torch.manual_seed(self.seed)
        rows = self.synthetic_split["train"]
        batches = (
            torch.from_numpy(self.synthetic[rows[start : start + 256]])
            for start in range(0, len(rows), 256)
        )
        return torch.cat(
            [encoder(self.supervised.inputs(batch.to(self.fabric.device))) for batch in batches]
        )


def _evenly(rows: np.ndarray, sources: np.ndarray, n_rows: int) -> np.ndarray:
    """Return `rows` with those of short recordings repeated, until every recording has as many.

    Each row occurs at least once; there are at least `n_rows` in all.
    """
    names, counts = np.unique(sources, return_counts=True)
    n_each = max(counts.max(), -(-n_rows // len(names)))
    return np.concatenate([np.resize(rows[sources == name], n_each) for name in names])


class Stateless:
    """An objective without weights of its own, so without a state to save."""

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: Any) -> None:
        """Do nothing: there is no state to restore."""
