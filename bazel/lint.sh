#!/usr/bin/env bash
# The checks of `./dev lint`, which sets BUF and BUILDIFIER (empty: not to be had here) and CALLBRIDGE_TOOLS.
#   --fix   reformats C++ and BUILD files first
#   --all   clang-tidy over the slow rooms too (bazel/tidy.py)
# Ends with a count, like the tests.
set -uo pipefail

# Off: rules that ask for loads of native rules and other things of later Bazels, or for docs where a name says it all.
readonly BUILDIFIER_WARNINGS=-native-cc-binary,-native-cc-library,-native-cc-test,-native-py,-native-sh-test,-native-build,-module-docstring,-function-docstring,-function-docstring-args,-function-docstring-header,-function-docstring-return,-unnamed-macro,-native-cc,-native-sh-binary,-no-effect

fix='' tidy=()
for argument in "$@"; do
  case $argument in
    --fix) fix=yes ;;
    --all) tidy+=(--all) ;;
    *)
      printf 'lint takes --fix and --all, not %s\n' "$argument" >&2
      exit 1
      ;;
  esac
done

passed=0 failed=0 skipped=0 lines=()

# check <name> <command...>
check() {
  local name=$1 output status=0 began=$SECONDS
  shift
  printf 'lint: %s ...\n' "$name" >&2
  output=$("$@" 2>&1) || status=$?
  if ((status == 0)); then
    ((++passed))
    printf 'lint: %s is clean (%d s)\n' "$name" $((SECONDS - began)) >&2
  else
    ((++failed))
    printf '%s\n' "$output" >&2
    lines+=("FAILED $name")
  fi
}

skip() {
  ((++skipped))
  lines+=("SKIPPED $1: $2")
}

# Files of this tree, also those not committed yet.
files() { git ls-files --cached --others --exclude-standard -- "$@" | while read -r file; do [[ -f $file ]] && printf '%s\n' "$file"; done; }
mapfile -t cpp < <(files 'src/**.h' 'src/**.cc' 'tests/**.h' 'tests/**.cc')
mapfile -t builds < <(files '*.bzl' '*BUILD' 'WORKSPACE' '*/WORKSPACE')
mapfile -t scripts < <(files dev .ci/run '*.sh')

if [[ -n $fix ]]; then
  clang-format-14 -i "${cpp[@]}"
  [[ -z $BUILDIFIER ]] || "$BUILDIFIER" --lint=off "${builds[@]}"
fi

# Names the files rather than showing each place.
formatted() {
  local file wrong=()
  for file in "$@"; do clang-format-14 --dry-run -Werror "$file" >/dev/null 2>&1 || wrong+=("$file"); done
  ((${#wrong[@]} == 0)) && return
  printf 'not formatted (./dev lint --fix does it): %s\n' "${wrong[@]}"
  return 1
}

check clang-format formatted "${cpp[@]}"
if [[ -n $BUILDIFIER ]]; then
  check buildifier "$BUILDIFIER" --mode=check --lint=warn --warnings="$BUILDIFIER_WARNINGS" "${builds[@]}"
else
  skip buildifier "it comes from npm, which is not here"
fi
if [[ -n $BUF ]]; then
  check "buf lint" "$BUF" lint
  # Against the contract that users have. A release puts its own there: buf build proto --exclude-source-info -o proto/released/contract.binpb
  check "buf breaking" "$BUF" breaking proto --against proto/released/contract.binpb
else
  skip "buf lint" "it comes from npm, which is not here"
  skip "buf breaking" "it comes from npm, which is not here"
fi
check "include rules" python3 tests/house/include_rules.py
check shellcheck shellcheck --external-sources "${scripts[@]}"
check clang-tidy python3 bazel/tidy.py "${tidy[@]}" "$CALLBRIDGE_TOOLS/tidy"

((${#lines[@]} == 0)) || printf '%s\n' "${lines[@]}"
printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
((failed == 0 && passed > 0))
