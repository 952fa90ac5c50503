#!/bin/sh
# The tests beside four busy processes: those that start processes TIMES times, the others twice.
# Usage: tools/run_flaky.sh PYTHON TIMES [TEST...]; the exit status is 1 if a test ever failed.
# FLAKY_BUSY is another number of busy processes.
python=$1
times=$2
shift 2

busy=
stop() {
    for process in $busy; do kill "$process" 2>/dev/null; done
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
# One turn takes a moment; after each it looks whether its parent is still there.
turns='while kill -0 "$1" 2>/dev/null; do i=0; while [ $i -lt 99999 ]; do i=$((i + 1)); done; done'
started=0
while [ "$started" -lt "${FLAKY_BUSY:-4}" ]; do
    sh -c "$turns" sh $$ >/dev/null 2>&1 &
    busy="$busy $!"
    started=$((started + 1))
done

# Whichever start processes, by their own words.
starting=$(grep -lE 'subprocess|ProcessPool|LocalCluster|undisturbed|make_rerun|papermill|workers' \
    tests/test_*.py)
others=$(ls tests/test_*.py | grep -vxF "$starting")
failed=0

# repeat TIMES TEST...: the tests so often, each time to its end.
repeat() {
    rounds=$1
    shift
    round=0
    while [ "$round" -lt "$rounds" ]; do
        round=$((round + 1))
        echo "== round $round of $rounds"
        "$python" -m pytest -q -p no:cacheprovider "$@" || failed=$((failed + 1))
    done
}

if [ $# -gt 0 ]; then
    repeat "$times" "$@"
else
    echo "== the tests that start processes, $times times"
    # shellcheck disable=SC2086
    repeat "$times" $starting
    echo "== the others, twice"
    # shellcheck disable=SC2086
    repeat "$((times < 2 ? times : 2))" $others
fi
echo "== rounds with a failure: $failed"
[ "$failed" -eq 0 ]
