"""A player of a conditional GRU that writes sound sample by sample, on one CPU core."""

from collections.abc import Mapping

import numpy as np

from conditioned_synthesis.dsp.mu_law import LEVELS
from conditioned_synthesis.synthesisers.mtcrnn.gru_step import (
    CACHE_LINE,
    LANES,
    PANEL,
    Matrix,
    Network,
    Room,
    generate,
    prime,
)
from texturelib.errors import TextureError


class FastGru:
    """The compiled step of a conditional GRU over mu-law samples.

    The network, per sample: i2d, a linear layer with ReLU, of [index / 256 or its one-hot vector,
    controls...]; `gru`, as torch has it; h2o, a linear layer to 256 logits. The next index is drawn
    from softmax(logits / temperature): it is the first whose cumulative probability exceeds a
    uniform number. So a sound follows from the controls and the uniform numbers alone.

    Agrees with torch in float32 to rounding. Not for several threads at once: it remembers what it
    last worked out.

    weights: arrays under the names of torch's state dict, all finite (else TextureError). onehot:
    the sample goes in as a one-hot vector. in_bytes: round each weight of the GRUs and of h2o to
    one of 255 steps. What comes out then differs; it is faster where the weights do not fit the
    core's cache (1 MB for 256 units in one layer, 6 MB in four).
    """

    def __init__(
        self,
        weights: Mapping[str, np.ndarray],
        n_layers: int,
        *,
        onehot: bool = False,
        in_bytes: bool = False,
    ) -> None:
        for name, array in weights.items():
            if not np.isfinite(array).all():
                raise TextureError(
                    f"{name}: not all of these weights are finite numbers: the training has gone wrong"
                )
        self._n_layers, self._hidden = n_layers, len(weights["i2d.bias"])
        padded = _up_to_multiple(self._hidden, LANES)
        from_input = _padded(weights["i2d.weight"].T, (None, padded))
        n_before = LEVELS if onehot else 1
        of_index = (
            from_input[:LEVELS]
            if onehot
            else np.arange(LEVELS, dtype=np.float32)[:, None] / LEVELS * from_input[0]
        )

        def gates(kind: str) -> Matrix:
            by_gate = (3, self._hidden, -1)
            matrices = np.stack(
                [
                    weights[f"gru.weight_{kind}_l{layer}"].reshape(by_gate)
                    for layer in range(n_layers)
                ]
            )
            biases = np.stack(
                [weights[f"gru.bias_{kind}_l{layer}"].reshape(by_gate) for layer in range(n_layers)]
            )
            matrices = _padded(matrices, (n_layers, 3, padded, padded)).reshape(
                n_layers, 3 * padded, padded
            )
            return _matrix(
                matrices, _padded(biases, (n_layers, 3, padded, 1)).reshape(n_layers, -1), in_bytes
            )

        output = _padded(weights["h2o.weight"][None], (1, LEVELS, padded))
        self._network = Network(
            of_index=_aligned(of_index),
            of_controls=_aligned(from_input[n_before:]),
            bias=_padded(weights["i2d.bias"], (padded,)),
            input=gates("ih"),
            recurrent=gates("hh"),
            output=_matrix(output, weights["h2o.bias"][None], in_bytes),
        )
        n_gates = self._network.input.bias.shape[1]
        self._room = Room(
            controls=np.zeros(len(from_input) - n_before, np.float32),
            first_gates=_zeros(LEVELS, n_gates),
            is_known=np.zeros(LEVELS, np.bool_),
            hidden=_zeros(padded),
            which=np.zeros(padded, np.int64),
            every=np.arange(padded),
            given_gates=_zeros(n_gates),
            own_gates=_zeros(n_gates),
            levels=_zeros(LEVELS),
        )

    def generate(
        self,
        controls: np.ndarray,
        uniforms: np.ndarray,
        temperature: float,
        first: int,
        state: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return as many new samples as there are rows of controls. To continue, pass the last
        index and the state that came with it.

        controls: [samples, n_controls]; row t goes in beside the sample before sample t. uniforms:
        [samples], 0 <= u < 1. temperature: above 0; at 0, the likeliest. first: the index before
        the first sample. state: [layers, H], or zeros. -> indices [samples] uint8, state [layers,
        H] float32
        """
        own_state, own_controls = self._own_state(state), self._own_controls(controls)
        if len(uniforms) != len(controls):
            raise ValueError(
                f"{len(controls)} rows of controls, but {len(uniforms)} uniform numbers"
            )
        if not 0 <= first < LEVELS:
            raise ValueError(f"first: {first} should be within 0..255")
        indices = np.empty(len(controls), np.uint8)
        sharpness = np.float32(1 / max(temperature, 1e-30))
        uniforms = np.array(uniforms, np.float64)
        generate(
            self._network,
            self._room,
            own_controls,
            uniforms,
            sharpness,
            int(first),
            own_state,
            indices,
        )
        return indices, own_state[:, : self._hidden].copy()

    def prime(self, indices: np.ndarray, controls: np.ndarray, state: np.ndarray) -> np.ndarray:
        """Feed given samples to the network. The last sample of a sound does not belong here: it is
        the `first` of `generate`.

        indices: [samples] uint8; controls: [samples, n_controls], row t goes in beside index t ->
        the state after them
        """
        own_state = self._own_state(state)
        if len(indices) != len(controls):
            raise ValueError(f"{len(controls)} rows of controls, but {len(indices)} samples")
        prime(
            self._network,
            self._room,
            self._own_controls(controls),
            np.array(indices, np.uint8),
            own_state,
        )
        return own_state[:, : self._hidden].copy()

    def _own_controls(self, controls: np.ndarray) -> np.ndarray:
        expected = len(self._room.controls)
        if controls.ndim != 2 or controls.shape[1] != expected:
            raise ValueError(f"controls of shape {controls.shape}: should be [samples, {expected}]")
        if not np.isfinite(controls).all():
            raise ValueError("controls: not all are finite numbers")
        return np.array(controls, np.float32, order="C")

    def _own_state(self, state: np.ndarray) -> np.ndarray:
        expected = (self._n_layers, self._hidden)
        if state.shape != expected:
            raise ValueError(f"a state of shape {state.shape}: should be {expected}")
        return _padded(state, (self._n_layers, len(self._network.bias)))


def _aligned(array: np.ndarray) -> np.ndarray:
    """Return a copy that begins where a cache line does."""
    room = np.empty(array.nbytes + CACHE_LINE, np.uint8)
    start = -room.ctypes.data % CACHE_LINE
    copy = room[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def _zeros(*shape: int) -> np.ndarray:
    return _aligned(np.zeros(shape, np.float32))


def _padded(array: np.ndarray, shape: tuple[int | None, ...]) -> np.ndarray:
    """Return a float32 copy, padded with zeros to that shape, where it is not None."""
    sizes = [size or own for size, own in zip(shape, array.shape, strict=True)]
    larger = np.zeros(sizes, np.float32)
    larger[tuple(slice(own) for own in array.shape)] = array
    return _aligned(larger)


def _up_to_multiple(size: int, of: int) -> int:
    return -(-size // of) * of


def _matrix(rows: np.ndarray, bias: np.ndarray, in_bytes: bool) -> Matrix:
    """Return the matrices in the layout of the compiled step.

    rows: [layers, outputs, inputs]; in bytes, the largest weight of an output becomes 127. bias:
    [layers, outputs].
    """
    n_layers, n_outputs, n_inputs = rows.shape
    n_outputs = _up_to_multiple(n_outputs, PANEL)
    rows, bias = _padded(rows, (None, n_outputs, None)), _padded(bias, (None, n_outputs))
    panels = rows.reshape(n_layers, -1, PANEL, n_inputs).swapaxes(2, 3)
    if not in_bytes:
        return Matrix(_aligned(panels), _aligned(np.ones_like(bias)), bias)
    scale = np.maximum(np.abs(rows).max(axis=2), np.float32(1e-30)) / np.float32(127)
    steps = np.rint(panels / scale.reshape(n_layers, -1, 1, PANEL)).astype(np.int8)
    return Matrix(_aligned(steps), _aligned(scale), bias)
