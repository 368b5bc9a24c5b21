#!/usr/bin/env bash
# Make .venv with an extra of the toolkit: all (what its users need), or dev (to work on it, after all). Called by make; safe to
# call again.
set -euo pipefail
cd "$(dirname "$0")"
extra=${1:-all}
python=${PYTHON:-python3}

if ! "$python" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))'; then
  echo "Python 3.10 to 3.13 is needed, and $python is $("$python" -V 2>&1); name another: make setup PYTHON=python3.12" >&2
  exit 1
fi
if [ ! -x .venv/bin/pip ]; then
  if ! "$python" -m venv .venv; then
    echo "$python cannot make a virtual environment; on Debian and Ubuntu: apt-get install python3-venv" >&2
    exit 1
  fi
fi

echo "setting up .venv for $extra (some minutes the first time)"
# With the versions that are tested. Without them, pip would take the newest torch, with 6 GB of CUDA.
PIP_DISABLE_PIP_VERSION_CHECK=1 .venv/bin/pip install --quiet --constraint constraints.txt --editable ".[$extra]"

# torchaudio, with which tests compare: its wheel is linked to CUDA, so beside a CPU build of torch its import fails. Without its
# compiled part, which only loading of files and a few models need, it runs in Python, and all that is used here works.
if [ "$extra" = dev ] && ! .venv/bin/python -c 'import torchaudio' 2>/dev/null && .venv/bin/python -c 'import sys, torch; sys.exit(torch.version.cuda is not None)'; then
  rm -f "$(.venv/bin/python -c 'import importlib.util; print(importlib.util.find_spec("torchaudio").submodule_search_locations[0])')"/lib/*.so
  .venv/bin/python -c 'import torchaudio'
fi

# Pure Data plays patches in stage 1; everything else works without it.
if ! command -v puredata >/dev/null; then
  if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    (apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends puredata-core) >/dev/null 2>&1 ||
      echo "note: puredata-core could not be installed; it is only needed to play Pure Data patches"
  else
    echo "note: Pure Data is not installed (Debian: apt-get install puredata-core); it is only needed to play its patches"
  fi
fi
