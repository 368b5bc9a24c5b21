"""Convert checkpoints from before stages 3 and 4 shared one training loop: those had one
optimiser and one process."""

from collections.abc import Mapping, Sequence
from typing import Any


def upgraded(
    content: Mapping[str, Any],
    groups: Sequence[str],
    also_saved: Sequence[str],
    steps_per_epoch: int,
) -> Mapping[str, Any]:
    """Return an old checkpoint in the present format.

    Args:
        content: the content of last.ckpt, which counts epochs (stage 3) or steps (stage 4).
        groups, also_saved: their names in the training that continues with it.

    Returns: the content as `texturelib.learning.loop` saves it.
    Errors: KeyError, ValueError and their like, when it belongs to another training.
    """
    if "optimizer" not in content:
        return content
    old: Mapping[str, Any] = content["state"]
    [group] = groups
    state: dict[str, Any] = {
        "step": old["step"] if "step" in old else old["epoch"] * steps_per_epoch,
        "history": old["history"],
    }
    if "kept_epoch" in old:
        state |= {
            "kept_row": old["kept_epoch"],
            "kept_loss": old["kept_loss"],
            "kept_weights": old["kept_weights"],
        }
    else:
        state |= {
            "kept_row": len(old["history"]) - 1,
            "kept_loss": old["history"][-1]["validation_loss"],
        }
    saved: dict[str, Any] = {}
    if "also_saved" in content:
        saved = dict.fromkeys(also_saved, content["also_saved"])  # there was one at most
    elif "carried" in old and also_saved:
        # A recurrent network's checkpoint.
        saved = {name: {"training": old["carried"]} for name in also_saved}
    return {
        "state": state,
        "weights": content["weights"],
        f"optimizer of {group}": content["optimizer"],
        "of each process": {"states": [{"generators": {}, "precision": {}, "also saved": saved}]},
    }
