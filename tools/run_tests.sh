#!/bin/sh
# Every part of `make test`, whatever became of those before it, and then which of them failed.
# Usage: tools/run_tests.sh MAKE; the exit status is 1 if a part failed.
#
# The smoke book is built beside the chapters, since either leaves a core idle now and then: a
# notebook waits for its kernel, and Sphinx has one thread. What it says is printed in its turn.
make=$1
failed=
summary=

# begin NUMBER WORDS: what comes next.
begin() { echo "== part $1/4: $2"; }

# end NAME STATUS: note how a part ended.
end() {
    result=passed
    if [ "$2" -ne 0 ]; then result=FAILED; failed="$failed $1"; fi
    summary="$summary
  $1: $result"
}

begin 1 pytest
"$make" unit
end unit $?

said=$(mktemp) || exit 1
"$make" smoke >"$said" 2>&1 &
smoke=$!
trap 'rm -f "$said"' EXIT
# Ctrl-C does not reach what runs in the background: end the whole group.
stop() {
    trap '' TERM
    kill 0
    exit "$1"
}
trap 'stop 130' INT
trap 'stop 143' TERM

begin 2 "the chapters' cells (beside them the smoke book)"
"$make" chapters
end chapters $?

begin 3 "the smoke book"
wait "$smoke"
status=$?
cat "$said"
end smoke $status

if [ "$status" -eq 0 ]; then
    begin 4 "the pages in a browser"
    "$make" browser
    end browser $?
else
    begin 4 "the pages in a browser: skipped, as the smoke book was not built"
    failed="$failed browser"
    summary="$summary
  browser: FAILED (skipped: the smoke book was not built)"
fi

echo "== the four parts:$summary"
if [ -n "$failed" ]; then
    echo "reglab: failed:$failed" >&2
    exit 1
fi
