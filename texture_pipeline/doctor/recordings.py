"""Check that recordings can be read, and how many segments they give."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from texture_pipeline.doctor.findings import Finding, refused
from texture_pipeline.doctor.plan import Plan
from texturelib.errors import TextureError
from texturelib.jobs import how_to_allow

_AREA = "data"
_LOOKING_SECONDS = 5.0  # for reading headers; then the rest is sampled


def look_at_recordings(plan: Plan, surveys: dict[Path, Any]) -> Iterator[Finding]:
    """Check the recordings. surveys: receives the results, see `Flow`. Recordings that do not
    exist yet, because they will be simulated or downloaded, are not checked."""
    from real_datasets.survey import survey

    for step in plan.running("build"):
        config: Any = step.job.config
        name = step.job.path.name
        if any(plan.will_make(path) for path in step.inputs.values()):
            yield Finding(_AREA, "ok", f"{name}: its recordings are yet to be made")
            continue
        if so_far := config.source.so_far():
            yield Finding(
                _AREA, "note", f"{name}: {so_far}; what is to come of the rest is not known"
            )
            try:
                config.source.check_keys()
            except TextureError as error:
                yield Finding(_AREA, "NO", f"{name}: {error}")
            continue
        if not all(path.exists() for path in step.inputs.values()):
            continue  # already reported
        try:
            found = surveys[step.folder] = survey(config, _LOOKING_SECONDS)
        except TextureError as error:
            yield from refused(_AREA, error)
            continue
        yield from _said_of(name, config, found)


def _said_of(name: str, config: Any, found: Any) -> Iterator[Finding]:
    """Yield the findings about a folder of recordings. found: a Survey."""
    headers = list(found.headers.values())
    looked = (
        "" if found.n_seen == found.n_recordings else f" (by {found.n_seen} that were looked at)"
    )
    yield Finding(
        _AREA, "ok", f"{name}: {found}{looked}; {found.n_left_out} left out by their tags"
    )
    unusable = found.n_unusable
    share = unusable / max(1, found.n_seen)
    examples = [f"{file}: {reason}" for file, reason in list(found.rejected.items())[:3]]
    if found.n_short:
        shortest = min(header.seconds for header in headers)
        examples.append(
            f"{found.n_short} are shorter than a segment of {config.seconds:g} s, the shortest {shortest:.2g} s"
        )
    if unusable == found.n_seen:
        yield Finding(
            _AREA,
            "NO",
            f"{name}: none of the recordings can be used ({'; '.join(examples)})",
            "name others",
        )
    elif share > config.max_rejected:
        words = f"{unusable} of {found.n_seen} recordings cannot be used ({'; '.join(examples)}), more than max_rejected = "
        yield Finding(
            _AREA,
            "NO",
            f"{name}: {words}{config.max_rejected:g} allows",
            how_to_allow(unusable, found.n_seen),
        )
    elif unusable:
        yield Finding(
            _AREA,
            "note",
            f"{name}: {unusable} of {found.n_seen} are left out ({'; '.join(examples)})",
        )
    if headers:
        seconds = sorted(header.seconds for header in headers)
        rates = Counter(header.sample_rate for header in headers)
        channels = Counter(header.n_channels for header in headers)
        yield Finding(
            _AREA,
            "ok",
            f"{name}: lengths {seconds[0]:.3g} to {seconds[-1]:.3g} s, half of them over {seconds[len(seconds) // 2]:.3g}; rates "
            f"{_counted(rates, 'Hz')}; channels {_counted(channels, '')}",
        )
        if (
            low := sum(count for rate, count in rates.items() if rate < config.sample_rate)
        ) and low < len(headers):
            yield Finding(
                _AREA,
                "note",
                f"{name}: {low} have a rate below {config.sample_rate} Hz, so their highs are missing",
            )
        if isinstance(config.channel, int) and (
            few := sum(n for count, n in channels.items() if count < config.channel)
        ):
            yield Finding(
                _AREA, "note", f"{name}: {few} have no channel {config.channel}, and are left out"
            )


def _counted(counts: Counter[int], unit: str) -> str:
    return ", ".join(
        f"{value}{f' {unit}' if unit else ''} ({count})" for value, count in counts.most_common(4)
    )
