"""The results of the checks, as a report for a person or for a program."""

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from texturelib.errors import ConfigError, TextureError, UsageError

Level = Literal["ok", "note", "NO"]

_WIDTH = 130
# Names are never broken, so that they can be copied.
_UNBROKEN: dict[str, Any] = {"break_long_words": False, "break_on_hyphens": False}


@dataclass(frozen=True)
class Finding:
    """The result of one check. found: one sentence. mend: for a NO, what to do, where the
    sentence does not say so itself. is_config: whether the config is wrong."""

    area: str
    level: Level
    found: str
    mend: str = ""
    is_config: bool = False

    def __str__(self) -> str:
        words = self.found + (f": {self.mend}" if self.mend else "")
        return textwrap.fill(
            words,
            _WIDTH,
            initial_indent=f"  {self.level:<4}  ",
            subsequent_indent=" " * 8,
            **_UNBROKEN,
        )


def refused(area: str, error: TextureError, mend: str = "") -> list[Finding]:
    """Return the findings for an error with which a command would end; for a config, one for
    everything that is wrong with it."""
    every = error.every if isinstance(error, ConfigError) else [str(error)]
    return [Finding(area, "NO", each, mend, isinstance(error, UsageError)) for each in every]


@dataclass
class Report:
    """All results. findings: in the order in which they are shown. details: for programs, by
    name."""

    findings: list[Finding] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)

    def add(self, found: Iterable[Finding]) -> None:
        """Add a finding, unless an earlier one says the same or more."""
        for finding in found:
            if finding.level != "NO" or all(
                finding.found not in other.found for other in self.to_mend
            ):
                self.findings.append(finding)

    @property
    def to_mend(self) -> Sequence[Finding]:
        return [finding for finding in self.findings if finding.level == "NO"]

    @property
    def exit_status(self) -> int:
        """The exit status: 0: everything is right. 2: the config is wrong. 1: something else is
        wrong."""
        if not self.to_mend:
            return 0
        return 2 if any(finding.is_config for finding in self.to_mend) else 1

    @property
    def verdict(self) -> str:
        n = len(self.to_mend)
        return "go" if not n else f"no: {n} thing{'s' if n > 1 else ''} to mend"

    def text(self) -> str:
        areas = dict.fromkeys(finding.area for finding in self.findings)
        blocks = [
            "\n".join([area, *(str(each) for each in self.findings if each.area == area)])
            for area in areas
        ]
        return "\n\n".join([*blocks, self.verdict])

    def as_json(self) -> dict[str, Any]:
        return {
            "go": not self.to_mend,
            "verdict": self.verdict,
            "findings": [asdict(finding) for finding in self.findings],
            **self.details,
        }
