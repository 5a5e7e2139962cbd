#!/usr/bin/env bash
# Makes `cargo build --target wasm32-unknown-unknown` possible. Prints `export NAME=value` lines on stdout and
# progress on stderr:
#
#     eval "$(scripts/wasm-toolchain.sh)"
#     "$WASM_CARGO" build --target wasm32-unknown-unknown --package histomask-core ...
#
# WASM_TOOLCHAIN picks where the target's standard library comes from:
#   rustup  `rustup target add`, the ordinary way on a developer's machine
#   debian  Debian's rustc-web package, as root: for machines that reach Debian's archive but not rustup's server.
#           The library is compiled once from Debian's sources (2 minutes on 2 cores) and kept with that compiler
#   auto    (default) whichever is installed; else debian where root can install it; else rustup
set -euo pipefail

target=wasm32-unknown-unknown
minimum=1.95 # rust-version in Cargo.toml
debian_rustc=/usr/bin/rustc
debian_cargo=/usr/bin/cargo
debian_sources=/usr/lib/rustlib/src/rust/library/std

say() { echo "wasm-toolchain: $*" >&2; }
die() {
  say "$*"
  exit 1
}

# $1: a rustc; true when its sysroot holds the target's standard library
has_std() {
  local sysroot
  sysroot=$("$1" --print sysroot 2>/dev/null) || return 1
  compgen -G "$sysroot/lib/rustlib/$target/lib/libstd-*.rlib" >/dev/null
}

debian_version() { apt-cache policy rustc-web 2>/dev/null | sed -n 's/^ *Candidate: //p' | grep -v '^(none)$'; }

new_enough() { dpkg --compare-versions "$(debian_version)" ge "$minimum"; }

# true when root can install a new enough rustc-web with apt; the package lists may be missing or old
debian_offers() {
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && command -v dpkg >/dev/null || return 1
  new_enough || { apt-get update >&2 </dev/null && new_enough; }
}

apt_install() {
  DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@" >&2 </dev/null
}

choose() {
  if [ -x "$debian_rustc" ] && [ -x "$debian_cargo" ] && has_std "$debian_rustc"; then echo debian
  elif command -v rustc >/dev/null && has_std rustc; then echo rustup
  elif debian_offers; then echo debian
  else echo rustup; fi
}

# Compiles std for the target and moves it into the Debian compiler's sysroot.
build_std() {
  local work lib
  say "building the standard library for $target with $("$debian_rustc" -V)"
  work=$(mktemp -d)
  # shellcheck disable=SC2064  # expand now: `work` is local
  trap "rm -rf '$work'" EXIT
  mkdir "$work/src"
  echo '#![no_std]' >"$work/src/lib.rs"
  cat >"$work/Cargo.toml" <<'TOML'
[package]
name = "std-carrier"
version = "0.0.0"
edition = "2021"

[profile.release]
debug = false

[workspace]
TOML
  # RUSTC_BOOTSTRAP for this step alone: crates built later must not take a stable compiler for a nightly one.
  # Bitcode is embedded so that link-time optimisation works across the library.
  (cd "$work" && env RUSTC="$debian_rustc" RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Cembed-bitcode=yes CARGO_TARGET_DIR="$work/target" \
    "$debian_cargo" build --release -Z build-std=std,panic_abort,test --target "$target") >&2
  lib=$("$debian_rustc" --print sysroot)/lib/rustlib/$target/lib
  rm -rf "$lib.new"
  mkdir -p "$lib.new"
  cp "$work/target/$target/release/deps/"*.rlib "$lib.new/"
  rm -f "$lib.new/"libstd_carrier-*.rlib
  rm -rf "$lib"
  mv "$lib.new" "$lib"
  has_std "$debian_rustc" || die "no libstd came out of the build in $lib; see the messages above"
  say "installed $(find "$lib" -name '*.rlib' | wc -l) libraries in $lib"
}

# Debian's rustc-web ships no linker for wasm: a rustup toolchain's rust-lld serves, else Debian's LLVM 22.
find_linker() {
  local lld
  lld=$(compgen -G "${RUSTUP_HOME:-${HOME:-/root}/.rustup}/toolchains/*/lib/rustlib/*/bin/rust-lld" | head -n 1 || true)
  if [ -z "$lld" ]; then
    command -v wasm-ld-22 >/dev/null || apt_install lld-22
    lld=$(command -v wasm-ld-22) || die "no linker: install lld-22"
  fi
  echo "$lld"
}

mode=${WASM_TOOLCHAIN:-auto}
[ "$mode" = auto ] && mode=$(choose)
case $mode in
  rustup)
    if ! has_std rustc; then
      command -v rustup >/dev/null || die "install rustup (https://rustup.rs), or run this as root on Debian"
      rustup target add "$target" >&2 </dev/null || die "rustup could not add $target; is its server reachable?"
    fi
    say "using $(rustc -V)"
    echo "export WASM_CARGO=cargo"
    ;;
  debian)
    if ! [ -x "$debian_rustc" ] || ! [ -x "$debian_cargo" ] || ! [ -d "$debian_sources" ]; then
      debian_offers || die "needs root and Debian's rustc-web $minimum or newer"
      say "installing rustc-web, cargo-web and rust-web-src"
      apt_install rustc-web cargo-web rust-web-src
    fi
    has_std "$debian_rustc" || build_std
    linker=$(find_linker)
    say "using $("$debian_rustc" -V), linker $linker"
    printf 'export %s\n' "RUSTC=$debian_rustc" "WASM_CARGO=$debian_cargo" \
      "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=$linker"
    ;;
  *) die "WASM_TOOLCHAIN is '$mode'; it must be auto, debian or rustup" ;;
esac
