"""Text of `real-datasets plan`: which recordings a config would take."""

import re
from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType

from real_datasets.choose import Choice
from texturelib.jobs import how_to_allow

_MOST_LINES = 12


def describe(
    choice: Choice, missing: Mapping[str, str] = MappingProxyType({}), max_rejected: float = 1.0
) -> str:
    """Return lines of text: how many recordings are taken and why the others are not, and the tags,
    parts and licences of those taken.

    missing: by name of those taken whose file is not there, the reason. max_rejected: the share of
    them that a build allows.
    """
    kept = choice.kept
    lines = [f"{len(kept)} of {len(choice.recordings)} recordings are taken"]
    # "has Rain, which is excluded" is a reason by itself; where a recording's own tags are listed,
    # they are not.
    reasons = Counter(
        re.sub(r"^also has .*", "also has other tags", reason)
        for reason in choice.left_out.values()
    )
    lines += _block("left out", reasons)
    lines += _block(
        "tags of those taken", Counter(tag for recording in kept for tag in recording.tags)
    )
    lines += _block(
        "parts of the source", Counter(recording.split for recording in kept if recording.split)
    )
    lines += _block(
        "licences", Counter(recording.licence for recording in kept if recording.licence)
    )
    wishes = Counter(
        recording.gen_ai_preference for recording in kept if recording.gen_ai_preference
    )
    lines += _block(
        "gen_ai_preference, what uploaders wish about the training of generative models", wishes
    )
    if missing:
        lines += ["", _told_of_missing(len(kept), missing, max_rejected)]
    return "\n".join(lines)


def _told_of_missing(n_taken: int, missing: Mapping[str, str], max_rejected: float) -> str:
    counted = f"the files of {len(missing)} of those taken are not there (the first: {next(iter(missing.values()))})"
    if len(missing) / n_taken <= max_rejected:
        return f"{counted}: they will be left out"
    return f"{counted}: more than max_rejected = {max_rejected:g} allows, so a build stops; {how_to_allow(len(missing), n_taken)}"


def _block(title: str, counts: Counter[str]) -> list[str]:
    if not counts:
        return []
    lines = [f"  {count:>7}  {what}" for what, count in counts.most_common(_MOST_LINES)]
    more = [f"  {'...':>7}  {len(counts) - _MOST_LINES} more"] if len(counts) > _MOST_LINES else []
    return ["", f"{title}:", *lines, *more]
