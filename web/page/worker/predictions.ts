import type { Engine, Prediction } from "../../pkg/histomask_web.js";
import type { Caution, Findings, ImageRef } from "../protocol";

/** Bytes that an awake prediction takes a pixel: the image and its mask. */
const PIXEL = 10;

/** Bytes of what the network said of images that were let go of. */
const RESTING_BUDGET = 192_000_000;

/** A prediction and the class whose mask it has at the moment. */
interface Kept {
  readonly prediction: Prediction;
  chosen: number | null;
  awake: boolean;
}

let runs = 0;

/**
 * Recent predictions, least recently used first. What does not fit lets go of its image, which is then decoded again
 * when it is needed; what does not fit even so is freed and computed again. That is the one that was let go of last: if it
 * were the oldest, an archive of a long list, which asks for all in the same order, would find none of them.
 */
export class Predictions {
  private readonly kept = new Map<number, Kept>();
  private readonly known = new Map<number, Findings>();

  /** `awake`: pixels of results that may be awake together, beside the one in use. */
  constructor(
    private readonly engine: Engine,
    private readonly awake: number,
  ) {}

  /** The prediction of an image, with the mask of the class asked for. */
  async of(image: ImageRef): Promise<Prediction> {
    const kept = this.kept.get(image.id) ?? { prediction: await this.predict(image), chosen: null, awake: true };
    this.kept.delete(image.id);
    this.kept.set(image.id, kept);
    if (!kept.awake) {
      kept.prediction.wake(await read(image.file));
      kept.awake = true;
    }
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
    const kept = this.kept.get(id);
    return kept?.awake ? kept.prediction : undefined;
  }

  async findings(image: ImageRef): Promise<Findings> {
    if (!this.known.has(image.id)) await this.of(image);
    const findings = this.known.get(image.id);
    if (!findings) throw new Error("The image was removed in the meantime.");
    return findings;
  }

  /** Bytes of all that is kept, roughly. */
  get bytes(): number {
    let bytes = 0;
    for (const { prediction, awake } of this.kept.values()) {
      bytes += prediction.resting_bytes + (awake ? PIXEL * prediction.width * prediction.height : 0);
    }
    return bytes;
  }

  /** Forgets an image. */
  forget(id: number): void {
    this.kept.get(id)?.prediction.free();
    this.kept.delete(id);
    this.known.delete(id);
  }

  /** Forgets everything, as another model makes it wrong. */
  clear(): void {
    for (const { prediction } of this.kept.values()) prediction.free();
    this.kept.clear();
    this.known.clear();
  }

  private async predict(image: ImageRef): Promise<Prediction> {
    const prediction = await this.engine.predict(await read(image.file));
    this.known.set(image.id, {
      width: prediction.width,
      height: prediction.height,
      classIndex: prediction.class_index ?? null,
      probabilities: Array.from(prediction.probabilities),
      backgroundUncertainty: prediction.background_uncertainty ?? null,
      masksByClass: prediction.masks_by_class,
      mpp: prediction.mpp ?? null,
      cautions: paired(prediction.cautions()),
      run: (runs += 1),
    });
    return prediction;
  }

  private makeRoom(keep: number): void {
    let [pixels, resting] = [0, 0];
    for (const { prediction, awake } of this.kept.values()) {
      pixels += awake ? prediction.width * prediction.height : 0;
      resting += prediction.resting_bytes;
    }
    for (const [id, kept] of this.kept) {
      if (pixels <= this.awake) break;
      const { prediction } = kept;
      if (id === keep || !kept.awake) continue;
      pixels -= prediction.width * prediction.height;
      prediction.rest();
      kept.awake = false;
    }
    for (const [id, { prediction, awake }] of [...this.kept].reverse()) {
      if (resting <= RESTING_BUDGET) break;
      if (awake) continue;
      resting -= prediction.resting_bytes;
      prediction.free();
      this.kept.delete(id);
    }
  }
}

/** Cautions as wasm lists them: a few words, then a sentence. */
export function paired(said: readonly string[]): Caution[] {
  const pairs: Caution[] = [];
  for (let at = 0; at + 1 < said.length; at += 2) pairs.push({ short: said[at] ?? "", sentence: said[at + 1] ?? "" });
  return pairs;
}

/** A file's bytes, or why there are none. */
export async function read(file: Blob): Promise<Uint8Array> {
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch {
    throw new Error("The file can no longer be read: it was moved, changed or is too large. Add it again.");
  }
}
