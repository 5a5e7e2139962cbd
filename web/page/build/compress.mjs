// node compress.mjs FOLDER: writes FILE.br and FILE.gz beside every file that gets smaller by it, for servers that offer
// them.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const folder = process.argv[2];
for (const name of readdirSync(folder, { recursive: true })) {
  if (!/\.(html|js|css|json|webmanifest|svg|wasm)$/.test(name)) continue;
  const file = readFileSync(join(folder, name));
  const params = { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_LGWIN]: 24 };
  writeFileSync(join(folder, `${name}.br`), brotliCompressSync(file, { params }));
  writeFileSync(join(folder, `${name}.gz`), gzipSync(file, { level: 9 }));
}
