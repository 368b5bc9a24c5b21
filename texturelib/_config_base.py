"""The base class of every part of a config. It is apart from `config` because executors are
parts of configs, too."""

from pydantic import BaseModel, ConfigDict

COMMENT = "//"
"""How a key begins that is a comment for readers; the toolkit leaves it out."""


class Config(BaseModel):
    """The base class of every part of a config: unknown keys are errors, values cannot be
    changed after loading."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        allow_inf_nan=False,
        json_schema_extra={"patternProperties": {f"^{COMMENT}": {}}},
    )
