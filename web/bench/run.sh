#!/usr/bin/env bash
# The browser's benchmark beside ONNX Runtime Web: installs the peers outside of the repository, exports the network for
# the image, and runs run.mjs, whose header says how to read it.
#
#     scripts/web.sh                                   # makes web/pkg
#     web/bench/run.sh [--image FILE] [--top topk|rank] [options of run.mjs]
#
# Needs Node.js, Python 3 with venv, and Chromium. ONNX Runtime Web and Playwright (npm) go to
# CARGO_TARGET_DIR/web-tools, the exporter's packages (PyPI) to CARGO_TARGET_DIR/web-bench.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

target="${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/histomask-target}"
tools=$target/web-tools
bench=$target/web-bench
packages=(playwright-core@1.60.0 onnxruntime-web@1.30.0)
wheels=(onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6 safetensors==0.8.0 pillow==13.0.0)

image=web/page/samples/cmu-1-dermis.jpg
# the same numbers in operators that run on the GPU, so that ONNX Runtime need not come back to the CPU for them
top=rank
rest=()
while [ $# -gt 0 ]; do
  case $1 in
    --image) image=$2; shift 2 ;;
    --top) top=$2; shift 2 ;;
    *) rest+=("$1"); shift ;;
  esac
done

[ -f web/pkg/histomask_web.js ] || { echo "web/pkg is missing: run scripts/web.sh first" >&2; exit 2; }
chromium=$(command -v chromium || command -v google-chrome) || { echo "install Chromium" >&2; exit 2; }

wanted() { grep -qs "\"version\": \"${1##*@}\"" "$tools/node_modules/${1%@*}/package.json"; }
for package in "${packages[@]}"; do
  wanted "$package" || npm install --no-audit --no-fund --no-save --prefix "$tools" "${packages[@]}" >&2
done
[ -x "$bench/bin/python" ] || python3 -m venv "$bench"
"$bench/bin/pip" install --quiet --disable-pip-version-check "${wheels[@]}" >&2

onnx=$bench/model.onnx
"$bench/bin/python" web/bench/export_onnx.py --size-of "$image" --top "$top" "$onnx" >&2
exec node web/bench/run.mjs --tools "$tools" --onnx "$onnx" --image "$image" --chromium "$chromium" \
  ${rest[@]+"${rest[@]}"}
