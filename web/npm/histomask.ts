import { EngineHost } from "../page/engine-host";
import { unheard } from "../page/host-events";
import type { LoadedModel } from "../page/protocol";

export interface LoadOptions {
  /** `auto` (the default) takes a GPU that computes what the CPU does and is faster, else the CPU. */
  readonly device?: "auto" | "gpu" | "cpu";
}

export interface SegmentOptions {
  /** Where the outlines' foreground begins, 0 to 1; the model's own unless it is given. */
  readonly threshold?: number;
}

/** What the model says of an image. Research use only. */
export interface Segmentation {
  /** null of models that name no class. */
  readonly class: string | null;
  /** By class; empty of models that name none. */
  readonly probabilities: Readonly<Record<string, number>>;
  /** The soft mask, `height` rows of `width` values of 0 to 1. */
  readonly mask: Float32Array;
  readonly width: number;
  readonly height: number;
  /** Why the result should not be believed, a sentence each; empty where nothing speaks against it. */
  readonly cautions: readonly string[];
  /** The foreground's outlines for QuPath, in pixels: a GeoJSON FeatureCollection as text. */
  readonly geojson: string;
}

/** A model in a Worker of its own. Nothing that it is given leaves the page. */
export class Segmenter {
  private next = 1;

  private constructor(
    private readonly host: EngineHost,
    private readonly loaded: LoadedModel,
    /** What it computes on, and why. */
    readonly device: { readonly kind: "gpu" | "cpu"; readonly name: string; readonly why: string },
  ) {}

  /** Starts with the bytes of a `.safetensors` file of histomask; rejects if they are none. */
  static load(model: Blob | ArrayBuffer | Uint8Array<ArrayBuffer>, options: LoadOptions = {}): Promise<Segmenter> {
    return new Promise((resolve, reject) => {
      const on = {
        ...unheard,
        ready: (device: Segmenter["device"], loaded: LoadedModel) => resolve(new Segmenter(host, loaded, device)),
        dead: (message: string) => reject(new Error(message)),
      };
      const host = new EngineHost(options.device ?? "auto", 1, on, { model: new Blob([model]) });
      host.open();
    });
  }

  /** The model's classes. */
  get classes(): readonly string[] {
    return this.loaded.card.classes;
  }

  /** Where the model's foreground begins: mask values from here on. */
  get threshold(): number {
    return this.loaded.card.threshold;
  }

  /** Class and mask of a PNG, JPEG, BMP, TIFF or WebP file, or of pixels; rejects with a message for people. */
  async segment(image: Blob | ImageData, options: SegmentOptions = {}): Promise<Segmentation> {
    const file = image instanceof ImageData ? await png(image) : image;
    const threshold = options.threshold ?? null;
    const asked = { image: { id: this.next++, file, chosen: null }, threshold };
    const { findings, cautions, mask, geojson } = await this.host.call("segment", asked);
    const { classIndex, probabilities, width, height } = findings;
    return {
      class: classIndex === null ? null : (this.classes[classIndex] ?? null),
      probabilities: Object.fromEntries(probabilities.map((value, at) => [this.classes[at] ?? String(at), value])),
      mask,
      width,
      height,
      cautions,
      geojson,
    };
  }

  /** Ends the Worker and gives its memory back; what is under way rejects. */
  close(): void {
    this.host.close(new Error("the segmenter was closed"));
  }
}

/** Pixels as a file, so that they are read by the rules for files. */
function png(image: ImageData): Promise<Blob> {
  const canvas = new OffscreenCanvas(image.width, image.height);
  canvas.getContext("2d")?.putImageData(image, 0, 0);
  return canvas.convertToBlob({ type: "image/png" });
}
