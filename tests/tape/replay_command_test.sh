#!/bin/bash
# callbridge_replay as its user has it: what it prints, and its exit status.
set -u
replay=$1
tape=$(find tests/testdata/tapes -name "*.tape" | sort | head -n 1)
work=$TEST_TMPDIR
failed=0

# expect STATUS TEXT ARGUMENT...
expect() {
  local status=$1 text=$2 got
  shift 2
  "$replay" "$@" >"$work/out" 2>&1
  got=$?
  if [[ $got != "$status" ]] || ! grep -qF -- "$text" "$work/out"; then
    echo "callbridge_replay $*: status $got instead of $status, or no '$text' in:"
    head -30 "$work/out"
    failed=1
  fi
}

sed 's/> configure_model/> configure_nothing/' "$tape" >"$work/different.tape"
head -c 3000 "$tape" >"$work/broken_off.tape"
echo "callbridge tape 9" >"$work/other.tape"
cp "$work/different.tape" "$work/updated.tape"

expect 0 "the same" "$tape"
expect 0 " > open_model" "$tape"
expect 0 "the same" --quiet "$tape" "$tape"
expect 1 "  tape: > configure_nothing" "$work/different.tape"
expect 1 "different at line" --quiet "$tape" "$work/different.tape"
expect 0 "ends before its call" --quiet "$work/broken_off.tape"
expect 2 "line 1: this is no tape of a call" "$work/other.tape"
expect 2 "none.tape: cannot be opened" "$work/none.tape"
expect 2 "a tape is needed"
expect 2 "--loud: there is no such flag" --loud "$tape"
expect 0 "Exit status: 0" --help
expect 0 "updated" --update "$work/updated.tape"
expect 0 "the same" --quiet "$work/updated.tape"
if "$replay" --quiet "$tape" | grep -q open_model; then
  echo "--quiet is not quiet"
  failed=1
fi
exit $failed
