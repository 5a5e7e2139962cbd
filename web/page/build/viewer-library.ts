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
