#!/bin/sh
# Make the virtual environment FOLDER hold exactly what requirements.lock lists, plus reglab itself.
# Usage: tools/make_venv.sh FOLDER, from the repository's root. Safe to run again at any time.
set -eu

venv=$1
python="$venv/bin/python"
tools=$(dirname "$0")
export PIP_DISABLE_PIP_VERSION_CHECK=1

usable='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'
if ! "$python" -c "$usable" 2>/dev/null || ! "$python" -m pip --version >/dev/null 2>&1; then
    base=$(sh "$tools/find_python.sh")
    echo "making $venv with $base"
    "$base" -m venv --clear "$venv"
fi

# uv comes first, at the lock's own pin and hashes; pip knows hashes since long before uv.
pin=$(mktemp)
trap 'rm -f "$pin"' EXIT
sed -n '/^uv==/,/[^\\]$/p' requirements.lock >"$pin"
if [ ! -s "$pin" ]; then
    echo "reglab: requirements.lock pins no uv; restore it from git, or run make lock" >&2
    exit 1
fi
"$python" -m pip install --quiet --require-hashes --no-deps --requirement "$pin"

echo "installing what requirements.lock lists (PyTorch is large: several GB on Linux)"
sh "$tools/patiently.sh" "$python" -m uv pip sync --quiet --compile-bytecode --python "$python" --require-hashes \
    requirements.lock
"$python" -m uv pip install --quiet --python "$python" --no-deps --no-build-isolation --editable .
touch "$venv/.installed"
