/** Names that Windows keeps for devices. */
const RESERVED = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])$/i;

/** Longest name of a folder or stem: with a suffix it stays below what file systems allow. */
const LONGEST = 120;

/** One part of a path as every system can store it. */
function legal(part: string): string {
  const name = part
    .normalize("NFC")
    .replace(/[<>:"|?*\\/\u0000-\u001f\u007f]/g, "_")
    .slice(0, LONGEST)
    .replace(/[. ]+$/, "");
  const [stem = ""] = name.split(".");
  return RESERVED.test(stem.trim()) ? `_${name}` : name || "_";
}

/** A path's folders and its name without the ending, legal everywhere. */
export function stemOf(path: string): string {
  const parts = path.split("/").filter((part) => part !== "" && part !== "." && part !== "..");
  const name = parts.pop() ?? "";
  const dot = name.lastIndexOf(".");
  return [...parts, dot > 0 ? name.slice(0, dot) : name || "image"].map(legal).join("/");
}

/** Stems that are taken, on systems that do not tell case or forms of a letter apart too. */
export class Stems {
  private readonly taken = new Set<string>();

  /** The stem of a path, numbered where another has it. */
  take(path: string): string {
    const stem = stemOf(path);
    let free = stem;
    for (let number = 2; this.taken.has(key(free)); number += 1) free = `${stem}-${number}`;
    this.taken.add(key(free));
    return free;
  }

  free(stem: string): void {
    this.taken.delete(key(stem));
  }

  clear(): void {
    this.taken.clear();
  }
}

function key(stem: string): string {
  return stem.normalize("NFC").toLowerCase();
}
