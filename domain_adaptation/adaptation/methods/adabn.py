"""Adaptive batch normalisation."""

from typing import TYPE_CHECKING, ClassVar, Literal

from domain_adaptation.adaptation.methods._base import methods
from texturelib.config import Config

if TYPE_CHECKING:
    from domain_adaptation.adaptation.task import Problem


@methods.register
class AdaBn(Config):
    """Every batch normalisation takes its mean and variance from the real clips; no weight changes.

    Y. Li et al., "Revisiting batch normalization for practical domain adaptation", ICLR workshop,
    2017.
    """

    needs_classifier: ClassVar[bool] = False
    reads_both: ClassVar[bool] = False

    type: Literal["adabn"] = "adabn"

    def adapt(self, problem: "Problem") -> None:
        import numpy as np
        import torch
        from torch.nn.modules.batchnorm import _BatchNorm

        extractor = problem.model.extractor
        momenta = {}
        for module in extractor.modules():
            if isinstance(module, _BatchNorm):
                momenta[module] = module.momentum
                module.reset_running_stats()
                module.momentum = None  # the plain mean over all batches
                module.train()
        rows = problem.real.split["train"]
        with torch.inference_mode():
            # Batches of one size, so that every clip counts as much as any other; a single clip
            # counts twice.
            rows = np.resize(rows, max(2, len(rows)))
            for batch in np.array_split(rows, -(-len(rows) // 128)):
                clips = torch.from_numpy(problem.real.clips[batch]).float()
                extractor(problem.features.compute(clips))
        for module, momentum in momenta.items():
            module.momentum = momentum
        extractor.eval()
