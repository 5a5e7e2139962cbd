#!/usr/bin/env bash
# Which changes of losses, masks, pooling, metrics and the optimizer no test would notice.
#
#     scripts/mutants.sh [FOLDER] [ARGUMENTS OF cargo mutants]
#     scripts/mutants.sh /tmp/mutants --file 'src/metric/*.rs'
#
# Needs cargo-mutants. A build of the workspace for each mutant takes minutes; so the modules are copied into a small crate
# of a copy of the checkout (FOLDER, ../mutants-scratch), with their own tests and those of tests/tests that judge them,
# on the CPU: seconds. The rest, which is not changed, is `histomask_core`. What was found lies in FOLDER/mutants.out.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

copy=${1:-../mutants-scratch}
shift || true
mkdir -p "$copy" && copy=$(realpath "$copy")
crate=$copy/judged
git ls-files -z | grep -zv '^fuzz/' | xargs -0 cp --parents --preserve=timestamps --update -t "$copy"
rm -rf "$crate" && mkdir -p "$crate/src/judges"

cp Cargo.toml "$copy/Cargo.toml"
sed -i 's/^members = \[/&"judged", /' "$copy/Cargo.toml"
# tables of their own: cargo takes dotted ones after the table they extend
cat >>"$copy/Cargo.toml" <<'TOML'

[profile.release.package.judged]
opt-level = 0
codegen-units = 16
incremental = true
TOML
cat >"$crate/Cargo.toml" <<'TOML'
[package]
name = "judged"
version = "0.0.0"
edition.workspace = true
publish = false

[lib]
doctest = false

[dependencies]
histomask-core.workspace = true
histomask.workspace = true
histomask-tests = { path = "../tests" }
burn.workspace = true
proptest = { version = "1.12", default-features = false, features = ["std"] }
serde.workspace = true
serde_json.workspace = true
thiserror.workspace = true
TOML

cp -r core/src/loss core/src/mask core/src/metric core/src/pooling native/src/train/sgd.rs "$crate/src"
# choices of `core` are non-exhaustive to others; so the arms of each choice become mutants too
sed -i -E 's/^( +)(BackgroundTerm::None|LogBase::E|BarrierKind::None|MinMax::None) => .*,$/&\n\1_ => unreachable!(),/' \
  "$crate"/src/{loss,mask}/*.rs
cat >"$crate/src/lib.rs" <<'RUST'
pub use histomask_core::*;
#[cfg(test)]
mod composed;
#[cfg(test)]
mod judges;
pub mod loss;
pub mod mask;
pub mod metric;
pub mod pooling;
pub mod sgd;
RUST

# what the kernels are compared with, on the changed `mask`
{
  echo 'use burn::tensor::Tensor;'
  echo 'use crate::kernel::{MaskSpec, MaskedImages};'
  echo 'use crate::mask::{masked, min_max, region_sizes, soft_threshold};'
  echo 'use crate::resample::bilinear;'
  sed -n '/^\/\/\/ \[`soft_mask`\] in burn/,$p' core/src/kernel/mask/mod.rs
} >"$crate/src/composed.rs"

# the judges see the changed modules; `Term` stays that of the network they also run
changed() {
  sed -E -e 's/histomask_core::(loss|mask|metric|pooling)::/crate::\1::/g' \
    -e 's/use crate::loss::\{Term, /use histomask_core::loss::Term;\nuse crate::loss::{/' \
    -e 's/(mask_images|soft_mask), (mask_images_composed|soft_mask_composed)/\1/g' "$@"
}
for judge in parity properties mask_kernels; do
  changed "tests/tests/$judge.rs" >"$crate/src/judges/$judge.rs"
  echo "mod $judge;" >>"$crate/src/judges/mod.rs"
done
echo 'use crate::composed::{mask_images_composed, soft_mask_composed};' >>"$crate/src/judges/mask_kernels.rs"
{
  echo 'use burn::tensor::Device;'
  echo 'use crate::pooling::{average, log_sum_exp, maximum};'
  echo 'use histomask_tests::{assert_close, tensor, values, vectors};'
  echo 'const F32: f64 = 1e-5;'
  echo '#[test]'
  sed -n '/^fn poolings_of_the_cam_methods/,/^}/p' tests/tests/methods.rs
} >"$crate/src/judges/methods.rs"
echo 'mod methods;' >>"$crate/src/judges/mod.rs"

# they judge nothing of what is changed
skip=()
for test in vulkan weights half_precision damaged noise resampl schedules sizes_ parameter_counts feature_map; do
  skip+=(--skip "$test")
done
cd "$copy"
export HISTOMASK_VECTORS=$copy/tests/vectors.json CUBECL_AUTOTUNE_LEVEL=minimal VK_DRIVER_FILES=/dev/null
exec cargo mutants --in-place --package judged --cargo-arg=--release --timeout 60 "$@" -- --lib -- "${skip[@]}"
