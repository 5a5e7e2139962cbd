import { join } from "node:path";
import { defineConfig } from "vite";
import { built } from "./page/build/define.ts";
import { readHeaders } from "./page/build/headers.ts";
import { manifest } from "./page/build/manifest.ts";
import { offline } from "./page/build/offline.ts";
import { policy } from "./page/build/policy.ts";
import { licences, withoutAddresses } from "./page/build/viewer-library.ts";

const here = import.meta.dirname;
const page = join(here, "page");
const headers = readHeaders(join(page, "headers.txt"));

export default defineConfig({
  root: page,
  // relative addresses: the folder may be hosted under any path
  base: "./",
  publicDir: false,
  plugins: [withoutAddresses(), licences(here), policy(headers), manifest(page), offline(headers)],
  worker: { format: "es" },
  define: built(here),
  server: { fs: { allow: [join(here, "..")] } },
  build: {
    outDir: join(here, "dist"),
    emptyOutDir: true,
    target: "es2022",
    // the policy allows no data: addresses
    assetsInlineLimit: 0,
    modulePreload: false,
    chunkSizeWarningLimit: 500,
    rolldownOptions: {
      input: { index: join(page, "index.html"), sw: join(page, "sw.ts") },
      output: { entryFileNames: ({ name }) => (name === "sw" ? "sw.js" : "assets/[name]-[hash].js") },
    },
  },
});
