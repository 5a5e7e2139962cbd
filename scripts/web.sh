#!/usr/bin/env bash
# Builds the browser app: a static folder that any file server can host, and `histomask serve`. Also what `npm pack` in
# web/ packs for other pages (web/README.md).
#
#     scripts/web.sh [FOLDER]        default: web/dist
#
# Needs Rust with the target wasm32-unknown-unknown (`rustup target add` does it; as root on Debian the script installs
# its own) and Node.js with npm. wasm-bindgen goes to CARGO_TARGET_DIR/web-tools. The first run compiles burn for the
# browser, some 12 minutes on 2 cores (docs/BENCHMARKS.md); later ones are quick.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/web-tools.sh
source scripts/web-tools.sh
out=$(realpath -m "${1:-web/dist}")

node_and_npm || { echo "install Node.js 20 or newer with npm: https://nodejs.org" >&2; exit 2; }
wasm_build histomask-web
wasm_bindgen
wasm_package histomask_web web/pkg
cd web
npm ci --no-audit --no-fund --ignore-scripts
npm run check
npm run build -- --outDir "$out" --emptyOutDir
npm run package
node page/build/compress.mjs "$out"
echo "the app is in $out; host it with: histomask serve --dir $out"
