#!/usr/bin/env bash
# A cohort of slides as a Slurm array: `./slurm.sh SLIDES OUT SHARDS [OPTION…]` submits an array of SHARDS jobs and one
# that merges them and makes the table, and prints the number of each. Once these are gone from the queue it may be
# submitted again with the same words, and goes on where it was. Environment: HISTOMASK (the program), SBATCH_… as Slurm
# knows them (partition, account, time).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
slides=$1 out=$2 shards=$3
shift 3
mkdir -p "$out/logs"
export HISTOMASK=${HISTOMASK:-histomask}

# $1: the shard; the rest: options. Exit code 1: a slide failed, the others are done, and the table says which
predict() {
  local shard=$1
  shift
  printf 'RAYON_NUM_THREADS=$SLURM_CPUS_PER_TASK "$HISTOMASK" predict %q --out %q %s' "$slides" "$out" "$shard"
  [ $# = 0 ] || printf ' %q' "$@"
  printf ' || [ $? = 1 ]'
}

array=$(sbatch --parsable --job-name=slides --array="1-$shards" --cpus-per-task=1 --requeue --open-mode=append \
  --output="$out/logs/%a.txt" --wrap "$(predict '--shard $SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT' "$@")")
# after all of them, also where one was killed: then the merge computes what is missing
echo "$array"
sbatch --parsable --job-name=table --dependency="afterany:$array" --cpus-per-task=1 --output="$out/logs/table.txt" --wrap \
  "$(predict '' "$@"); python3 $(printf %q "$here/table.py") $(printf '%q ' "$out/slides.csv" "$out/slides.json" "$out/cohort.csv")"
