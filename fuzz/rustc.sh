#!/usr/bin/env bash
# The compiler of scripts/fuzz.sh, as RUSTC_WRAPPER: branches are counted in what reads files alone, and only that is
# made fast. With burn and wgpu counted too, the build takes much longer, and libFuzzer looks through all counters after
# every case.
set -euo pipefail

case ${CARGO_PKG_NAME:-} in
  histomask* | burn-pack | burn-store | byteorder-lite | csv | csv-core | fdeflate | flate2 | half | hayro-jpeg2000 | \
    image | image-webp | miniz_oxide | png | pytorch-reader | safetensors | serde_core | serde_json | simd-adler32 | \
    tar | tiff | toml | toml_edit | toml_parser | weezl | winnow | zip | zlib-rs | zune-core | zune-jpeg)
    exec "$@" -Copt-level=3
    ;;
esac

arguments=()
for argument in "$@"; do
  case $argument in
    -Cpasses=sancov-module | -Cllvm-args=-sanitizer-coverage-* | -Cllvm-args=-simplifycfg-* | -Ccodegen-units=1) ;;
    *) arguments+=("$argument") ;;
  esac
done
exec "${arguments[@]}"
