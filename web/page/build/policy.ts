import type { Plugin } from "vite";
import { metaPolicy } from "./headers.ts";

/** States the Content-Security-Policy in the page itself, first of all, for file servers that send no headers. */
export function policy(headers: readonly (readonly [string, string])[]): Plugin {
  return {
    name: "histomask-policy",
    apply: "build",
    transformIndexHtml: () => [
      {
        tag: "meta",
        attrs: { "http-equiv": "Content-Security-Policy", content: metaPolicy(headers) },
        injectTo: "head-prepend",
      },
    ],
  };
}
