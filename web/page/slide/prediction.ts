import { EngineHost } from "../engine-host";
import { words } from "../format";
import { unheard, type Shared } from "../host-events";
import type { DeviceChoice, SlideFiles, SlidePlan, SlideRef } from "../protocol";

export interface PredictionEvents {
  /** What is computed is known. */
  planned(plan: SlidePlan): void;
  /** A part is done; `picture` is its mask as far as it is known. */
  part(number: number, picture: ImageBitmap | null): void;
  done(files: SlideFiles): Promise<void>;
  failed(message: string): void;
}

/** Parts whose times an estimate is made of. */
const REMEMBERED = 16;

/**
 * The model on a slide, in a Worker of its own, whose memory goes when this ends. Results of parts stay here: a Worker that
 * breaks down costs one part, and what was stopped can go on.
 */
export class SlidePrediction {
  private readonly host: EngineHost;
  private readonly results: (Uint8Array<ArrayBuffer> | undefined)[] = [];
  private readonly times: number[] = [];
  private plan: SlidePlan | undefined;
  private running = false;
  private stopping = false;
  private ended = false;

  constructor(
    private readonly slide: SlideRef,
    private readonly style: () => { threshold: number; colormap: string },
    device: DeviceChoice,
    shared: Shared,
    private readonly on: PredictionEvents,
  ) {
    this.host = new EngineHost(device, 0, { ...unheard, dead: (message) => this.on.failed(message) }, shared);
    this.host.open();
  }

  get isRunning(): boolean {
    return this.running;
  }

  /** Parts that are done, of how many. */
  get progress(): { done: number; all: number } {
    const all = this.plan?.parts.length ?? 0;
    return { done: this.results.filter((result) => result !== undefined).length, all };
  }

  /** Seconds that are left, by the last parts; null before the first. */
  get left(): number | null {
    const { done, all } = this.progress;
    if (this.times.length === 0) return null;
    return ((all - done) * this.times.reduce((sum, time) => sum + time, 0)) / this.times.length;
  }

  /** Computes what is missing, and then puts the mask together. */
  async run(): Promise<void> {
    if (this.running) return;
    [this.running, this.stopping] = [true, false];
    try {
      if (!this.plan) {
        this.plan = await this.host.call("slideOpen", { slide: this.slide });
        this.on.planned(this.plan);
      }
      const { parts } = this.plan;
      for (let number = 0; number < parts.length && !this.stopping; number += 1) {
        if (this.results[number]) continue;
        const start = performance.now();
        const made = await this.host.call("slidePart", {
          slide: this.slide,
          number,
          ...this.style(),
        });
        this.results[number] = made.result;
        this.times.push((performance.now() - start) / 1000);
        if (this.times.length > REMEMBERED) this.times.shift();
        this.on.part(number, made.glimpse);
      }
      if (!this.stopping) await this.finish();
    } catch (error) {
      if (!this.ended) this.on.failed(words(error));
    }
    this.running = false;
  }

  /** Puts the mask together with another threshold. */
  async again(): Promise<void> {
    if (this.running) return;
    this.running = true;
    try {
      await this.finish();
    } catch (error) {
      if (!this.ended) this.on.failed(words(error));
    }
    this.running = false;
  }

  /** Ends with the part under way; what is done stays. */
  stop(): void {
    this.stopping = true;
  }

  /** Gives all memory back. */
  close(): void {
    this.ended = true;
    this.stopping = true;
    this.host.close(new Error("closed"));
  }

  private async finish(): Promise<void> {
    const results = this.results.flatMap((result) => result ?? []);
    const { threshold } = this.style();
    await this.on.done(await this.host.call("slideFinish", { slide: this.slide, results, threshold }));
  }
}
