"""The step of a conditional GRU, compiled for one CPU core; the arrays that it works on are laid
out by `FastGru`.

The time goes into fetching weights: those of one GRU of 256 units just fit a core's second-level
cache. So a matrix is laid out in the order in which it is read, 64 outputs at a time, whose sums
never leave the registers; what the first GRU is given by a sample is remembered while the controls
stay, since the sample comes again; and weights can be stored in bytes.
"""

from typing import Any, NamedTuple

import numba
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from conditioned_synthesis.dsp.mu_law import LEVELS

CACHE_LINE = 64  # bytes; a vector that spans two lines is read at half the speed
# Numbers in a line; sizes are rounded up to it, with zeros, which stay zeros from step to step.
LANES = 16
# Lines of sums at a time: enough to hide how long one takes, and they fit the registers of small
# processors too.
_SUMS = 4
PANEL = LANES * _SUMS  # outputs

# As numpy numbers, since a compiled float32 that meets a Python number becomes a float64.
_ZERO, _ONE, _TWO = np.float32(0), np.float32(1), np.float32(2)
_LN_2, _LOG2_E = np.float32(np.log(2)), np.float32(1 / np.log(2))
_LOWEST, _HIGHEST = np.float32(-127 * np.log(2)), np.float32(55)  # for _exp
_SHIFT, _ROUND = np.int32(128), np.float32(128.5)
_TAYLOR = tuple(np.float32(1 / np.prod(np.arange(1.0, order + 1))) for order in range(7))
# Smaller ones go to 0: processors are slow with the smallest numbers of all.
_NO_STATE = np.float32(1e-30)

# Not all of fastmath: with NaN ruled out, a network that has gone wrong could do anything at all.
_FAST = {"contract", "reassoc", "nsz", "arcp"}


class Matrix(NamedTuple):
    """The weights of one matrix per layer, their outputs in panels of 64."""

    weights: np.ndarray  # [layers, panels, inputs, 64] float32 or int8
    scale: np.ndarray  # [layers, panels * 64], what an output's weights are times
    bias: np.ndarray  # [layers, panels * 64]


class Network(NamedTuple):
    """The weights of the network, in the layout of the compiled step."""

    of_index: np.ndarray  # [256, H], what i2d makes of the sample
    of_controls: np.ndarray  # [n_controls, H], and of each control
    bias: np.ndarray  # [H]
    input: Matrix  # H to the gates r, z, n, one after the other
    recurrent: Matrix
    output: Matrix  # H to 256, of one layer


class Room(NamedTuple):
    """Work arrays, and the cached input of the first GRU for each sample with the present
    controls."""

    controls: np.ndarray  # [n_controls]
    first_gates: np.ndarray  # [256, 3H], beside these
    is_known: np.ndarray  # [256] bool: this row of `first_gates` is right
    hidden: np.ndarray  # [H]
    which: np.ndarray  # [H] integers
    every: np.ndarray  # 0 to H - 1
    given_gates: np.ndarray  # [3H], from the layer below
    own_gates: np.ndarray  # [3H], from the layer's own state
    levels: np.ndarray  # [256]


@numba.njit(cache=True, fastmath=_FAST)
def _exp(x: np.float32) -> np.float32:
    """Return e**x, within 5 parts in 10 million; unlike the library's, many are computed side by
    side.

    It is 2**n times a Taylor series.
    """
    x = min(max(x, _LOWEST), _HIGHEST)
    # To the nearest: the conversion cuts off, but is of a positive.
    n = np.int32(np.int32(x * _LOG2_E + _ROUND) - _SHIFT)
    rest = x - np.float32(n) * _LN_2
    c = _TAYLOR
    series = c[0] + rest * (
        c[1] + rest * (c[2] + rest * (c[3] + rest * (c[4] + rest * (c[5] + rest * c[6]))))
    )
    # These bits are 2**n as a float32, or 0 for n = -127.
    return series * np.int32((n + 127) << 23).view(np.float32)


# Python's looks for a division by zero at each number.
@numba.njit(cache=True, fastmath=_FAST, error_model="numpy")
def _sigmoid(x: np.float32) -> np.float32:
    return _ONE / (_ONE + _exp(-x))


@intrinsic
def _sum_panel(
    _: Any, weights: types.Array, which: types.Array, x: types.Array, out: types.Array
) -> Any:
    """Set out [64] to the sum over i in `which` of x[i] * weights[i], for weights [inputs, 64].

    All arrays are contiguous. Spelled out for LLVM, since the vectors that it makes of a loop are
    half as wide as the processor's, and their sums go to memory and back, which takes a third
    longer within the cache. LLVM cuts these to what a smaller processor has.
    """
    line, byte_line = ir.VectorType(ir.FloatType(), LANES), ir.VectorType(ir.IntType(8), LANES)
    in_bytes = weights.dtype == types.int8

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        arrays = [
            cgutils.create_struct_proxy(kind)(context, builder, argument)
            for kind, argument in zip(signature.args, arguments, strict=True)
        ]
        from_weights, from_which, from_x, from_out = (array.data for array in arrays)
        n_which = arrays[1].nitems
        integer = n_which.type

        def line_at(start: Any, index: Any, kind: ir.VectorType) -> Any:
            return builder.bitcast(builder.gep(start, [index]), kind.as_pointer())

        sums = [
            cgutils.alloca_once_value(builder, ir.Constant(line, [0.0] * LANES))
            for _ in range(_SUMS)
        ]
        with cgutils.for_range(builder, n_which) as loop:
            row = builder.load(builder.gep(from_which, [loop.index]))
            factor = builder.load(builder.gep(from_x, [row]))
            factors = builder.insert_element(
                ir.Constant(line, ir.Undefined), factor, ir.Constant(ir.IntType(32), 0)
            )
            everywhere = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
            factors = builder.shuffle_vector(factors, factors, everywhere)
            for number, total in enumerate(sums):
                index = builder.add(builder.mul(row, integer(PANEL)), integer(number * LANES))
                numbers = builder.load(
                    line_at(from_weights, index, byte_line if in_bytes else line), align=LANES
                )
                if in_bytes:
                    numbers = builder.sitofp(
                        builder.sext(numbers, ir.VectorType(ir.IntType(32), LANES)), line
                    )
                product = builder.fmul(numbers, factors, flags=["contract"])
                builder.store(builder.fadd(builder.load(total), product, flags=["contract"]), total)
        for number, total in enumerate(sums):
            builder.store(
                builder.load(total), line_at(from_out, integer(number * LANES), line), align=LANES
            )
        return context.get_dummy_value()

    return types.void(weights, which, x, out), emit


