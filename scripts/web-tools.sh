# What the scripts for the browser share; sourced in the repository's root, never run.
# shellcheck shell=bash

export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/histomask-target}"
target=wasm32-unknown-unknown
tools=$CARGO_TARGET_DIR/web-tools
playwright=1.60.0

can_apt() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

# in Debian's repositories; the package lists may be missing or old
apt_install() {
  can_apt || return
  local get=(apt-get -o DPkg::Lock::Timeout=300)
  export DEBIAN_FRONTEND=noninteractive
  "${get[@]}" install -y --no-install-recommends "$@" ||
    { "${get[@]}" update && "${get[@]}" install -y --no-install-recommends "$@"; }
}

# Compiles packages for the browser; in a subshell, as the toolchain's variables are for this build alone.
wasm_build() (
  toolchain=$(scripts/wasm-toolchain.sh) || exit
  eval "$toolchain"
  # every browser with WebGPU has had it for years
  export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS="-Ctarget-feature=+simd128"
  "$WASM_CARGO" build --profile web --target "$target" "${@/#/--package=}"
)

# Installs wasm-bindgen in the version of the lock file, which crate and program must share.
wasm_bindgen() {
  local version
  version=$(awk '/^name = "wasm-bindgen"$/ { getline; gsub(/version = |"/, ""); print; exit }' Cargo.lock)
  "$tools/bin/wasm-bindgen" --version 2>/dev/null | grep -qx "wasm-bindgen $version" && return
  # it runs for seconds: optimising it would take longer
  CARGO_PROFILE_RELEASE_OPT_LEVEL=1 cargo install wasm-bindgen-cli --version "$version" --no-default-features \
    --bin wasm-bindgen --root "$tools" --target-dir "$tools/build"
}

# $1: a library's name; $2: the folder for its JavaScript and its wasm
wasm_package() {
  "$tools/bin/wasm-bindgen" --target web --remove-name-section --remove-producers-section --out-dir "$2" \
    "$CARGO_TARGET_DIR/$target/web/$1.wasm"
}

node_and_npm() {
  command -v node >/dev/null && command -v npm >/dev/null || apt_install nodejs npm >&2
  command -v node >/dev/null && command -v npm >/dev/null
}

browser() { command -v chromium || command -v google-chrome; }

# Headless Chromium and what drives it.
chromium_and_playwright() {
  browser >/dev/null || apt_install chromium >&2
  browser >/dev/null || return
  node_and_npm || return
  grep -qs "\"version\": \"$playwright\"" "$tools/node_modules/playwright-core/package.json" ||
    npm install --no-audit --no-fund --ignore-scripts --prefix "$tools" "playwright-core@$playwright" >&2
}
