#!/usr/bin/env bash
# What runs in a browser, in a real one: headless Chromium, whose WebGPU here is SwiftShader's, on the CPU.
#
#     scripts/web-tests.sh [kernels | page [SUITE…]]        default: both
#
# kernels: tests/browser, built for wasm32: every WGSL kernel against its CPU twin in the same tab.
# page: the app as scripts/web.sh builds it, beside the native program: numbers, controls, downloads, failures, privacy,
# sizes (tests/browser/page). Its screenshots go to CARGO_TARGET_DIR/web-tools/screenshots.
#
# As root on Debian it installs what is missing (wasm toolchain, Chromium, Node.js); wasm-bindgen and what drives the
# browser go to CARGO_TARGET_DIR/web-tools. One line for each check; a part's last line counts them as cargo does. Exit
# code 1 if one failed, else 77 if a part was skipped: what to install is said.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
exec </dev/null

# shellcheck source=scripts/web-tools.sh
source scripts/web-tools.sh
# what the tests of the page read tables, archives and pictures with
libraries=(csv-parse@7.0.3 adm-zip@0.6.1 pngjs@7.0.0 axe-core@4.14.1)

skip() {
  echo "skipped: in a browser, $*"
  return 77
}

install_libraries() {
  local missing=() library
  for library in "${libraries[@]}"; do
    grep -qs "\"version\": \"${library#*@}\"" "$tools/node_modules/${library%@*}/package.json" || missing+=("$library")
  done
  [ ${#missing[@]} = 0 ] || npm install --no-audit --no-fund --ignore-scripts --prefix "$tools" "${missing[@]}" >&2
}

kernels() {
  wasm_build histomask-browser-tests || return 1
  wasm_package histomask_browser_tests "$tools/browser-tests" || return 1
  node tests/browser/run.mjs "$tools/browser-tests" "$tools" "$(browser)"
  case $? in
    0) ;;
    2) skip "kernels; it has no WebGPU" ;;
    *) return 1 ;;
  esac
}

page() {
  node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)' ||
    { skip "the page; install Node.js 20.19 or newer"; return; }
  install_libraries || { skip "the page; npm could not fetch ${libraries[*]}"; return; }
  # the whole workspace, as its tests do: with other features its dependencies would be compiled again
  cargo build --release --workspace --lib --bins --example large-slide || return 1
  scripts/web.sh "$tools/page" || return 1
  WEB_TESTS_MODULES=$tools/node_modules node tests/browser/page/run.mjs \
    "$tools/page" "$CARGO_TARGET_DIR/release/histomask" "$(browser)" "$tools/screenshots" "$@"
}

scripts/wasm-toolchain.sh >/dev/null || { skip "all; rustup target add $target"; exit; }
wasm_bindgen || { skip "all; cargo install wasm-bindgen-cli, in the version of Cargo.lock"; exit; }
chromium_and_playwright || { skip "all; install Chromium, and Node.js with npm"; exit; }

status=0
run() {
  "$@"
  case $? in
    0) ;;
    77) [ $status = 1 ] || status=77 ;;
    *) status=1 ;;
  esac
}
case ${1:-all} in
  all) run kernels; run page ;;
  kernels | page) run "$@" ;;
  *) echo "web-tests.sh [kernels | page [SUITE…]]" >&2; exit 2 ;;
esac
exit $status
