"""Families of small classes (engines, sources, features, ...), each member named by one word in
a config."""

import functools
import importlib
import importlib.metadata
import pkgutil
import warnings
from collections.abc import Iterable
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticOmit, core_schema

from texturelib.errors import first_line

Member = TypeVar("Member", bound=type[BaseModel])


class Registry:
    """The members of one family.

    A member is a pydantic model with `type: Literal["its name"]`: its other fields are its settings
    in the config, and its methods do the work. A config field is written `engine: Annotated[Engine,
    engines]`. Registering is all that a new member needs: every module of `package` whose name does
    not start with an underscore is imported before the first look-up.

    Installed packages add members through entry points (plug-ins): the group is
    `texture_toolkit.FAMILY`, where FAMILY is the last word of `package`; the entry's name is the
    member's word, and its value is the class. A plug-in that does not import costs nothing until
    its word is used; that is then an error which names it.
    """

    def __init__(self, package: str) -> None:
        self._package = package
        self._members: dict[str, type[BaseModel]] = {}
        self._broken: dict[str, str] = {}

    def register(self, member: Member) -> Member:
        """Add a member. Errors: ValueError when another member has that word already."""
        name = member.model_fields["type"].default
        if self._members.setdefault(name, member) is not member:
            raise ValueError(
                f'"{name}" is the word for {self._members[name].__qualname__} already; choose another'
            )
        return member

    @property
    def models(self) -> Iterable[type[BaseModel]]:
        """All members, sorted by their words. Plug-ins that do not import are left out."""
        package = importlib.import_module(self._package)
        for module in pkgutil.iter_modules(package.__path__):
            if not module.name.startswith("_"):
                importlib.import_module(f"{self._package}.{module.name}")
        for entry in _plug_ins(self._package.rpartition(".")[2]):
            self._add(entry)
        return [self._members[name] for name in sorted(self._members)]

    def _add(self, entry: importlib.metadata.EntryPoint) -> None:
        if entry.name in self._broken:
            return
        package = f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.value
        try:
            member = entry.load()
            self.register(_checked(member, entry.name))
        except Exception as error:  # a plug-in may raise anything
            reason = f"{type(error).__name__}: {first_line(error)}"
            if entry.name in self._members:
                warnings.warn(
                    f"the plug-in {entry.value} of {package} is left out ({reason})", stacklevel=2
                )
            self._broken[entry.name] = (
                f'type: the plug-in "{entry.name}" of {package} cannot be used ({reason})'
            )

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        choices = {
            model.model_fields["type"].default: handler.generate_schema(model)
            for model in self.models
        }
        broken = {name: _refusing(reason) for name, reason in self._broken.items()}
        return core_schema.tagged_union_schema(broken | choices, discriminator="type")


@functools.cache
def _plug_ins(family: str) -> importlib.metadata.EntryPoints:
    return importlib.metadata.entry_points(group=f"texture_toolkit.{family}")


def _checked(member: Any, name: str) -> type[BaseModel]:
    """Return the member if it is right. Errors: TypeError unless it is a pydantic model whose
    `type` is `name`."""
    if not (isinstance(member, type) and issubclass(member, BaseModel)):
        raise TypeError(f"{member!r} should be a pydantic model")
    word = member.model_fields["type"].default if "type" in member.model_fields else None
    if word != name:
        raise TypeError(f'its field type should be Literal["{name}"] = "{name}"')
    return member


def _refusing(reason: str) -> CoreSchema:
    """Return the schema of a word that no config may use. It is left out of JSON schemas."""

    def refuse(_: Any) -> NoReturn:
        raise ValueError(reason)

    def omit(_: CoreSchema, __: Any) -> NoReturn:
        raise PydanticOmit

    return core_schema.no_info_plain_validator_function(
        refuse, metadata={"pydantic_js_functions": [omit]}
    )
