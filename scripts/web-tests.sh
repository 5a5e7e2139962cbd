#!/usr/bin/env bash
# The WGSL kernels in a real browser: builds tests/browser for wasm32 and runs it in headless Chromium, whose WebGPU
# here is SwiftShader's, on the CPU.
#
#     scripts/web-tests.sh
#
# As root on Debian it installs what is missing (wasm toolchain, Chromium, Node.js); wasm-bindgen and playwright-core go
# to CARGO_TARGET_DIR/web-tools. One line for each check; the last line counts them as cargo does. Exit code 1 if one
# failed, 77 if they were skipped: what to install is said.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
exec </dev/null

export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/histomask-target}"
target=wasm32-unknown-unknown
tools=$CARGO_TARGET_DIR/web-tools
playwright=1.60.0

skip() {
  echo "skipped: kernels in a browser; $*"
  exit 77
}

# in Debian's repositories
apt_install() {
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return
  local get=(apt-get -o DPkg::Lock::Timeout=300)
  export DEBIAN_FRONTEND=noninteractive
  "${get[@]}" install -y --no-install-recommends "$@" ||
    { "${get[@]}" update && "${get[@]}" install -y --no-install-recommends "$@"; }
}

# of the crate in the lock file, which the program must equal
wasm_bindgen() {
  local version
  version=$(awk '/^name = "wasm-bindgen"$/ { getline; gsub(/version = |"/, ""); print; exit }' Cargo.lock)
  "$tools/bin/wasm-bindgen" --version 2>/dev/null | grep -qx "wasm-bindgen $version" && return
  # it runs for seconds: optimising it would take longer
  CARGO_PROFILE_RELEASE_OPT_LEVEL=1 cargo install wasm-bindgen-cli --version "$version" --no-default-features \
    --bin wasm-bindgen --root "$tools" --target-dir "$tools/build"
}

# in a subshell: the toolchain's variables are for this build alone
wasm_build() (
  eval "$toolchain"
  "$WASM_CARGO" build --profile wasm-check --target "$target" --package histomask-browser-tests
)

toolchain=$(scripts/wasm-toolchain.sh) || skip "rustup target add $target"
wasm_build || exit 1

wasm_bindgen || skip "cargo install wasm-bindgen-cli, in the version of Cargo.lock"
"$tools/bin/wasm-bindgen" --target web --no-typescript --out-dir "$tools/browser-tests" \
  "$CARGO_TARGET_DIR/$target/wasm-check/histomask_browser_tests.wasm" || exit 1

browser() { command -v chromium || command -v google-chrome; }
browser >/dev/null || apt_install chromium >&2
browser >/dev/null || skip "install Chromium"
command -v node >/dev/null && command -v npm >/dev/null || apt_install nodejs npm >&2
installed=$tools/node_modules/playwright-core/package.json
grep -qs "\"version\": \"$playwright\"" "$installed" ||
  npm install --no-audit --no-fund --prefix "$tools" "playwright-core@$playwright" ||
  skip "install Node.js with npm; playwright-core comes from npm's registry"

node tests/browser/run.mjs "$tools/browser-tests" "$tools" "$(browser)"
case $? in
  0) ;;
  2) skip "this browser has no WebGPU" ;;
  *) exit 1 ;;
esac
