#!/usr/bin/env bash
# Watches the memory of a long training and of a long prediction: after it has warmed up it must stay within 5 %.
#
#     scripts/memory-test.sh [DEVICE] [STEPS] [IMAGES] [FOLDER]
#
# 2000 steps and 5000 images on the CPU unless given; a device is named as `histomask doctor` counts (gpu:0 for
# lavapipe alone). FOLDER (memory-test) gets `train.csv` and `predict.csv`, with the share of the work that was done and
# the resident memory in MiB. The program is $HISTOMASK_BIN, else the release build in CARGO_TARGET_DIR or target.
# Linux only: memory is read from /proc.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

device=${1:-cpu} steps=${2:-2000} images=${3:-5000} out=${4:-memory-test}
program=${HISTOMASK_BIN:-${CARGO_TARGET_DIR:-target}/release/histomask}
[ -x "$program" ] || { echo "$program: no such program; run cargo build --release first"; exit 1; }
program=$(realpath "$program")
mkdir -p "$out" && out=$(realpath "$out")
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

rss() { awk '/^VmRSS:/ { printf "%.1f", $2 / 1024 }' "/proc/$1/status" 2>/dev/null; }

# $1: table; $2: command that prints how many parts are done; $3: all parts; the rest: the program's arguments
watch() {
  local table=$1 done_now=$2 all=$3 pid
  shift 3
  "$program" --quiet "$@" >>"$work/log" 2>&1 &
  pid=$!
  echo "percent,mib" >"$table"
  while kill -0 "$pid" 2>/dev/null; do
    local memory
    memory=$(rss "$pid")
    [ -n "$memory" ] && echo "$((100 * $($done_now) / all)),$memory" >>"$table"
    sleep 0.5
  done
  wait "$pid" || { echo "failed: histomask $*"; tail -n 5 "$work/log"; failed=1; return; }
}

# The mean of the last fifth against that of the second, and the whole way in tenths.
judge() {
  awk -F, -v name="$2" 'NR > 1 { tenth = int($1 / 10); if (tenth > 9) tenth = 9; sum[tenth] += $2; count[tenth]++
      if ($2 > peak) peak = $2 }
    END {
      printf "%s (MiB by tenths):", name
      for (i = 0; i < 10; i++) if (count[i]) printf " %.0f", sum[i] / count[i]; else printf " -"
      early = (sum[2] + sum[3]) / (count[2] + count[3]); late = (sum[8] + sum[9]) / (count[8] + count[9])
      change = 100 * (late / early - 1)
      printf "; peak %.0f; from the second fifth to the last %+.1f %%\n", peak, change
      exit !(change < 5)
    }' "$1" || { echo "failed: $2: memory grows"; failed=1; }
}

# 200 patches; that a single epoch makes no good masks is exit code 1
"$program" --quiet demo --per-class 100 --epochs 1 --device cpu --out "$work/demo" >"$work/log" 2>&1
data=$work/demo/data
patches=("$data"/images/*.png)
[ -f "$data/labels.csv" ] && [ "${#patches[@]}" -eq 200 ] || { tail "$work/log"; exit 1; }

cat >"$work/profile.toml" <<TOML
extends = "demo"
weights = "none"
[input]
size = 64
crop = 64
[train]
batch_size = 2
TOML
train=$(awk -F, 'NR > 1 && $4 ~ /^train/' "$data/labels.csv" | wc -l)
per_epoch=$(((train + 1) / 2))
epochs=$(((steps + per_epoch - 1) / per_epoch))
steps=$((epochs * per_epoch))
epochs_done() { if [ -f "$work/run/epochs.csv" ]; then echo $(($(wc -l <"$work/run/epochs.csv") - 1)); else echo 0; fi; }
watch "$out/train.csv" epochs_done "$epochs" train --data "$data" --out "$work/run" \
  --profile "$work/profile.toml" --train.epochs "$epochs" --device "$device"
judge "$out/train.csv" "$steps steps of training on $device"

mkdir -p "$work/images"
for ((n = 0; n < images; n++)); do ln "${patches[n % ${#patches[@]}]}" "$work/images/$(printf '%05d' "$n").png"; done
predicted() { find "$work/predicted" -name '*_overlay.png' 2>/dev/null | wc -l; }
watch "$out/predict.csv" predicted "$images" predict "$work/images" --model "$work/run" --out "$work/predicted" --device "$device"
judge "$out/predict.csv" "$images predictions on $device"
exit "$failed"
