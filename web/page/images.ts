import { Stems } from "./names";
import type { Caution, Findings, ImageRef, Line, Style } from "./protocol";

/** Larger files are not read as pictures. */
export const MOST_BYTES = 256 * 1024 * 1024;

export type State =
  | { readonly kind: "waiting" | "running" | "cancelled" }
  /** seconds: what the user waited for it. */
  | { readonly kind: "done"; readonly findings: Findings; readonly seconds: number }
  /** again: whether a second try may help. */
  | { readonly kind: "failed"; readonly message: string; readonly again: boolean };

/** A file, and where it lies below the folder that was chosen. */
export interface Found {
  readonly file: File;
  readonly path: string;
}

/** An image of the list. */
export interface Item {
  readonly id: number;
  /** Its path below the folder chosen, or its name. */
  readonly name: string;
  /** The same without its extension, legal on every system, numbered where another image has it. */
  readonly stem: string;
  readonly file: File;
  /** Refused unread; no second try helps. */
  readonly refused: boolean;
  state: State;
  chosen: number | null;
  /** Foreground pixels of masks that were painted, by class and threshold. */
  readonly foreground: Map<string, number>;
  /** A caution by scale, and the microns per pixel that it was said at. */
  scale: { readonly mpp: number | null; readonly caution: Caution | null } | undefined;
}

/** The images of the list and what is known of them. */
export class Images {
  readonly all: Item[] = [];
  private next = 1;
  private readonly stems = new Stems();

  add(found: readonly Found[]): Item[] {
    const items = found.map(({ file, path }): Item => {
      const refused = refusal(file);
      return {
        id: this.next++,
        name: path,
        stem: this.stems.take(path),
        file,
        refused: refused !== null,
        state: refused ? { kind: "failed", message: refused, again: false } : { kind: "waiting" },
        chosen: null,
        foreground: new Map(),
        scale: undefined,
      };
    });
    this.all.push(...items);
    return items;
  }

  remove(item: Item): void {
    this.all.splice(this.all.indexOf(item), 1);
    this.stems.free(item.stem);
  }

  clear(): void {
    this.all.length = 0;
    this.stems.clear();
  }

  done(): Item[] {
    return this.all.filter((item) => item.state.kind === "done");
  }
}

export function reference({ id, file, chosen }: Item): ImageRef {
  return { id, file, chosen };
}

/** An image's own microns per pixel, else those typed. */
export function micronsPerPixel({ state }: Item, typed: number | null): number | null {
  return (state.kind === "done" ? state.findings.mpp : null) ?? typed;
}

/** All that makes a result doubtful. */
export function cautions({ state, scale }: Item): Caution[] {
  if (state.kind !== "done") return [];
  return scale?.caution ? [...state.findings.cautions, scale.caution] : [...state.findings.cautions];
}

/** By which an item's foreground is remembered. */
export function foregroundKey({ chosen }: Item, { threshold }: Style): string {
  return `${chosen}/${threshold}`;
}

/** An image's line of a table; none before it is done. */
export function lineOf(item: Item, foreground: number, typed: number | null): Line[] {
  const { name, stem, state } = item;
  if (state.kind !== "done") return [];
  const { findings } = state;
  const said = cautions(item).map(({ short }) => short);
  return [{ name, stem, findings, foreground, mpp: micronsPerPixel(item, typed), cautions: said }];
}

/** Why a file is not even opened. */
function refusal(file: File): string | null {
  if (file.size === 0) return "The file is empty (0 bytes). Export or download it again.";
  if (file.size > MOST_BYTES) {
    return `The file has ${Math.round(file.size / 1024 / 1024)} MiB; at most 256 MiB are read. Cut a patch of it.`;
  }
  return null;
}
