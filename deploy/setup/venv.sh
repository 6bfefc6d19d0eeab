#!/bin/sh
# Makes the virtual environment: venv.sh FOLDER, run at the root of the checkout.
# Installs what requirements.lock names, hashes checked, then the project itself, editable.
set -eu

venv=$1
python="$venv/bin/python"

newest_python() {
    for candidate in python3.13 python3.12 python3.11 python3 python; do
        if command -v "$candidate" >/dev/null 2>&1 &&
            "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            command -v "$candidate"
            return
        fi
    done
    found=$(python3 --version 2>&1 || true)
    echo "setup: Python 3.11 or newer is needed; python3 here is: ${found:-missing}." >&2
    echo "setup: install it (for example: apt-get install python3.11 python3.11-venv), then run make again." >&2
    exit 1
}

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
    base=$(newest_python)
    echo "setup: making $venv with $base"
    if ! "$base" -m venv --clear "$venv"; then
        echo "setup: $base cannot make a virtual environment." >&2
        echo "setup: install its venv module (Debian, Ubuntu: apt-get install python3-venv), then run make again." >&2
        exit 1
    fi
fi

if command -v uv >/dev/null 2>&1; then
    uv=uv
else
    uv="$venv/bin/uv"
    if [ ! -x "$uv" ]; then
        "$python" -m pip --version >/dev/null 2>&1 || "$python" -m ensurepip >/dev/null
        # The entry of uv in the lock: its line and the lines of its hashes.
        awk '/^[^ #]/ { wanted = /^uv==/ } wanted' requirements.lock >"$venv/uv.lock"
        "$python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$venv/uv.lock"
    fi
fi

echo "setup: installing requirements.lock"
"$uv" pip install --quiet --python "$python" --require-hashes --requirement requirements.lock
# The build backend is in the lock too, so nothing unlocked is fetched to build the project.
"$uv" pip install --quiet --python "$python" --no-deps --no-build-isolation --editable .
