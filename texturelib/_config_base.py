"""The base of every part of a config. Apart from the rest of `config`, since executors are parts of
one too."""

from pydantic import BaseModel, ConfigDict


class Config(BaseModel):
    """Base of every part of a config: unknown keys are errors, values cannot be changed
    afterwards."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False
    )
