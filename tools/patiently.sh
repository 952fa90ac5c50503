#!/bin/sh
# Run a command that is silent for long; while it runs, a line every 15 s says so (on stderr).
# Usage: tools/patiently.sh COMMAND [ARGUMENT...]; REGLAB_BEAT is another number of seconds.
every=${REGLAB_BEAT:-15}

beat() {
    passed=0
    # Nothing but this loop may hold the caller's output open, and it ends with its parent.
    while sleep "$every" >/dev/null 2>&1 && kill -0 $$ 2>/dev/null; do
        passed=$((passed + every))
        echo "   still at it, $passed s" >&2
    done
}

beat &
beating=$!
trap 'kill "$beating" 2>/dev/null' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
"$@"
