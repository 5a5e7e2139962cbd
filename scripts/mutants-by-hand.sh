#!/usr/bin/env bash
# Which changes within chains of tensor calls no test would notice: cargo-mutants (`scripts/mutants.sh`) leaves those out.
#
#     scripts/mutants-by-hand.sh [FOLDER] [NUMBER ...]
#
# Each line of `mutants-by-hand.tsv` names a file, an expression that stands there, and what else to say in its place; its
# number is that of the line. All of them are built at once into a copy of the checkout (FOLDER, ../mutants-by-hand), each
# behind a switch that a variable of the environment throws, so that a mutant costs a run of the tests and no build. What
# survived is printed and lies in FOLDER/survived.tsv.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

list=$PWD/scripts/mutants-by-hand.tsv
copy=${1:-../mutants-by-hand}
shift || true
mkdir -p "$copy" && copy=$(realpath "$copy")

declare -A text
number=0
while IFS=$'\t' read -r file said instead; do
  number=$((number + 1))
  [[ -v text[$file] ]] || text[$file]=$(<"$file")
  if [[ ${text[$file]} != *"$said"* ]]; then
    echo "line $number: $file does not say: $said" >&2
    exit 2
  fi
  switch=crate::mutant
  [[ $file == core/* ]] || switch=histomask_core::mutant
  text[$file]=${text[$file]/"$said"/"(if !$switch($number) { $said } else { $instead })"}
done <"$list"
text[core/src/lib.rs]="$(<core/src/lib.rs)

/// Whether this mutant is the one to run.
pub fn mutant(number: u32) -> bool {
    static CHOSEN: std::sync::OnceLock<Option<u32>> = std::sync::OnceLock::new();
    let chosen = || std::env::var(\"HISTOMASK_MUTANT\").ok().and_then(|number| number.parse().ok());
    *CHOSEN.get_or_init(chosen) == Some(number)
}"
# a file that is the same is not built again
git ls-files -z | grep -zv '^fuzz/' | while IFS= read -rd '' file; do
  if [[ -v text[$file] ]]; then
    [[ -f $copy/$file && $(<"$copy/$file") == "${text[$file]}" ]] || {
      mkdir -p "$copy/${file%/*}"
      printf '%s\n' "${text[$file]}" >"$copy/$file"
    }
  else
    cmp -s "$file" "$copy/$file" || cp --parents "$file" "$copy"
  fi
done

cd "$copy"
export HISTOMASK_VECTORS=$copy/tests/vectors.json VK_DRIVER_FILES=/dev/null PROPTEST_CASES=${PROPTEST_CASES:-64}
judges=(parity mask_kernels properties methods method_terms learning)
if ! cargo test --release --workspace --lib "${judges[@]/#/--test=}" --no-run >build.log 2>&1; then
  grep -A 12 '^error' build.log >&2
  exit 2
fi
program() { sed -nE "s|^ *Executable $1 \((.*)\)$|\1|p" build.log | head -n 1; }
core=$(grep -oE '[^(]*histomask_core-[0-9a-f]+' build.log | tail -n 1)
native=$(grep -oE '[^(]*/histomask-[0-9a-f]+' build.log | tail -n 1)

# runs of the whole program take minutes and judge little of this
judged() {
  timeout 120 "$core" -q --skip slide --skip outline --skip backbone --skip kernel &&
    timeout 60 "$native" -q sgd &&
    timeout 120 "$(program tests/parity.rs)" -q --skip vulkan --skip parameter_counts --skip feature_map --skip schedules --skip sizes_ &&
    timeout 120 "$(program tests/methods.rs)" -q --skip end_to_end --skip u_net_learns --skip all_ones --skip cam_avg \
      --skip abnormal --skip resumes --skip parameter_counts &&
    timeout 120 "$(program tests/method_terms.rs)" -q &&
    timeout 120 "$(program tests/mask_kernels.rs)" -q --skip vulkan &&
    timeout 120 "$(program tests/properties.rs)" -q --skip resampl --skip weights --skip half --skip damaged --skip noise &&
    timeout 300 "$(program tests/learning.rs)" -q
} >judged.log 2>&1

if ! HISTOMASK_MUTANT='' judged; then
  echo "the tests fail without any mutant: $copy/judged.log" >&2
  exit 2
fi
[[ $# -gt 0 ]] || : >survived.tsv
killed=0 survived=0 number=0
while IFS=$'\t' read -r file said instead; do
  number=$((number + 1))
  [[ $# -eq 0 || " $* " == *" $number "* ]] || continue
  if HISTOMASK_MUTANT=$number judged; then
    survived=$((survived + 1))
    printf '%s\t%s\t%s\t%s\n' "$number" "$file" "$said" "$instead" | tee -a survived.tsv
  else
    killed=$((killed + 1))
  fi
done <"$list"
echo "$killed killed, $survived survived"
