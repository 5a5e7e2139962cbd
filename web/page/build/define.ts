import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** What the program is told of its build (page/build.d.ts); `root` is the folder web/. */
export function built(root: string): Record<string, string> {
  const version = /^version = "(.+)"$/m.exec(readFileSync(join(root, "../Cargo.toml"), "utf8"))?.[1];
  if (!version) throw new Error("../Cargo.toml states no version");
  return {
    __BUILD__: JSON.stringify({
      version,
      programBytes: statSync(join(root, "pkg/histomask_web_bg.wasm")).size,
      modelBytes: statSync(join(root, "../native/assets/glas.safetensors")).size,
    }),
  };
}
