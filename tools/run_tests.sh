#!/bin/sh
# Every part of `make test`, whatever became of those before it, and then which of them failed.
# Usage: tools/run_tests.sh MAKE; the exit status is 1 if a part failed.
make=$1
failed=

# part NUMBER NAME WORDS: run one part.
part() {
    echo "== part $1/4: $3"
    if "$make" "$2"; then result=passed; else result=FAILED; failed="$failed $2"; fi
    summary="$summary
  $2: $result"
}

summary=
part 1 unit pytest
part 2 chapters "the chapters' cells"
part 3 smoke "the smoke book"
if [ "$result" = passed ]; then
    part 4 browser "the pages in a browser"
else
    echo "== part 4/4: the pages in a browser: skipped, as the smoke book was not built"
    failed="$failed browser"
    summary="$summary
  browser: FAILED (skipped: the smoke book was not built)"
fi

echo "== the four parts:$summary"
if [ -n "$failed" ]; then
    echo "reglab: failed:$failed" >&2
    exit 1
fi
