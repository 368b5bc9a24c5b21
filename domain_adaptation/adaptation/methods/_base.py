"""The interface of an adaptation method."""

from typing import TYPE_CHECKING, ClassVar, Protocol

from texturelib.registry import Registry

if TYPE_CHECKING:
    from domain_adaptation.adaptation.task import Problem
    from texturelib.learning.loop import State

methods = Registry("domain_adaptation.adaptation.methods")


class Method(Protocol):
    """A method of adaptation: a pydantic model whose fields are its settings."""

    type: str

    needs_classifier: ClassVar[bool]
    """Whether the method needs the classifier of `train-classifier`."""

    reads_both: ClassVar[bool]
    """Whether the adapted extractor should still read synthetic clips, because it went on learning
    from them."""

    def adapt(self, problem: "Problem") -> "State | None":
        """Change `problem.model` in place, and return how the training went, None where there was
        none."""
        ...
