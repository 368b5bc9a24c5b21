"""Executors as named on command lines."""

from typing import Annotated

from pydantic import TypeAdapter, ValidationError

from texturelib.errors import UsageError
from texturelib.executors._base import Executor, executors


def executor_named(text: str) -> Executor:
    """Return the executor that a text names: a type, or "type=address". Errors: UsageError.

    >>> executor_named("dask=tcp://10.0.0.7:8786").model_dump()
    {'type': 'dask', 'address': 'tcp://10.0.0.7:8786', 'workers': None}
    """
    name, equals, address = text.partition("=")
    settings = {"type": name} | ({"address": address} if equals else {})
    try:
        return TypeAdapter(Annotated[Executor, executors]).validate_python(settings)
    except ValidationError:
        names = ", ".join(model.model_fields["type"].default for model in executors.models)
        raise UsageError(
            f"--executor {text}: should be one of {names}, or that of a cluster, as in dask=tcp://host:8786"
        ) from None
