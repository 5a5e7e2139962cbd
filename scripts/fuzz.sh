#!/usr/bin/env bash
# Fuzzing that learns from coverage: cargo-fuzz's targets of fuzz/, from the seeds in tests/corpus.
#
#     scripts/fuzz.sh [SECONDS] [TARGET…]
#
# 60 seconds each of every target unless given; 0 builds them only. What is learnt stays in fuzz/corpus, a finding in
# fuzz/artifacts; each target ends with a line `TARGET: N executions`. Needs Linux and a C++ compiler. The compiler is
# the stable one with what is unstable switched on, as libFuzzer's counters are; cargo-fuzz is installed when it is
# missing. The first run compiles the whole program, with AddressSanitizer.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

seconds=${1:-60}
shift
targets=("$@")
if [ "${#targets[@]}" -eq 0 ]; then
  for file in fuzz/fuzz_targets/*.rs; do targets+=("$(basename "$file" .rs)"); done
fi

CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/histomask-target}/fuzz"
export CARGO_TARGET_DIR RUSTC_BOOTSTRAP=1
PATH=$PATH:$CARGO_TARGET_DIR/tools/bin
command -v cargo-fuzz >/dev/null ||
  CARGO_PROFILE_RELEASE_OPT_LEVEL=1 cargo install cargo-fuzz --version 0.13.2 --locked \
    --root "$CARGO_TARGET_DIR/tools" --target-dir "$CARGO_TARGET_DIR/tools/build" || exit 1

# the libraries that the program has
cp Cargo.lock fuzz/Cargo.lock
work=$(TMPDIR=$([ -w /dev/shm ] && echo /dev/shm || echo "${TMPDIR:-/tmp}") mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
# optimised as fuzz/Cargo.toml and fuzz/rustc.sh say, without the checks that the program has not either
fuzz() { RUSTC_WRAPPER=$PWD/fuzz/rustc.sh TMPDIR=$work cargo fuzz "$1" --release "${@:2}"; }
fuzz build || exit 1
[ "$seconds" -eq 0 ] && exit

failed=0
for target in "${targets[@]}"; do
  case $target in
    masks) kind=pictures ;;
    shapes) kind=geojson ;;
    checkpoints) kind=weights ;;
    *) kind=$target ;;
  esac
  seeds=()
  [ -d "tests/corpus/$kind" ] && seeds=("tests/corpus/$kind")
  mkdir -p "fuzz/corpus/$target"
  fuzz run "$target" "fuzz/corpus/$target" "${seeds[@]}" -- -max_total_time="$seconds" -print_final_stats=1 \
    -timeout=20 -rss_limit_mb=4096 >"$work/log" 2>&1 || { tail -n 60 "$work/log"; echo "failed: $target"; failed=1; }
  executions=$(awk '/stat::number_of_executed_units/ { print $2 }' "$work/log")
  echo "$target: ${executions:-0} executions"
done
exit "$failed"
