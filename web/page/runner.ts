import { Cancelled, Failed } from "./host-events";
import { words } from "./format";
import { foregroundKey, micronsPerPixel, reference, type Images, type Item } from "./images";
import type { Pool } from "./pool";
import type { Style } from "./protocol";

export interface RunnerEvents {
  /** The image has another state. */
  changed(item: Item, thumbnail?: ImageBitmap): void;
  /** Nothing is left to do. */
  idle(): void;
}

/** Images whose times an estimate is made of. */
const REMEMBERED = 8;

/**
 * Predicts the waiting images, one in each Worker at a time. The next one is sent only when one is back, so that a
 * slider moved meanwhile is served between two images.
 */
export class Runner {
  /** The image to predict before others: the one the user looks at. */
  preferred: Item | undefined;
  private readonly running = new Set<Item>();
  private readonly times: number[] = [];

  constructor(
    private readonly host: Pool,
    private readonly images: Images,
    private readonly style: () => Style,
    private readonly typed: () => number | null,
    private readonly on: RunnerEvents,
  ) {}

  get busy(): boolean {
    return this.running.size > 0;
  }

  run(): void {
    while (this.running.size < this.host.lanes) {
      const item = this.first();
      if (!item) break;
      void this.predict(item);
    }
    if (!this.busy) this.on.idle();
  }

  /** Seconds until all that waits is done, by the last images; null before the first. */
  left(waiting: number): number | null {
    if (this.times.length === 0) return null;
    const mean = this.times.reduce((sum, time) => sum + time, 0) / this.times.length;
    return (waiting * mean) / Math.min(waiting, this.host.lanes);
  }

  private async predict(item: Item): Promise<void> {
    this.running.add(item);
    this.set(item, { kind: "running" });
    const start = performance.now();
    try {
      const style = this.style();
      const typed = this.typed();
      const made = await this.host.call("predict", { image: reference(item), style, mpp: typed });
      const seconds = (performance.now() - start) / 1000;
      this.times.push(seconds);
      if (this.times.length > REMEMBERED) this.times.shift();
      item.foreground.set(foregroundKey(item, style), made.foreground);
      item.scale = { mpp: made.findings.mpp ?? typed, caution: made.scale };
      this.set(item, { kind: "done", findings: made.findings, seconds });
      this.on.changed(item, made.thumbnail);
      const waiting = this.images.all.filter(({ state }) => state.kind === "waiting").length;
      this.host.grow(waiting, waiting * seconds);
    } catch (error) {
      if (error instanceof Cancelled) this.set(item, { kind: "cancelled" });
      else this.set(item, { kind: "failed", message: words(error), again: error instanceof Failed });
    }
    this.running.delete(item);
    this.run();
  }

  /** Judges the scale of images anew, where other microns per pixel are known than before. */
  async scale(items: readonly Item[]): Promise<void> {
    const asked = items.flatMap((item) => {
      const mpp = micronsPerPixel(item, this.typed());
      if (item.state.kind !== "done" || item.scale?.mpp === mpp) return [];
      const { width, height } = item.state.findings;
      return [{ item, width, height, mpp }];
    });
    if (asked.length === 0) return;
    try {
      const images = asked.map(({ width, height, mpp }) => ({ width, height, mpp }));
      const said = await this.host.call("scale", { images });
      asked.forEach(({ item, mpp }, at) => {
        item.scale = { mpp, caution: said[at] ?? null };
        this.on.changed(item);
      });
    } catch (error) {
      // cancelled or crashed: they are asked for again with the next change
      if (!(error instanceof Cancelled || error instanceof Failed)) throw error;
    }
  }

  /** Marks what waits as cancelled; results so far stay. */
  cancel(): void {
    for (const item of this.images.all) if (item.state.kind === "waiting") this.set(item, { kind: "cancelled" });
  }

  /** Puts images back into the queue: another model, or a second try. */
  repeat(items: readonly Item[]): void {
    for (const item of items) {
      if (item.state.kind === "running" || item.refused) continue;
      item.chosen = null;
      item.scale = undefined;
      item.foreground.clear();
      this.set(item, { kind: "waiting" });
    }
    this.run();
  }

  private first(): Item | undefined {
    const waits = (item: Item) => item.state.kind === "waiting";
    const preferred = this.preferred;
    if (preferred && waits(preferred) && this.images.all.includes(preferred)) return preferred;
    return this.images.all.find(waits);
  }

  private set(item: Item, state: Item["state"]): void {
    item.state = state;
    this.on.changed(item);
  }
}
