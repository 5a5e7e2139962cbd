#!/usr/bin/env bash
# Kills (SIGKILL) a training run, the prediction of a folder and `reproduce` at random moments, N times each, has each
# go on as a user would, and compares what they end in with what nothing disturbed: bit for bit on the CPU.
#
#     scripts/kill-tests.sh [N] [SEED]
#
# N is 5 unless given. The program is $HISTOMASK_BIN, else the release build in CARGO_TARGET_DIR or target. The last
# line says how many kills hit a running program.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

kills=${1:-5}
RANDOM=${2:-$$}
program=${HISTOMASK_BIN:-${CARGO_TARGET_DIR:-target}/release/histomask}
[ -x "$program" ] || { echo "$program: no such program; run cargo build --release first"; exit 1; }
program=$(realpath "$program")
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
hit=0 failed=0

now() { date +%s%N; }
histomask() { "$program" --quiet "$@" >>"$work/log" 2>&1; }
# Starts $3… and kills it after a random part of $2 milliseconds; $1 says what it is.
killed() {
  local what=$1 limit=$2 pause
  shift 2
  pause=$(((RANDOM * 32768 + RANDOM) % limit + 1))
  "$program" --quiet "$@" >>"$work/log" 2>&1 &
  local pid=$!
  sleep "$(printf '%d.%03d' $((pause / 1000)) $((pause % 1000)))"
  if kill -KILL "$pid" 2>/dev/null; then hit=$((hit + 1)); else echo "  $what was over before $pause ms"; fi
  wait "$pid" 2>/dev/null
}
# $1: what; the rest a command that must succeed
must() {
  local what=$1
  shift
  "$@" && return
  echo "failed: $what: $*"
  tail -n 5 "$work/log"
  failed=$((failed + 1))
  return 1
}
# A table without its columns of seconds.
timeless() {
  awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) keep[i] = $i !~ /_seconds$/ }
    { line = ""; for (i = 1; i <= NF; i++) if (keep[i]) line = line $i ","; print line }' "$1"
}
same_table() { diff <(timeless "$1") <(timeless "$2"); }

quick=(reproduce figB1 --quick --device cpu)
settings=(--profile demo --weights none --input.size 64 --input.crop 64 --train.batch-size 2 --train.epochs 3
  --train.save-minutes 0.002 --device cpu)
predict=(predict --model whole/run --device cpu)

mkdir whole
start=$(now)
must "reproduce, undisturbed" histomask "${quick[@]}" --out whole/reproduce || exit 1
reproduce_ms=$((($(now) - start) / 1000000))
data=$(echo whole/reproduce/synthetic/*)
start=$(now)
must "training, undisturbed" histomask train --data "$data" --out whole/run "${settings[@]}" || exit 1
train_ms=$((($(now) - start) / 1000000))
start=$(now)
must "prediction, undisturbed" histomask "${predict[@]}" "$data" --out whole/predict || exit 1
predict_ms=$((($(now) - start) / 1000000))
echo "undisturbed: training $train_ms ms, prediction $predict_ms ms, reproduce $reproduce_ms ms"

for ((n = 1; n <= kills; n++)); do
  killed "training $n" "$train_ms" train --data "$data" --out run "${settings[@]}"
  # before there is a state there is nothing to resume, and the same command begins again
  if [ -f run/state.safetensors ]; then
    must "training $n resumed" histomask train --resume run --device cpu
  else
    must "training $n begun again" histomask train --data "$data" --out run "${settings[@]}"
  fi
  for file in last.safetensors best.safetensors; do
    must "training $n" cmp "run/$file" "whole/run/$file"
  done
  for file in epochs.csv untrained.csv steps.csv; do
    must "training $n" same_table "run/$file" "whole/run/$file"
  done

  killed "prediction $n" "$predict_ms" "${predict[@]}" "$data" --out predict
  must "prediction $n again" histomask "${predict[@]}" "$data" --out predict
  # run.json holds the command; a kill may leave a temporary file behind
  must "prediction $n" diff -r -x run.json -x '.histomask-*' predict whole/predict

  killed "reproduce $n" "$reproduce_ms" "${quick[@]}" --out reproduce
  must "reproduce $n again" histomask "${quick[@]}" --out reproduce
  must "reproduce $n" cmp reproduce/figB1/figB1.csv whole/reproduce/figB1/figB1.csv
  rm -rf run predict reproduce
done

echo "$hit of $((3 * kills)) kills hit a running program; $failed comparisons failed"
[ "$failed" -eq 0 ]
