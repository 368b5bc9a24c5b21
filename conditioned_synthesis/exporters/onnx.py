"""Export an instrument as one ONNX file, which any runtime plays without this toolkit."""

import importlib.util
import itertools
import json
import logging
import warnings
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn

from conditioned_synthesis.instrument.instrument import MOST_GAIN_DB, Instrument, load_instrument
from conditioned_synthesis.synthesisers import Graph, SynthesisNetwork
from texturelib.errors import UsageError
from texturelib.files import shown, whole_file
from texturelib.made import named_by_the_user
from texturelib.outputs import check_file_place

# The oldest that torch writes: what its converter makes of a graph for older ones is not valid.
_OPSET = 18
# The format of that opset's time: torch would write a newer one, which runtimes of before 2024
# refuse.
_IR_VERSION = 8


def export_onnx(folder: Path, path: Path, overwrite: bool) -> dict[str, Any]:
    """Write the instrument in the model folder to `path`, and return its description.

    The description is in the file too, as JSON under the key "instrument" of its metadata. The
    curves of the sliders are part of the graph. Errors: UsageError, TextureError.
    """
    if path.suffix != ".onnx":
        raise UsageError(f"--output {shown(path)}: should end in .onnx")
    check_file_place(path, overwrite)
    if importlib.util.find_spec("onnxscript") is None:
        raise UsageError(
            'export-onnx: takes the package onnxscript, which is not there; "pip install onnx onnxscript" brings it'
        )
    instrument = load_instrument(folder)
    graph = cast("SynthesisNetwork", instrument.network).graph()
    spec = {
        "sample_rate": instrument.spec.sample_rate,
        "channels": instrument.spec.channels,
        "sliders": _sliders(instrument),
        "opset": _OPSET,
        "ir_version": _IR_VERSION,
        **graph.facts,
    }
    program = _program(_WithCurves(graph.module, instrument).eval(), graph)
    _make_portable(program.model)
    program.model.metadata_props["instrument"] = json.dumps(spec)
    path.parent.mkdir(parents=True, exist_ok=True)
    with named_by_the_user(), whole_file(path, is_durable=True) as part:
        program.save(part, external_data=False)
    return spec


def _program(module: nn.Module, graph: Graph) -> torch.onnx.ONNXProgram:
    frames = torch.export.Dim("frames", min=1)
    moves = [True, *(name in graph.moving for name in graph.inputs)]
    shapes = [{1: frames} if each else None for each in moves]
    names = ["controls", *graph.inputs]
    # The exporter logs and warns of what is its own affair.
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module,
            (graph.controls, *graph.inputs.values()),
            input_names=names,
            output_names=list(graph.outputs),
            dynamic_shapes=(shapes[0], tuple(shapes[1:])),  # as the wrapper takes them
            opset_version=_OPSET,
            dynamo=True,
            verbose=False,
        )
    return cast("torch.onnx.ONNXProgram", program)


def _make_portable(model: Any) -> None:
    """Remove from the model where in which source file each node was written.

    model: an `onnx_ir.Model`. These are paths of this machine, a fifth of the file.
    """
    model.ir_version = _IR_VERSION
    for node in model.graph.all_nodes():
        node.metadata_props.clear()
        for value in node.outputs:
            value.metadata_props.clear()
    for part in (model.graph, *model.graph.inputs, *model.graph.initializers.values()):
        part.metadata_props.clear()


def _sliders(instrument: Instrument) -> list[dict[str, Any]]:
    return [
        {"control": slider.control, "low": slider.low, "high": slider.high}
        for slider in instrument.spec.sliders
    ]


class _WithCurves(nn.Module):
    """The graph of a network with the instrument's sliders: it holds each slider within its trained
    range, maps its position to the network's input, and plays as loud as `Instrument` does."""

    def __init__(self, module: nn.Module, instrument: Instrument) -> None:
        super().__init__()
        self.module = module
        sliders = instrument.spec.sliders
        self._curves = [
            slider.curve or ((slider.low, slider.low), (slider.high, slider.high))
            for slider in sliders
        ]
        self._loudness = [slider.loudness for slider in sliders]

    def forward(self, controls: torch.Tensor, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        given = [_bent(controls[..., index], curve) for index, curve in enumerate(self._curves)]
        samples, *after = self.module(torch.stack(given, dim=-1), *inputs)
        louder = [
            _bent(value[0], points)
            for value, points in zip(given, self._loudness, strict=True)
            if points
        ]
        if not louder:
            return samples, *after
        # Of each frame.
        gains = 10 ** (torch.stack(louder).sum(dim=0).clamp(-MOST_GAIN_DB, MOST_GAIN_DB) / 20)
        louder_samples = samples.reshape(gains.shape[0], -1) * gains[:, None]
        return louder_samples.reshape(samples.shape), *after


def _bent(places: torch.Tensor, curve: tuple[tuple[float, float], ...]) -> torch.Tensor:
    """Return the positions mapped by `curve`, linear in between and constant beyond its ends: a sum
    of ramps."""
    bent = torch.full_like(places, curve[0][1])
    for (begin, low), (end, high) in itertools.pairwise(curve):
        if end > begin:
            bent = bent + (places.clamp(begin, end) - begin) * ((high - low) / (end - begin))
    return bent