@numba.njit(cache=True, fastmath=_FAST)
def _multiply(
    matrix: Matrix, layer: int, which: np.ndarray, x: np.ndarray, out: np.ndarray
) -> None:
    """Set out [outputs] to bias + weights times x, using only the inputs that `which` names."""
    for panel in range(len(out) // PANEL):
        part = out[panel * PANEL : (panel + 1) * PANEL]
        _sum_panel(matrix.weights[layer, panel], which, x, part)  # pyright: ignore[reportCallIssue]
    for j in range(len(out)):
        out[j] = matrix.bias[layer, j] + matrix.scale[layer, j] * out[j]


@numba.njit(cache=True, fastmath=_FAST)
def _give_first(network: Network, room: Room, index: int, given: np.ndarray) -> None:
    """Set given [3H] to the input of the first GRU for that sample with the present controls."""
    x = room.hidden
    x[:] = network.bias + network.of_index[index]
    for control in range(len(room.controls)):
        x += network.of_controls[control] * room.controls[control]
    n_open = 0
    for unit in range(len(x)):  # ReLU shuts about half of them, and their weights need not be read
        room.which[n_open] = unit
        n_open += x[unit] > 0
    _multiply(network.input, 0, room.which[:n_open], x, given)


@numba.njit(cache=True, fastmath=_FAST)
def _hear(
    network: Network, room: Room, controls: np.ndarray, index: int, state: np.ndarray
) -> None:
    """Feed the network one sample with its controls [n_controls]; `state` [layers, H] becomes the
    next."""
    given, own = room.first_gates[index], room.own_gates
    if (controls != room.controls).any():
        room.is_known[:] = False
        room.controls[:] = controls
        # Controls that move at each sample should not fill the cache with what is never used.
        given = room.given_gates
        _give_first(network, room, index, given)
    elif not room.is_known[index]:
        room.is_known[index] = True
        _give_first(network, room, index, given)
    for layer in range(len(state)):
        h = state[layer]
        if layer > 0:
            given = room.given_gates
            _multiply(network.input, layer, room.every, state[layer - 1], given)
        _multiply(network.recurrent, layer, room.every, h, own)
        _update(given, own, h)


@numba.njit(cache=True, fastmath=_FAST)
def _update(given: np.ndarray, own: np.ndarray, h: np.ndarray) -> None:
    """Update h [H] by the gates.

    given, own: [3H or more], the gates' inputs from below and from h.
    """
    size = len(h)
    given_reset, given_keep, given_new = (
        given[:size],
        given[size : 2 * size],
        given[2 * size : 3 * size],
    )
    own_reset, own_keep, own_new = own[:size], own[size : 2 * size], own[2 * size : 3 * size]
    for unit in range(size):
        reset = _sigmoid(given_reset[unit] + own_reset[unit])
        keep = _sigmoid(given_keep[unit] + own_keep[unit])
        new = _TWO * _sigmoid(_TWO * (given_new[unit] + reset * own_new[unit])) - _ONE  # its tanh
        updated = new + keep * (h[unit] - new)
        h[unit] = updated if abs(updated) > _NO_STATE else _ZERO


@numba.njit(cache=True, fastmath=_FAST)
def _draw(
    network: Network, room: Room, h: np.ndarray, sharpness: np.float32, uniform: float
) -> int:
    """Return the first index whose cumulative probability exceeds `uniform`, among those that have
    any."""
    p = room.levels
    _multiply(network.output, 0, room.every, h, p)
    highest = p.max()
    total = 0.0
    for level in range(LEVELS):
        p[level] = _exp(np.float32((p[level] - highest) * sharpness))
        total += p[level]
    threshold, cumulative, drawn = uniform * total, 0.0, 0
    for level in range(LEVELS):
        if p[level] > 0:
            drawn = level
            cumulative += p[level]
            if cumulative > threshold:
                break
    return drawn


@numba.njit(cache=True, fastmath=_FAST)
def prime(
    network: Network, room: Room, controls: np.ndarray, indices: np.ndarray, state: np.ndarray
) -> None:
    """Feed given samples to the network; `state` becomes the one after them."""
    for t in range(len(indices)):
        _hear(network, room, controls[t], int(indices[t]), state)


@numba.njit(cache=True, fastmath=_FAST)
def generate(
    network: Network,
    room: Room,
    controls: np.ndarray,
    uniforms: np.ndarray,
    sharpness: np.float32,
    first: int,
    state: np.ndarray,
    indices: np.ndarray,
) -> None:
    """Fill `indices` [samples] uint8 with the next samples; `state` becomes the last one.

    sharpness: 1 / temperature.
    """
    index = first
    for t in range(len(indices)):
        _hear(network, room, controls[t], index, state)
        index = _draw(network, room, state[-1], sharpness, uniforms[t])
        indices[t] = index
