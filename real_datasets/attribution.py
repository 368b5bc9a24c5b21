"""ATTRIBUTION.md: the authors and licences of the recordings in a set, which most licences
require."""

import re
from collections.abc import Sequence
from itertools import groupby

from real_datasets.sources import Recording
from texturelib.markdown import plain


def attribution(recordings: Sequence[Recording]) -> str:
    """Return the text of ATTRIBUTION.md, by licence. recordings: all that the set has segments
    of."""
    lines = [
        "# Attribution",
        "",
        f"The clips of this set were cut from {len(recordings)} recordings.",
    ]
    in_order = sorted(
        recordings,
        key=lambda recording: (recording.licence == "", recording.licence, recording.name),
    )
    for licence, group in groupby(in_order, key=lambda recording: recording.licence):
        lines += ["", f"## {plain(licence) or 'No licence known'}", ""]
        lines += [f"- {_one(recording)}" for recording in group]
    return "\n".join(lines) + "\n"


def _one(recording: Recording) -> str:
    title = plain(recording.title) or plain(recording.name)
    is_link = (
        recording.url.isprintable()
        and re.fullmatch(r"https?://[^\s<>()\\]+", recording.url) is not None
    )
    what = f"[{title}]({recording.url})" if is_link else title
    who = f" by {plain(recording.author)}" if recording.author else ""
    name = f" ({plain(recording.name)})" if recording.title else ""
    wish = (
        f"; wish about generative AI: {plain(recording.gen_ai_preference)}"
        if recording.gen_ai_preference
        else ""
    )
    return f"{what}{who}{name}{wish}"
