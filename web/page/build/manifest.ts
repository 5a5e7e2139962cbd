import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Plugin } from "vite";

interface Manifest {
  icons: { src: string }[];
}

/** Emits manifest.webmanifest with its icons under hashed names. */
export function manifest(folder: string): Plugin {
  return {
    name: "histomask-manifest",
    apply: "build",
    transformIndexHtml: () => [{ tag: "link", attrs: { rel: "manifest", href: "./manifest.webmanifest" } }],
    generateBundle() {
      const content = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8")) as Manifest;
      for (const icon of content.icons) {
        const source = readFileSync(join(folder, icon.src));
        const reference = this.emitFile({ type: "asset", name: basename(icon.src), source });
        icon.src = this.getFileName(reference);
      }
      this.emitFile({ type: "asset", fileName: "manifest.webmanifest", source: JSON.stringify(content) });
    },
  };
}
