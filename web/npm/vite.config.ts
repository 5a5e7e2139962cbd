import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig, type Plugin } from "vite";
import { built } from "../page/build/define.ts";

const here = import.meta.dirname;
const root = join(here, "..");

/** The licences go with the package, and its version is the workspace's. */
function papers(): Plugin {
  return {
    name: "histomask-papers",
    writeBundle({ dir }) {
      for (const name of ["LICENSE-MIT", "LICENSE-APACHE"]) copyFileSync(join(root, "..", name), join(dir ?? "", name));
      const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
      const ours = (JSON.parse(define["__BUILD__"] ?? "{}") as { version: string }).version;
      if (version !== ours) throw new Error(`package.json states version ${version}, Cargo.toml ${ours}`);
    },
  };
}

const define = built(root);

/** The package: Worker and program as the page has them, without page and model. */
export default defineConfig({
  root: here,
  base: "./",
  publicDir: false,
  plugins: [papers()],
  worker: { format: "es" },
  define,
  build: {
    outDir: join(here, "dist"),
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: false,
    rolldownOptions: {
      input: join(here, "histomask.ts"),
      preserveEntrySignatures: "strict",
      output: { entryFileNames: "[name].js" },
    },
  },
});
