"""The few exceptions that carry a sentence for a person. The command line prints it and picks
the exit status."""

from collections.abc import Sequence


class TextureError(Exception):
    """Something outside the program is wrong (a file, a folder, a disk). The message names it
    and says what would be right."""

    exit_status = 1


class UsageError(TextureError):
    """The command line or the config is wrong."""

    exit_status = 2


class ConfigError(UsageError):
    """A config does not fit its model. every: a sentence for each problem; the message is the
    most telling one."""

    def __init__(self, message: str, every: Sequence[str]) -> None:
        super().__init__(message)
        self.every = tuple(every)


class Rejected(Exception):  # noqa: N818 (an outcome, not an error)
    """One item of a job cannot be used. The job notes the reason in rejected.csv and goes on."""


def first_line(error: BaseException) -> str:
    """Return the first line of a library's error, for the end of a sentence; the error's type
    where it has no text."""
    return (str(error).splitlines() or [type(error).__name__])[0]
