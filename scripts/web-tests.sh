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

# shellcheck source=scripts/web-tools.sh
source scripts/web-tools.sh

skip() {
  echo "skipped: kernels in a browser; $*"
  exit 77
}

scripts/wasm-toolchain.sh >/dev/null || skip "rustup target add $target"
wasm_build histomask-browser-tests || exit 1
wasm_bindgen || skip "cargo install wasm-bindgen-cli, in the version of Cargo.lock"
wasm_package histomask_browser_tests "$tools/browser-tests" || exit 1
chromium_and_playwright || skip "install Chromium, and Node.js with npm"

node tests/browser/run.mjs "$tools/browser-tests" "$tools" "$(browser)"
case $? in
  0) ;;
  2) skip "this browser has no WebGPU" ;;
  *) exit 1 ;;
esac
