import { Cancelled, Failed, type EngineHost } from "./engine-host";
import { words } from "./format";
import { foregroundKey, micronsPerPixel, reference, type Images, type Item } from "./images";
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
 * Predicts the waiting images one after the other. The next one is sent only when the last one is back, so that a
 * slider moved meanwhile is served between two images.
 */
export class Runner {
  /** The image to predict before others: the one the user looks at. */
  preferred: Item | undefined;
  private running: Item | undefined;
  private readonly times: number[] = [];

  constructor(
    private readonly host: EngineHost,
    private readonly images: Images,
    private readonly style: () => Style,
    private readonly typed: () => number | null,
    private readonly on: RunnerEvents,
  ) {}

  get busy(): boolean {
    return this.running !== undefined;
  }

  async run(): Promise<void> {
    if (this.running) return;
    for (let item = this.first(); item; item = this.first()) {
      this.running = item;
      this.set(item, { kind: "running" });
      const start = performance.now();
      try {
        const style = this.style();
        const made = await this.host.call("predict", { image: reference(item), style });
        const seconds = (performance.now() - start) / 1000;
        this.times.push(seconds);
        if (this.times.length > REMEMBERED) this.times.shift();
        item.foreground.set(foregroundKey(item, style), made.foreground);
        this.set(item, { kind: "done", findings: made.findings, seconds });
        this.on.changed(item, made.thumbnail);
        await this.scale([item]);
      } catch (error) {
        if (error instanceof Cancelled) this.set(item, { kind: "cancelled" });
        else this.set(item, { kind: "failed", message: words(error), again: error instanceof Failed });
      }
      this.running = undefined;
    }
    this.on.idle();
  }

  /** Seconds until all that waits is done, by the last images; null before the first. */
  left(waiting: number): number | null {
    if (this.times.length === 0) return null;
    return (waiting * this.times.reduce((sum, time) => sum + time, 0)) / this.times.length;
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
    void this.run();
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
