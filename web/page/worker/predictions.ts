import type { Engine, Prediction } from "../../pkg/histomask_web.js";
import type { Findings, ImageRef } from "../protocol";

/**
 * Pixels whose predictions stay in memory: one image of the largest size and some small ones. A prediction holds the
 * image and its mask, about 10 bytes a pixel.
 */
const PIXEL_BUDGET = 24_000_000;

/** A prediction and the class whose mask it has at the moment. */
interface Kept {
  readonly prediction: Prediction;
  chosen: number | null;
}

/** What is remembered of an image after its prediction was freed. */
interface Memo {
  findings: Findings;
  /** Foreground pixels by class and threshold. */
  readonly foreground: Map<string, number>;
}

/** Recent predictions, least recently used first; what does not fit is freed and computed again when it is needed. */
export class Predictions {
  private readonly kept = new Map<number, Kept>();
  private readonly memos = new Map<number, Memo>();

  constructor(private readonly engine: Engine) {}

  /** The prediction of an image, with the mask of the class asked for. */
  async of(image: ImageRef): Promise<Prediction> {
    const kept = this.kept.get(image.id) ?? { prediction: await this.predict(image), chosen: null };
    this.kept.delete(image.id);
    this.kept.set(image.id, kept);
    this.makeRoom(image.id);
    // choosing makes the mask anew
    if (kept.chosen !== image.chosen) {
      kept.prediction.choose(image.chosen ?? undefined);
      kept.chosen = image.chosen;
    }
    return kept.prediction;
  }

  /** The prediction if it is in memory. */
  atHand(id: number): Prediction | undefined {
    return this.kept.get(id)?.prediction;
  }

  async findings(image: ImageRef): Promise<Findings> {
    const memo = this.memos.get(image.id);
    if (memo) return memo.findings;
    await this.of(image);
    return this.memo(image.id).findings;
  }

  /** Pixels at or above the threshold. */
  async foreground(image: ImageRef, threshold: number): Promise<number> {
    const key = `${image.chosen}/${threshold}`;
    const known = this.memos.get(image.id)?.foreground.get(key);
    if (known !== undefined) return known;
    const count = (await this.of(image)).foreground(threshold);
    this.memo(image.id).foreground.set(key, count);
    return count;
  }

  /** Forgets everything, as another model makes it wrong. */
  clear(): void {
    for (const { prediction } of this.kept.values()) prediction.free();
    this.kept.clear();
    this.memos.clear();
  }

  private async predict(image: ImageRef): Promise<Prediction> {
    const bytes = await read(image.file);
    const start = performance.now();
    const prediction = await this.engine.predict(bytes);
    const seconds = (performance.now() - start) / 1000;
    const { width, height } = prediction;
    const findings: Findings = {
      width,
      height,
      classIndex: prediction.class_index ?? null,
      probabilities: Array.from(prediction.probabilities),
      backgroundUncertainty: prediction.background_uncertainty ?? null,
      masksByClass: prediction.masks_by_class,
      seconds,
    };
    const memo = this.memos.get(image.id);
    if (memo) memo.findings = findings;
    else this.memos.set(image.id, { findings, foreground: new Map() });
    return prediction;
  }

  private memo(id: number): Memo {
    const memo = this.memos.get(id);
    if (!memo) throw new Error("The image was removed in the meantime.");
    return memo;
  }

  private makeRoom(keep: number): void {
    let pixels = 0;
    for (const { prediction } of this.kept.values()) pixels += prediction.width * prediction.height;
    for (const [id, { prediction }] of this.kept) {
      if (pixels <= PIXEL_BUDGET) return;
      if (id === keep) continue;
      pixels -= prediction.width * prediction.height;
      prediction.free();
      this.kept.delete(id);
    }
  }
}

/** A file's bytes, or why there are none. */
export async function read(file: Blob): Promise<Uint8Array> {
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch {
    throw new Error("The file can no longer be read: it was moved, changed or is too large. Add it again.");
  }
}
