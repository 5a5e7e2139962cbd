import { Cancelled, Failed, type EngineHost } from "./engine-host";
import { words } from "./format";
import { reference, type Images, type Item } from "./images";
import type { Style } from "./protocol";

export interface RunnerEvents {
  /** The image has another state. */
  changed(item: Item, thumbnail?: ImageBitmap): void;
  /** Nothing is left to do. */
  idle(): void;
}

/**
 * Predicts the waiting images one after the other. The next one is sent only when the last one is back, so that a
 * slider moved meanwhile is served between two images.
 */
export class Runner {
  /** The image to predict before others: the one the user looks at. */
  preferred: Item | undefined;
  private running: Item | undefined;

  constructor(
    private readonly host: EngineHost,
    private readonly images: Images,
    private readonly style: () => Style,
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
      try {
        const { findings, thumbnail } = await this.host.call("predict", { image: reference(item), style: this.style() });
        this.set(item, { kind: "done", findings }, thumbnail);
      } catch (error) {
        if (error instanceof Cancelled) this.set(item, { kind: "cancelled" });
        else this.set(item, { kind: "failed", message: words(error), again: error instanceof Failed });
      }
      this.running = undefined;
    }
    this.on.idle();
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

  private set(item: Item, state: Item["state"], thumbnail?: ImageBitmap): void {
    item.state = state;
    this.on.changed(item, thumbnail);
  }
}
