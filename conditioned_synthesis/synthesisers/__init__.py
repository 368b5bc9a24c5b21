"""The synthesisers. A new one is a new module here, and a new word for `synthesiser.type`."""

from conditioned_synthesis.synthesisers._base import (
    Graph,
    Player,
    Synthesiser,
    SynthesisNetwork,
    TrainedSynthesiser,
    TrainingSteps,
    synthesisers,
)

__all__ = [
    "Graph",
    "Player",
    "SynthesisNetwork",
    "Synthesiser",
    "TrainedSynthesiser",
    "TrainingSteps",
    "synthesisers",
]
