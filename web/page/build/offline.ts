import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import type { Plugin } from "vite";

/** Tells the service worker what the site consists of, once every file has its final name and content. */
export function offline(headers: readonly (readonly [string, string])[]): Plugin {
  return {
    name: "histomask-offline",
    apply: "build",
    writeBundle({ dir }) {
      if (!dir) throw new Error("the build has no folder");
      const script = join(dir, "sw.js");
      const files = readdirSync(dir, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => relative(dir, join(entry.parentPath, entry.name)).split(sep).join("/"))
        .sort();
      const hash = createHash("sha256").update(JSON.stringify(headers));
      for (const file of files) hash.update(file).update(readFileSync(join(dir, file)));
      const parts = files.filter((file) => file !== "sw.js").map((file) => (file === "index.html" ? "./" : file));
      const isLarge = (file: string) => /\.(wasm|safetensors)$/.test(file);
      const site = {
        version: hash.digest("hex").slice(0, 12),
        shell: parts.filter((file) => !isLarge(file)),
        large: parts.filter(isLarge),
        headers,
      };
      const code = readFileSync(script, "utf8");
      if (!code.includes("__SITE__")) throw new Error("sw.js has no place for its list of files");
      writeFileSync(script, code.replaceAll("__SITE__", () => JSON.stringify(site)));
    },
  };
}
