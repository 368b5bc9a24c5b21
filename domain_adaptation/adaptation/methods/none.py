"""No adaptation."""

from typing import TYPE_CHECKING, ClassVar, Literal

from domain_adaptation.adaptation.methods._base import methods
from texturelib.config import Config

if TYPE_CHECKING:
    from domain_adaptation.adaptation.task import Problem


@methods.register
class NoAdaptation(Config):
    """The extractor as it was trained, without adaptation."""

    needs_classifier: ClassVar[bool] = False
    reads_both: ClassVar[bool] = True

    type: Literal["none"] = "none"

    def adapt(self, problem: "Problem") -> None:
        return None
