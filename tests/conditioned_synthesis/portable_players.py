"""Players of portable instruments outside Python, as tests run them."""

import base64
import json
import shutil
import subprocess
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from conditioned_synthesis.instrument.instrument import Instrument, save_instrument
from conditioned_synthesis.portable.instrument_file import PortableInstrument, Precision
from conditioned_synthesis.portable.make import player_of

from ..chromium import PROGRAM, Page, browser

MOVES = [(0, 0, 0.3), (6400, 0, 0.9), (12800, 1, 0.1)]  # sample, slider, position
C = Path(__file__).parents[2] / "conditioned_synthesis" / "c"
# A program that plays what MOVES says, in blocks of a size, and writes the samples to a file.
PROGRAM_IN_C = """
#define TEXTURE_IMPLEMENTATION
#include "texture_instrument.h"
#include <stdio.h>
int main(int n, char** words) {
  static unsigned char bytes[1 << 22];
  static float sound[2][65536];
  const int moves[3] = {0, 6400, 12800}, sliders[3] = {0, 0, 1};
  const float positions[3] = {0.3f, 0.9f, 0.1f};
  FILE* file = fopen(words[1], "rb");
  const char* problem;
  size_t size = (size_t)atoi(words[3]), n_bytes = fread(bytes, 1, sizeof bytes, file);
  fclose(file);
  texture_instrument* t = texture_open(bytes, n_bytes, 48000, 5, &problem);
  if (!t) { puts(problem); return n - n + 3; }
  file = fopen(words[2], "wb");
  for (size_t done = 0, move = 0; done < 19200;) {
    if (move < 3 && (size_t)moves[move] == done) { texture_set(t, sliders[move], positions[move]); move++; }
    size_t end = move < 3 ? (size_t)moves[move] : 19200, part = end - done < size ? end - done : size;
    texture_render(t, sound[0], sound[1], part);
    for (size_t i = 0; i < part; i++) { fwrite(&sound[0][i], 4, 1, file); fwrite(&sound[1][i], 4, 1, file); }
    done += part;
  }
  fclose(file);
  texture_close(t);
  return 0;
}
"""
SELF_TEST = """(async () => {
  const samples = await selfTest(48000, 0.4, 5, %s);
  let text = "";
  const bytes = new Uint8Array(samples.buffer);
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(text);
})()"""


def played(
    portable: PortableInstrument,
    rate: float,
    n_samples: int,
    moves: Sequence[tuple[int, int, float]],
) -> np.ndarray:
    """Return [n_samples, 2], with sliders that move at these samples."""
    player = player_of(portable, rate, seed=5)
    names = [slider["control"]["name"] for slider in portable.header["sliders"]]
    parts = []
    for (begin, slider, position), end in zip(
        moves, [*(move[0] for move in moves[1:]), n_samples], strict=True
    ):
        player.set(names[slider], position)
        parts.append(player.render(end - begin))
    return np.concatenate(parts)


def built_in_c(folder: Path) -> Path:
    """Return a program that plays MOVES, with checks of memory and arithmetic. Skips where gcc is
    missing."""
    if not shutil.which("gcc"):
        pytest.skip("gcc is not installed")
    (folder / "play.c").write_text(PROGRAM_IN_C)
    words = ["-std=c99", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-fsanitize=address,undefined"]
    subprocess.run(["gcc", *words, f"-I{C}", "play.c", "-o", "play", "-lm"], cwd=folder, check=True)
    return folder / "play"


def run_in_c(program: Path, content: bytes, folder: Path, size: int) -> np.ndarray | str:
    """Return the samples, [19200, 2], or what it says instead."""
    (folder / "a.texinst").write_bytes(content)
    done = subprocess.run(
        [program, "a.texinst", "a.f32", str(size)], cwd=folder, capture_output=True, check=False
    )
    assert done.returncode in (0, 3), done.stderr.decode()
    if done.returncode:
        return done.stdout.decode()
    return np.fromfile(folder / "a.f32", dtype="<f4").reshape(-1, 2)


@contextmanager
def opened_page(
    folder: Path, instrument: Instrument, precision: Precision, title: str
) -> Iterator[Page]:
    """Give a browser that has opened the instrument's page from disk. folder: an empty one."""
    if not PROGRAM:
        pytest.skip("chromium is not installed")
    from conditioned_synthesis.exporters.page import export_page

    (folder / "model").mkdir()
    save_instrument(folder / "model", instrument)
    export_page(folder / "model", folder / "water.html", precision, title, overwrite=False)
    with browser(folder) as opened:
        opened.open(folder / "water.html")
        yield opened


def run_in_browser(page: Page) -> np.ndarray:
    """Return what the page plays of MOVES at 48 kHz, [19200, 2]."""
    answer = page.evaluate(SELF_TEST % json.dumps(MOVES))
    return np.frombuffer(base64.b64decode(answer), dtype="<f4").reshape(-1, 2)


def mangled(content: bytes, number: int, rng: np.random.Generator) -> bytes:
    """Return a file with some of its bytes changed, or cut off, and a right checksum: as if somebody
    had made it on purpose."""
    changed = bytearray(content)
    if number % 3 == 0:
        changed = changed[: rng.integers(0, len(content))]
    else:
        for place in rng.integers(8, 1500 if number % 3 == 1 else len(content), 5):
            changed[place] = rng.integers(256)
    changed[-4:] = zlib.crc32(bytes(changed[:-4])).to_bytes(4, "little")
    return bytes(changed)
