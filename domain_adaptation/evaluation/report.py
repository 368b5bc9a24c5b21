"""The results of an evaluation as a table, a report and plots."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from domain_adaptation.evaluation.laws import law_slopes
from domain_adaptation.models.model_folder import ModelSpec
from texturelib.files import write_table, write_text
from texturelib.markdown import plain
from texturelib.pictures import BLUE, GREY, ORANGE, panels, save_picture

SIMULATED, SLOW_DOWN = "simulated recordings", "slow-down"
_COLOURS = (BLUE, "#2f855a", "#805ad5", "#b83280", "#4a5568", "#975a16", "#319795")
ORACLE, THE_MEAN = "oracle", "always the mean"


def write_report(folder: Path, rows: Sequence[Mapping[str, Any]], spec: ModelSpec) -> None:
    """Write results.csv (a row per variant, method, seed and recording), report.md and pictures."""
    table = pd.DataFrame(rows)
    for column in ("failed", "is_kept", "law_broken", "error", "inside"):
        if column not in table:
            table[column] = np.nan
    write_table(folder / "results.csv", table)
    parts = ["# Evaluation", ""]
    simulated = table.loc[table["measure"] == SIMULATED]
    if len(simulated):
        parts += _simulated(simulated, spec)
        _error_picture(folder / "simulated_recordings.png", simulated, spec)
    slow = table.loc[table["measure"] == SLOW_DOWN]
    if len(slow):
        parts += _slow_down(slow, spec)
        parts += _mixing(slow, spec)
        _slope_picture(folder / "slow_down.png", slow, spec)
    write_text(folder / "report.md", "\n".join(parts) + "\n")


def _simulated(table: pd.DataFrame, spec: ModelSpec) -> list[str]:
    """Return Markdown: mean absolute errors over seeds, and the share of the gap that each method
    closes."""
    lines = [
        "## Simulated recordings",
        "",
        f"Mean absolute error against the hidden controls, mean over {table['seed'].nunique()} seeds (their standard deviation). "
        "Against none: the change of the control that fares worst. Gap closed: of the way from no adaptation to the oracle, "
        "which went on learning from the truth of half of the recordings and is scored on the other half, of the same places. "
        "Kept: how often the rule, which sees no truth, keeps the adapted extractor; laws missed by: the slopes that it looks "
        "at. These recordings were made by the engine that the extractor learnt from, with other held-fixed parameters, in "
        "simulated rooms: errors on real ones may be larger.",
        "",
        f"| synthetic clips | method | {' | '.join(spec.names)} | mean | against none | gap closed | within 0..1 | "
        "laws missed by | kept |",
        "|" + "---|" * (len(spec.names) + 8),
    ]
    columns = [f"error_{name}" for name in spec.names]
    for key, group in table.groupby(["variant", "method"], sort=False):
        variant, method = cast("tuple[str, str]", key)
        if group["error"].isna().all():
            lines.append(
                f"| {variant} | {method} | failed: {plain(str(group['failed'].iloc[0]))} |"
                + " |" * (len(columns) + 6)
            )
            continue
        none, oracle = (
            table.loc[
                (table["variant"] == variant) & (table["method"] == other), [*columns, "error"]
            ].mean()
            for other in ("none", ORACLE)
        )
        found = group[[*columns, "error"]].mean()
        gap = none["error"] - oracle["error"]
        is_method = method not in (ORACLE, THE_MEAN, "none")
        closed = (none["error"] - found["error"]) / gap if is_method and gap > 0 else np.nan
        worst = (found[columns] / none[columns] - 1).max() if is_method else np.nan
        lines.append(
            f"| {variant} | {method} | {' | '.join(f'{found[column]:.4f}' for column in columns)} "
            f"| {found['error']:.4f} ({group['error'].std(ddof=0):.4f}) | {_change(worst)} | {_percent(closed)} "
            f"| {_percent(group['inside'].mean())} | {_number(group['law_broken'])} | {_share(group)} |"
        )
    return [*lines, "", *_choice(table)]


def _choice(table: pd.DataFrame) -> list[str]:
    """Return Markdown: the method that the acceptance rule would choose, without any true control.

    Of the methods that it kept with every seed, it is the one whose labels miss the laws by least.
    """
    tried = table.loc[table["law_broken"].notna() & (table["variant"] == table["variant"].iloc[0])]
    missed = {
        str(method): float(group["law_broken"].astype(float).mean())
        for method, group in tried.groupby("method")
        if group["is_kept"].astype(bool).all()
    }
    if not missed:
        return []
    return [
        f"By the rule, without truth, `{min(missed, key=lambda method: missed[method])}` would be taken.",
        "",
    ]


def _slow_down(table: pd.DataFrame, spec: ModelSpec) -> list[str]:
    """Return Markdown: slopes by recording, each held out of training, over seeds."""
    wanted = law_slopes(spec)
    lines = [
        "## The slow-down test",
        "",
        f"Slope of the mean label per unit of ln(slow-down), mean over {table['seed'].nunique()} seeds (lowest .. highest). Each "
        "recording is held out of training when it is measured. Wanted: "
        + ", ".join(f"{name} {slope:+.3f}" for name, slope in wanted.items())
        + ". The sound's change: of its mean spectrum, from the highest speed to the lowest, but for level and tilt; where it is "
        "small, there is little to hear sizes by.",
        "",
        f"| recording | sound's change, dB | method | {' | '.join(wanted)} | deviation of labels | within 0..1 | kept |",
        "|" + "---|" * (len(wanted) + 6),
    ]
    for key, group in table.groupby(["recording", "method"], sort=True):
        recording, method = cast("tuple[str, str]", key)
        name = plain(recording)
        if (
            f"slope_{next(iter(wanted), '')}" not in group
            or group[f"slope_{next(iter(wanted))}"].isna().all()
        ):
            lines.append(
                f"| {name} | | {method} | failed: {plain(str(group['failed'].iloc[0]))} |"
                + " |" * (len(wanted) + 2)
            )
            continue
        slopes = [_slope(group[f"slope_{name}"]) for name in wanted]
        deviation = np.mean([group[f"deviation_{name}"].mean() for name in spec.names])
        lines.append(
            f"| {name} | {_number(group['change_db'], 1)} | {method} | {' | '.join(slopes)} | {deviation:.3f} "
            f"| {_percent(group['inside'].mean())} | {_share(group)} |"
        )
    return [*lines, ""]


def _mixing(table: pd.DataFrame, spec: ModelSpec) -> list[str]:
    """Return Markdown: slopes by recording when several moments of it are added, over seeds."""
    wanted = law_slopes(spec, "mixing")
    columns = [f"mixing_{name}" for name in wanted]
    measured = table.dropna(subset=[name for name in columns if name in table])
    if not wanted or columns[0] not in table or measured.empty:
        return []
    lines = [
        "## The mixing test",
        "",
        "Slope of the mean label per unit of ln(layers), mean over seeds (lowest .. highest): so many moments of a recording, "
        "added, are that many times as many events. Wanted: "
        + ", ".join(f"{name} {slope:+.3f}" for name, slope in wanted.items())
        + ". Where single events can no longer be heard, more of them sound the same, and a rate cannot follow.",
        "",
        f"| recording | method | {' | '.join(wanted)} |",
        "|" + "---|" * (len(wanted) + 2),
    ]
    for key, group in measured.groupby(["recording", "method"], sort=True):
        recording, method = cast("tuple[str, str]", key)
        slopes = " | ".join(_slope(group[column]) for column in columns)
        lines.append(f"| {plain(recording)} | {method} | {slopes} |")
    return [*lines, ""]


def _slope(values: pd.Series) -> str:
    return f"{values.mean():+.3f} ({values.min():+.3f} .. {values.max():+.3f})"


def _percent(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.1%}"


def _change(value: float) -> str:
    return "" if np.isnan(value) else f"{value:+.0%}"


def _number(values: pd.Series, n_digits: int = 4) -> str:
    return "" if values.isna().all() else f"{values.astype(float).mean():.{n_digits}f}"


def _share(group: pd.DataFrame) -> str:
    kept = group["is_kept"].dropna()
    return f"{int(kept.sum())} of {len(kept)}" if len(kept) else ""


def _error_picture(path: Path, table: pd.DataFrame, spec: ModelSpec) -> None:
    figure, axes = panels(len(spec.names) + 1, 3.0, 3.2)
    order = list(dict.fromkeys(zip(table["variant"], table["method"], strict=True)))
    labels = [
        method if variant == order[0][0] else f"{method} ({variant.replace('_', ' ')})"
        for variant, method in order
    ]
    for axis, column in zip(
        axes, ["error", *(f"error_{name}" for name in spec.names)], strict=False
    ):
        groups = [
            table[(table["variant"] == variant) & (table["method"] == method)][column]
            for variant, method in order
        ]
        colours = [GREY if method in (ORACLE, THE_MEAN) else BLUE for _, method in order]
        axis.barh(range(len(order)), [group.mean() for group in groups], color=colours)
        for place, group in enumerate(groups):
            axis.plot(group, [place] * len(group), "|", color=ORANGE, markersize=8)
        axis.set(
            xlabel="error, mean" if column == "error" else column.removeprefix("error_"),
            ylim=(len(order) - 0.5, -0.5),
        )
        axis.set_yticks(
            range(len(order)),
            labels if axis in (axes[0], axes[4 if len(axes) > 4 else 0]) else [""] * len(order),
        )
    save_picture(figure, path)


def _slope_picture(path: Path, table: pd.DataFrame, spec: ModelSpec) -> None:
    wanted = law_slopes(spec)
    figure, axes = panels(len(wanted), 3.4, 3.2)
    recordings, methods = sorted(table["recording"].unique()), list(dict.fromkeys(table["method"]))
    for index, (axis, (name, slope)) in enumerate(zip(axes, wanted.items(), strict=False)):
        axis.axvline(slope, color=ORANGE, label="by the law")
        axis.axvline(0, color=GREY, linewidth=0.5)
        for number, method in enumerate(methods):
            found = table[table["method"] == method]
            heights = [
                recordings.index(recording) + 0.6 * (number + 0.5) / len(methods) - 0.3
                for recording in found["recording"]
            ]
            axis.plot(
                found[f"slope_{name}"],
                heights,
                "o",
                markersize=4,
                color=_COLOURS[number % len(_COLOURS)],
                label=method,
            )
        axis.set_yticks(
            range(len(recordings)), recordings if index == 0 else [""] * len(recordings)
        )
        axis.set(xlabel=f"slope of {name}")
        axis.locator_params(axis="x", nbins=4)
    figure.legend(
        *axes[0].get_legend_handles_labels(),
        loc="outside upper center",
        ncols=8,
        frameon=False,
        fontsize=8,
    )
    save_picture(figure, path)
