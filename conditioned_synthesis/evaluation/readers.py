"""Who reads the controls from sounds: the labeller of the config, the laws, or both."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from conditioned_synthesis.data.clips import Sounds
from conditioned_synthesis.evaluation.labeller import Labeller
from conditioned_synthesis.evaluation.law_labeller import law_labeller
from texturelib.controls import Control
from texturelib.errors import UsageError


@dataclass(frozen=True)
class Readers:
    """Readers of controls. labeller: the config's, a network. law: see `law_labeller`; None where
    it reads nothing. One of both is there. notes: sentences about them."""

    labeller: Labeller | None
    law: Labeller | None
    notes: list[str]

    @classmethod
    def of(
        cls,
        labeller: Labeller | None,
        sounds: Sounds,
        trained: np.ndarray,
        highest_hz: float | None,
        seconds: float,
        key: str,
    ) -> "Readers":
        """Return the readers of sounds of a length that the config sets under `key`.

        Args:
            labeller: the config's.
            sounds: what the synthesiser learnt from.
            trained: rows of the clips that the training heard, by which the laws are calibrated.
            highest_hz: see `law_labeller`.

        Errors: UsageError when nothing reads any of the controls, or longer sounds only.
        """
        notes = labeller.check(sounds.controls, seconds, key) if labeller else []
        law, of_law = law_labeller(sounds, trained, highest_hz)
        if not labeller:
            if not law.controls:
                raise UsageError(_nothing(sounds.controls, of_law))
            notes += law.check(sounds.controls, seconds, key)
        is_read = bool(law.controls) and seconds >= law.seconds
        return cls(labeller, law if is_read else None, notes + of_law)

    @property
    def first(self) -> Labeller:
        """The labeller, or the law where there is none."""
        found = self.labeller or self.law
        assert found
        return found


def _nothing(controls: Sequence[Control], notes: Sequence[str]) -> str:
    names = ", ".join(control.name for control in controls) or "no controls"
    why = notes[0] if notes else "none of them has a law in its description"
    return f"labeller: names none, and by the laws none of {names} can be read ({why}); name a model folder of domain-adaptation"
