#!/usr/bin/env bash
# What a build is made of, as CycloneDX 1.5: names, versions, hashes and licences of all libraries.
#
#     scripts/sbom.sh [FOLDER] [FEATURES]        default: sbom, and no features
#
# histomask.cdx.json is the program for this machine's system, with FEATURES (openslide) if given; web.cdx.json the
# crates in the page's wasm; page.cdx.json the page's npm packages, of which those marked as development build it only.
# cargo-cyclonedx is installed when it is missing; the npm packages need npm, and neither is compiled for this.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/histomask-target}"
export CARGO_TARGET_DIR
tools=$CARGO_TARGET_DIR/sbom-tools
PATH=$PATH:$tools/bin
mkdir -p "${1:-sbom}"
out=$(realpath "${1:-sbom}") features=${2:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

command -v cargo-cyclonedx >/dev/null ||
  CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=off cargo install cargo-cyclonedx --version 0.5.9 --locked \
    --root "$tools" --target-dir "$tools/build"

# In a workspace every member gets the features of all; a release has those of its own. $1: its name; $2: member; the
# rest: cargo-cyclonedx's arguments
crates() {
  local name=$1 member=$2 root=$work/$1 folder
  shift 2
  for folder in shaders core "$member"; do
    mkdir -p "$root/$folder"
    cp "$folder/Cargo.toml" "$root/$folder"
    for part in "$PWD/$folder"/{src,build.rs}; do [ ! -e "$part" ] || ln -s "$part" "$root/$folder"; done
  done
  sed "s|^members = .*|members = [\"shaders\", \"core\", \"$member\"]|; s|^default-members = .*||" Cargo.toml >"$root/Cargo.toml"
  cp Cargo.lock "$root"
  cargo cyclonedx --quiet --manifest-path "$root/Cargo.toml" --format json --spec-version 1.5 \
    --override-filename "$name.cdx" "$@"
  # no paths of this machine
  sed "s|$root||g" "$root/$member/$name.cdx.json" >"$out/$name.cdx.json"
}
crates histomask native ${features:+--features "$features"}
crates web web --target wasm32-unknown-unknown
written=(histomask web)
if command -v npm >/dev/null; then
  npm --prefix web sbom --sbom-format cyclonedx --package-lock-only >"$out/page.cdx.json"
  written+=(page)
else
  echo "skipped: the page's npm packages; install Node.js with npm"
fi

for name in "${written[@]}"; do
  python3 - "$out/$name.cdx.json" <<'PYTHON'
import json, sys
parts = json.load(open(sys.argv[1]))["components"]
without = [part["name"] for part in parts if not part.get("licenses")]
print(f"{sys.argv[1]}: {len(parts)} libraries" + (f", no licence named by {', '.join(without)}" if without else ""))
PYTHON
done
