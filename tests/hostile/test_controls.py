"""How controls are asked for: .params files, lines of points, arrays."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from mangling import mangled, mangled_json

from texturelib.audio import write_wav

Fuzz = Callable[..., None]


def test_a_params_file_is_read_or_refused_whatever_is_in_it(fuzz: Fuzz, tmp_path: Path) -> None:
    folder = tmp_path / "sounds"
    for name in "ab":
        write_wav(folder / f"{name}.wav", np.zeros(400), 8000)
    line = {
        "times": [0, 0.02, 0.05],
        "values": [0.1, "0.5", 0.9],
        "units": "norm",
        "nvals": 0,
        "minval": 0,
        "maxval": 1,
    }
    ends = {
        "origMinval": 1.0,
        "origMaxval": 100.0,
        "origUnits": "mm",
        "origCurve": "exponential",
        "origOffset": 0.5,
    }
    content = json.dumps(
        {"meta": {"filename": "a.wav"}, "rate": line | ends, "size": line}
    ).encode()
    (folder / "b.params").write_bytes(content)
    fuzz("params", mangled_json([content]), folder / "a.params", folder)


LINES = [b"a=0.5", b"a=0:0.2,10:0.8", b"b=0:0,1e3:1,2e3:0", b"a=curve.npy", b"curve.npy"]


def test_a_line_of_points_is_read_or_refused_whatever_is_typed(fuzz: Fuzz, tmp_path: Path) -> None:
    fuzz(
        "control_line",
        st.one_of(mangled(LINES), st.binary(max_size=30)),
        tmp_path / "line",
        names=False,
    )


def in_npy(*arrays: object) -> list[bytes]:
    files = []
    for array in arrays:
        file = io.BytesIO()
        np.save(file, np.asarray(array))
        files.append(file.getvalue())
    return files


def test_an_array_is_read_or_refused_whatever_is_in_it(fuzz: Fuzz, tmp_path: Path) -> None:
    arrays = in_npy(
        np.linspace(0, 1, 8), np.zeros((4, 2), np.float32), np.ones((1, 3, 2), np.int16)
    )
    packed = io.BytesIO()
    np.savez_compressed(packed, a=np.zeros((4, 2)))
    fuzz("control_array", mangled([*arrays, packed.getvalue()]), tmp_path / "curve.npy")


SHAPES = [
    "(1099511627776,)",
    "(1099511627776, 2)",
    "(4294967296, 4294967296)",
    "(-1,)",
    "(0,)",
    "()",
    "(2,) * 99",
    "[4]",
    "(True, 2)",
    "(1e9,)",
]
TYPES = [
    "'<f8'",
    "'|O'",
    "'<U99999999'",
    "'<c16'",
    "'<M8[s]'",
    "[('a', '<f8')]",
    "'<f16'",
    "'nonsense'",
    "'|V0'",
    "'<U0'",
]


def test_an_arrays_header_may_claim_anything(fuzz: Fuzz, tmp_path: Path) -> None:
    def npy(claims: tuple[str, str, str, bytes]) -> bytes:
        shape, type_, order, samples = claims
        header = f"{{'descr': {type_}, 'fortran_order': {order}, 'shape': {shape}}}\n".encode()
        return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + samples

    claims = st.tuples(
        st.sampled_from([*SHAPES, "(4, 2)", "(8,)"]),
        st.sampled_from([*TYPES, "'<f8'", "'<f8'"]),
        st.sampled_from(["False", "True", "7"]),
        st.binary(max_size=128),
    )
    fuzz("control_array", claims.map(npy), tmp_path / "curve.npy")
