import type { ExportItem, Findings, ImageRef } from "./protocol";

/** Larger files are not read at all. */
const MOST_BYTES = 256 * 1024 * 1024;

export type State =
  | { readonly kind: "waiting" | "running" | "cancelled" }
  | { readonly kind: "done"; readonly findings: Findings }
  /** again: whether a second try may help. */
  | { readonly kind: "failed"; readonly message: string; readonly again: boolean };

/** An image of the list. */
export interface Item {
  readonly id: number;
  readonly name: string;
  /** The name without its extension, numbered where another image has it. */
  readonly stem: string;
  readonly file: File;
  /** Refused unread; no second try helps. */
  readonly refused: boolean;
  state: State;
  chosen: number | null;
}

/** The images of the list and what is known of them. */
export class Images {
  readonly all: Item[] = [];
  private next = 1;
  private readonly stems = new Set<string>();

  add(files: readonly File[]): Item[] {
    const items = files.map((file): Item => {
      const refused = refusal(file);
      const state: State = refused ? { kind: "failed", message: refused, again: false } : { kind: "waiting" };
      const stem = this.freeStem(file.name);
      return { id: this.next++, name: file.name, stem, file, refused: refused !== null, state, chosen: null };
    });
    this.all.push(...items);
    return items;
  }

  remove(item: Item): void {
    this.all.splice(this.all.indexOf(item), 1);
    this.stems.delete(item.stem);
  }

  clear(): void {
    this.all.length = 0;
    this.stems.clear();
  }

  done(): Item[] {
    return this.all.filter((item) => item.state.kind === "done");
  }

  private freeStem(name: string): string {
    const dot = name.lastIndexOf(".");
    // as it becomes a name in an archive, nothing in it may look like a folder
    const stem = (dot > 0 ? name.slice(0, dot) : name).replace(/[\\/:\u0000-\u001f]/g, "_") || "image";
    let free = stem;
    for (let number = 2; this.stems.has(free); number += 1) free = `${stem}-${number}`;
    this.stems.add(free);
    return free;
  }
}

export function reference({ id, file, chosen }: Item): ImageRef {
  return { id, file, chosen };
}

export function exported(item: Item): ExportItem {
  return { ...reference(item), name: item.name, stem: item.stem };
}

/** Why a file is not even opened. */
function refusal(file: File): string | null {
  if (file.size === 0) return "The file is empty (0 bytes). Export or download it again.";
  if (file.size > MOST_BYTES) {
    return `The file has ${Math.round(file.size / 1024 / 1024)} MiB; at most 256 MiB are read. Cut a patch of it.`;
  }
  return null;
}
