"""Families of small classes (engines, sources, features, ...), each found by one word in a config."""

import importlib
import pkgutil
from collections.abc import Iterable
from typing import Any, TypeVar

from pydantic import BaseModel, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

Member = TypeVar("Member", bound=type[BaseModel])


class Registry:
    """The members of one family.

    A member is a pydantic model with `type: Literal["its name"]`: its other fields are its settings in the config, and
    its methods do the work. A config field is written `engine: Annotated[Engine, engines]`. Registering is all that a
    new member needs: every module of `package` whose name does not start with an underscore is imported before the
    first look-up.
    """

    def __init__(self, package: str) -> None:
        self._package = package
        self._members: dict[str, type[BaseModel]] = {}

    def register(self, member: Member) -> Member:
        self._members[member.model_fields["type"].default] = member
        return member

    @property
    def models(self) -> Iterable[type[BaseModel]]:
        package = importlib.import_module(self._package)
        for module in pkgutil.iter_modules(package.__path__):
            if not module.name.startswith("_"):
                importlib.import_module(f"{self._package}.{module.name}")
        return [self._members[name] for name in sorted(self._members)]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        choices = {model.model_fields["type"].default: handler.generate_schema(model) for model in self.models}
        return core_schema.tagged_union_schema(choices, discriminator="type")
