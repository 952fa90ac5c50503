#!/bin/sh
# Print the path of a working Python 3.11-3.13 that can make virtual environments.
# Each candidate is run, not only looked up: a version manager's shim may exist and still fail.
# PYTHON=... in the environment is the only candidate if given.
set -eu

probe='
import sys
if not (3, 11) <= sys.version_info[:2] <= (3, 13):
    sys.exit(3)
try:
    import ensurepip, venv
except ImportError:
    sys.exit(4)
print(sys.executable)
'
incomplete=''
for candidate in ${PYTHON:-python3.11 python3.12 python3.13 python3 python}; do
    status=0
    found=$("$candidate" -c "$probe" 2>/dev/null </dev/null) || status=$?
    if [ "$status" -eq 0 ] && [ -n "$found" ]; then
        printf '%s\n' "$found"
        exit 0
    fi
    [ "$status" -ne 4 ] || incomplete="$candidate"
done

if [ -n "$incomplete" ]; then
    echo "reglab: $incomplete has no ensurepip; install it (Debian, Ubuntu: the package" \
        "python3-venv), or name another Python: make PYTHON=/path/to/python3.11" >&2
else
    echo "reglab: no working Python 3.11, 3.12 or 3.13 among: ${PYTHON:-python3.11 python3.12" \
        "python3.13 python3 python}; install one, or name it: make PYTHON=/path/to/python3.11" >&2
fi
exit 1
