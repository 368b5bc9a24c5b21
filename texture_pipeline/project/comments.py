"""Comments in a config: above each key, the first sentence of its description."""

import json
import re
from typing import Any

from pydantic import BaseModel

from texturelib.config import COMMENT

# A list of numbers or words, which json writes with each on a line of its own.
_FLAT_LIST = re.compile(r"\[\s+([^\[\]{}]*?)\s+\]")


def with_comments(content: dict[str, Any], config: BaseModel) -> dict[str, Any]:
    """Return the content of a config file with a comment above each key. config: the same, loaded.

    >>> from pydantic import Field
    >>> class Example(BaseModel):
    ...     seed: int = Field(description="Seed of the random draws. The same seed gives the same sounds.")
    >>> with_comments({"seed": 1}, Example(seed=1))
    {'// seed': 'Seed of the random draws.', 'seed': 1}
    """
    fields = type(config).model_fields
    found: dict[str, Any] = {}
    for key, value in content.items():
        field = fields.get(key)
        if field and field.description:
            found[f"{COMMENT} {key}"] = _first_sentence(field.description)
        part = getattr(config, key, None)
        if isinstance(value, dict) and isinstance(part, BaseModel):
            value = with_comments(value, part)
        found[key] = value
    return found


def as_text(content: dict[str, Any]) -> str:
    """Return JSON for people, with short lists on one line.

    >>> print(as_text({"size": [0.5, 2.0]}), end="")
    {
      "size": [0.5, 2.0]
    }
    """
    text = json.dumps(content, indent=2, ensure_ascii=False)
    return _FLAT_LIST.sub(lambda found: f"[{' '.join(found[1].split())}]", text) + "\n"


def _first_sentence(description: str) -> str:
    text = " ".join(description.split())
    end = re.search(r"[.;](?= |$)", text)
    return text[: end.start()] + "." if end else text
