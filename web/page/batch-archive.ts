import type { Archive } from "./archive";
import { Cancelled } from "./host-events";
import { words } from "./format";
import { lineOf, reference, type Item } from "./images";
import type { Pool } from "./pool";
import type { Line, Results, Style } from "./protocol";

export interface Batch {
  readonly host: Pool;
  readonly items: readonly Item[];
  readonly style: Style;
  /** Microns per pixel of images whose file does not say. */
  readonly typed: number | null;
  /** So many images are in the archive. */
  progress(done: number): void;
  stopped(): boolean;
}

export interface Failure {
  readonly path: string;
  readonly error: string;
}

/** Results of images, named as `histomask predict` names them; says what is in the archive and what could not be made. */
export async function pack(batch: Batch, archive: Archive): Promise<{ lines: Line[]; failed: Failure[] }> {
  const { items, typed } = batch;
  const lines: Line[] = [];
  const failed: Failure[] = [];
  const ahead = resultsAhead(batch);
  for (const [at, item] of items.entries()) {
    if (batch.stopped()) break;
    batch.progress(at);
    const made = await ahead(at);
    if (made instanceof Cancelled) throw made;
    if (made instanceof Error) {
      failed.push({ path: item.name, error: words(made) });
      continue;
    }
    await archive.add(`${item.stem}_mask.png`, made.mask);
    await archive.add(`${item.stem}_overlay.png`, made.overlay);
    await archive.add(`${item.stem}_soft.png`, made.soft);
    await archive.add(`${item.stem}.geojson`, made.geojson);
    lines.push(...lineOf(item, made.foreground, typed));
  }
  return { lines, failed };
}

/** Results in order, asked for ahead so that every Worker has something to do, and no further: they are large. */
function resultsAhead({ host, items, style }: Batch): (at: number) => Promise<Results | Error> {
  const asked = new Map<number, Promise<Results | Error>>();
  return (at) => {
    for (let next = at; next < Math.min(at + host.lanes, items.length); next += 1) {
      const item = items[next];
      if (!item || asked.has(next)) continue;
      const wrong = (error: unknown) => (error instanceof Error ? error : new Error(String(error)));
      asked.set(next, host.call("results", { image: reference(item), style }).catch(wrong));
    }
    const made = asked.get(at) ?? Promise.resolve(new Cancelled("cancelled"));
    asked.delete(at);
    return made;
  };
}
