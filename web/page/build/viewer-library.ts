import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";

/**
 * OpenSeadragon can load tiles from map and image servers whose addresses it holds. The page never does, and its
 * policy refuses it; without `http:` before them none of its texts has an address of another origin.
 */
export function withoutAddresses(): Plugin {
  return {
    name: "histomask-without-addresses",
    transform(code, id) {
      if (!/[\\/]openseadragon[\\/]/.test(id)) return null;
      return { code: code.replace(/https?:\/\//g, ""), map: null };
    },
  };
}

/** What licences of libraries ask to go with them, as a file of the site. */
export function licences(root: string): Plugin {
  return {
    name: "histomask-licences",
    apply: "build",
    generateBundle() {
      const texts = [
        ["OpenSeadragon", "openseadragon/LICENSE.txt"],
        ["client-zip", "client-zip/LICENSE.txt"],
      ].map(([name, file]) => `${name}\n\n${readFileSync(join(root, "node_modules", file ?? ""), "utf8").trim()}\n`);
      this.emitFile({ type: "asset", fileName: "licences.txt", source: texts.join(`\n${"-".repeat(80)}\n\n`) });
    },
  };
}
