"""Which recordings a config takes, from their metadata alone."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from real_datasets.config import RealConfig
from real_datasets.sources import Recording
from texturelib.errors import TextureError

if TYPE_CHECKING:
    import pandas as pd

TAG_SEPARATOR = ";"  # in tables; tags of AudioSet have commas in them


@dataclass(frozen=True)
class Choice:
    """The recordings that a config takes. recordings: all of the source's. left_out: by name of
    each one that is not taken, why not."""

    recordings: list[Recording]
    left_out: dict[str, str]

    @property
    def kept(self) -> list[Recording]:
        return [recording for recording in self.recordings if recording.name not in self.left_out]

    def table(self) -> "pd.DataFrame":
        """Return a row per recording: source (its name), kept ("yes", "no"), why_not, tags, and
        what else its source says of it."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "source": recording.name,
                    "kept": "no" if recording.name in self.left_out else "yes",
                    "why_not": self.left_out.get(recording.name, ""),
                    "tags": TAG_SEPARATOR.join(recording.tags),
                    "split": recording.split,
                    "licence": recording.licence,
                    "author": recording.author,
                    "title": recording.title,
                    "url": recording.url,
                    "gen_ai_preference": recording.gen_ai_preference,
                }
                for recording in self.recordings
            ]
        )


def choose(config: RealConfig) -> Choice:
    """Choose the recordings that the config's tags want. Errors: TextureError when no recording is
    left, and as the source's `recordings` and the policy's `choose`."""
    recordings = list(config.source.recordings())
    kept, left_out = config.tags.choose(recordings, config.source.has_open_vocabulary)
    if not kept:
        name, reason = next(iter(left_out.items()))
        raise TextureError(
            f"tags: none of the {len(recordings)} recordings is wanted (the first: {name}: {reason})"
        )
    return Choice(recordings, left_out)
