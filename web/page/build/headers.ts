import { readFileSync } from "node:fs";

/** The response headers that the page, the service worker and `histomask serve` share: lines of `Name: value`. */
export function readHeaders(file: string): [name: string, value: string][] {
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const colon = line.indexOf(": ");
      if (colon < 1) throw new Error(`${file}: not a header: ${line}`);
      return [line.slice(0, colon), line.slice(colon + 2)];
    });
}

/** The policy as a meta element may state it: there `frame-ancestors` and `sandbox` are ignored with a warning. */
export function metaPolicy(headers: readonly (readonly [string, string])[]): string {
  const policy = headers.find(([name]) => name === "Content-Security-Policy")?.[1];
  if (!policy) throw new Error("no Content-Security-Policy among the headers");
  const parts = policy.split(";").map((part) => part.trim());
  return parts.filter((part) => part !== "" && !/^(frame-ancestors|sandbox)\b/.test(part)).join("; ");
}
