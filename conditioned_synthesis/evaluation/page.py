"""The evaluation page, one static page. It needs no network, no server and no scripts."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conditioned_synthesis.config import Evaluate
from conditioned_synthesis.evaluation.control_metrics import Following
from conditioned_synthesis.evaluation.render import Place
from texturelib.evenly import evenly_spread
from texturelib.files import link_or_copy
from texturelib.pages import write_page

if TYPE_CHECKING:
    from conditioned_synthesis.evaluation.results import Evaluation, Measured

_CLIPS_SHOWN = 4
_ENDS = ("lowest", "middle", "highest")
_FOLLOWS, _FOLLOWS_SOMEWHAT = 0.8, 0.5  # rank correlations
_FAR_OFF = 0.25  # of the slider: always to play its middle would be no further off
_WHAT = {
    "synthesiser": "as it was trained",
    "linearised": "the same, with linear sliders",
    "untrained": "the same network, with the weights that it began with",
    "labels shuffled": "the same network, trained on the same clips, each with another’s labels",
    "held-out clips": "real clips that the training did not hear",
    "real halves": "one half of these clips, from the other half",
    "white noise": "as loud as the clips",
}


def choose_sounds(
    played: Path,
    folder: Path,
    found: "Evaluation",
    places: Mapping[str, Mapping[str, Place]],
    held: Mapping[str, Mapping[str, float]],
) -> dict[str, Any]:
    """Copy a few of the sounds in `played` into `folder`, which lies beside the page, and return
    their addresses.

    places: by synthesiser, its grid. held: by name of a sound with a held-out clip's controls,
    these.
    """
    numbers = {each.name: number for number, each in enumerate(found.measured, 1)}

    def address(synthesiser: str, sound: str) -> str:
        # Numbered: a page's links should not depend on what things are called.
        name = f"{numbers[synthesiser]}_{sound}.wav"
        link_or_copy(played / synthesiser / f"{sound}.wav", folder / name)
        return f"{folder.name}/{name}"

    by_control = {}
    for control in found.controls:
        rows = []
        for synthesiser, grid in places.items():
            of_control = {
                key: place.value
                for key, place in grid.items()
                if place.control == control.name and place.seed == 1
            }
            keys = sorted(of_control, key=lambda key: of_control[key])
            if keys:
                chosen = [keys[index] for index in (0, (len(keys) - 1) // 2, len(keys) - 1)]
                rows.append((synthesiser, [address(synthesiser, key) for key in chosen]))
        by_control[control.name] = rows
    names = [list(held)[index] for index in evenly_spread(len(held), _CLIPS_SHOWN)]
    of_clips = [
        (synthesiser, [address(synthesiser, name) for name in names])
        for synthesiser in ("held-out clips", *places)
    ]
    return {
        "by_control": by_control,
        "ends": _ENDS,
        "with_controls_of_clips": of_clips,
        "clips": [held[name] for name in names],
    }


def write_evaluation_page(
    path: Path,
    found: "Evaluation",
    sounds: Mapping[str, Any],
    *,
    has_plot: bool,
    settings: Evaluate,
) -> None:
    """Write the evaluation page.

    It shows target_measured.png where `has_plot`, and the sounds; both must lie beside it.
    """
    write_page(
        path,
        "conditioned_synthesis",
        "evaluation.html",
        verdicts=[_verdict(control.name, found) for control in found.controls],
        following=[
            (control.name, _following_rows(control.name, found)) for control in found.controls
        ],
        rows=[_row(each) for each in found.measured],
        what=_WHAT,
        found=found,
        sounds=sounds,
        has_plot=has_plot,
        has_both=len(found.read_by) > 1,
        has_embedding=settings.embedding is not None,
        settings=settings,
    )


def _verdict(control: str, found: "Evaluation") -> dict[str, str]:
    """Return, in plain words, how well the synthesiser follows a control, compared with the one
    trained on shuffled labels: as the labeller reads it, or else by its law."""
    for reader in found.read_by:
        of = {each.name: each.following.get(reader, {}).get(control) for each in found.measured}
        own, twin = of["synthesiser"], of.get("labels shuffled")
        if own is not None and math.isfinite(own.error):
            break
    else:
        readers = " and ".join(found.read_by)
        verb = "do" if len(found.read_by) > 1 else "does"
        return {"control": control, "word": "not measured", "text": f"{readers} {verb} not read it"}
    rho = own.rho if math.isfinite(own.rho) else 0.0
    word = (
        "followed" if rho >= _FOLLOWS
        else "followed somewhat" if rho >= _FOLLOWS_SOMEWHAT
        else "backwards" if rho <= -_FOLLOWS_SOMEWHAT
        else "not followed"
    )  # fmt: skip
    if "followed" in word and rho >= _FOLLOWS_SOMEWHAT and own.error > _FAR_OFF:
        word += ", but far off"
    text = f"rank correlation {_signed(own.rho)}, {_hundredths(own.error)} of the slider off"
    if twin and math.isfinite(twin.error):
        text += f"; trained on shuffled labels {_signed(twin.rho)}, {_hundredths(twin.error)} off"
    by_law = found.measured[0].following.get(found.law or "", {}).get(control)
    if reader != found.law and by_law and math.isfinite(by_law.error):
        text += f"; by the law {_signed(by_law.rho)}, {_hundredths(by_law.error)} off"
    return {"control": control, "word": word, "text": text}


def _following_rows(control: str, found: "Evaluation") -> list[dict[str, str]]:
    rows = []
    for each in found.measured:
        own, law = (
            each.following.get(reader, {}).get(control)
            for reader in (found.read_by[0], found.read_by[-1])
        )
        held_out = each.held_out.get(found.read_by[0], {}).get(control, math.nan)
        if own is None and law is None and not math.isfinite(held_out):
            continue
        rows.append(
            {
                "name": each.name,
                "rho": _signed(own.rho) if own else "–",
                "error": _hundredths(own.error) if own else "–",
                "r2": _hundredths(own.r2) if own else "–",
                "leakage": _leaks(own),
                "held_out": _hundredths(held_out),
                "law_rho": _signed(law.rho) if law else "–",
                "law_error": _hundredths(law.error) if law else "–",
                "law_leakage": _leaks(law),
                "level_off": _signed(each.level_off.get(control, math.nan), 1),
            }
        )
    return rows


def _leaks(found: Following | None) -> str:
    return (
        f"{_hundredths(found.leakage)} into {found.leaks_into}"
        if found and found.leaks_into
        else "–"
    )


def _row(each: "Measured") -> dict[str, str]:
    factor = each.real_time_factor
    speed = (
        "–"
        if not math.isfinite(factor)
        else f"{factor:.0f} ×"
        if factor >= 10
        else f"{factor:.2g} ×"
    )
    louder = _signed(each.louder, 1)
    return {"name": each.name, "speed": speed, "louder": louder} | {
        key: _hundredths(value) for key, value in each.real._asdict().items()
    }


def _hundredths(value: float) -> str:
    return f"{value:.2f}" if math.isfinite(value) else "–"


def _signed(value: float, places: int = 2) -> str:
    """Return a number with its sign and so many decimals, as text.

    >>> _signed(0.456), _signed(-0.5), _signed(-0.5, 1)
    ('+0.46', '−0.50', '−0.5')
    """
    return f"{value:+.{places}f}".replace("-", "−") if math.isfinite(value) else "–"
