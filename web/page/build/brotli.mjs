// node brotli.mjs FOLDER: writes FILE.br beside every file that gets smaller by it, for servers that offer it.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";

const folder = process.argv[2];
for (const name of readdirSync(folder, { recursive: true })) {
  if (!/\.(html|js|css|json|webmanifest|svg|wasm)$/.test(name)) continue;
  const file = readFileSync(join(folder, name));
  const params = { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_LGWIN]: 24 };
  writeFileSync(join(folder, `${name}.br`), brotliCompressSync(file, { params }));
}
