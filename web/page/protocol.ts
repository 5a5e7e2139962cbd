/**
 * The messages between the page and its Worker: calls, each answered once and in order, and events that come unasked.
 * Bytes and pictures are transferred, never copied.
 */

export type DeviceChoice = "auto" | "gpu" | "cpu";

/** What a Worker opens: `measured` is `auto` where the GPU was found to be faster before. */
export type DeviceAsked = DeviceChoice | "measured";
export type Colormap = "viridis" | "cividis";

/** How a mask is drawn. */
export interface Style {
  /** Mask values at or above it are foreground, 0 to 1. */
  readonly threshold: number;
  /** Of the colours over the image, 0 to 1; 0 where colours are switched off. */
  readonly opacity: number;
  /** By how much all that is outside is darkened or hatched, 0 to 1. */
  readonly dim: number;
  /** Hatched on the screen in place of darkened; files are darkened. */
  readonly hatched: boolean;
  readonly colormap: Colormap;
  readonly contour: boolean;
}

/** An image as the Worker needs it: the file too, because results that were freed are computed again. */
export interface ImageRef {
  readonly id: number;
  readonly file: Blob;
  /** The class whose mask is asked for; null: of the predicted one. */
  readonly chosen: number | null;
}

/** An image's line of a table. */
export interface Line {
  /** The file's name, with the folders below the one chosen. */
  readonly name: string;
  /** What the names of its results begin with; unique, and legal on every system. */
  readonly stem: string;
  readonly findings: Findings;
  /** Foreground pixels. */
  readonly foreground: number;
  /** Microns per pixel, of the file or typed. */
  readonly mpp: number | null;
  /** A few words for each caution. */
  readonly cautions: readonly string[];
}

/** An image's size in pixels and, where they are known, its microns per pixel. */
export interface Extent {
  readonly width: number;
  readonly height: number;
  readonly mpp: number | null;
}

/** Why a result is doubtful (core/src/caution.rs). */
export interface Caution {
  /** For a table. */
  readonly short: string;
  readonly sentence: string;
}

export interface DeviceInfo {
  readonly kind: "gpu" | "cpu";
  readonly name: string;
  /** One sentence: why this one. */
  readonly why: string;
}

/** What the model says of an image, apart from the mask. */
export interface Findings {
  readonly width: number;
  readonly height: number;
  /** null for methods that name no class. */
  readonly classIndex: number | null;
  /** By class; empty for methods that name none. */
  readonly probabilities: readonly number[];
  /** 0 to 1; null for methods that do not classify the background. */
  readonly backgroundUncertainty: number | null;
  /** Whether another class has another mask. */
  readonly masksByClass: boolean;
  /** Microns per pixel, where the file says so. */
  readonly mpp: number | null;
  /** By the image's pixels. */
  readonly cautions: readonly Caution[];
  /** Another number for each time that something was predicted. */
  readonly run: number;
}

/** The card of a model (core/src/card.rs); only what the page shows. */
export interface ModelCard {
  readonly version: string;
  readonly classes: readonly string[];
  readonly profile: string;
  readonly model: { readonly backbone?: string; readonly method?: string };
  readonly input: { readonly resize?: string; readonly size?: number };
  readonly mpp?: number;
  readonly threshold: number;
  readonly epoch: number;
  readonly initial_weights: string;
  readonly data: {
    readonly name: string;
    readonly hash: string;
    readonly train_images: number;
    readonly valid_images: number;
  };
  readonly metrics: Readonly<Record<string, number>>;
  readonly intended_use: string;
  readonly licence: string;
}

/** A model's card and the SHA-256 of its file, null where the browser offers no cryptography (http). */
export interface LoadedModel {
  readonly card: ModelCard;
  readonly sha256: string | null;
}

/** A slide, or a region of it, under the model. */
export interface SlideRef {
  readonly id: number;
  readonly file: Blob;
  readonly name: string;
  /** The file of the model in use. */
  readonly model: Blob;
  /** Microns per pixel that were typed, where the file does not say. */
  readonly mpp: number | null;
  /** GeoJSON of what is looked at; null: all tissue. */
  readonly region: string | null;
  /** GeoJSON of its tissue; null: it is found. */
  readonly tissue: string | null;
}

/** What is computed of a slide (web/src/slide/task.rs). */
export interface SlidePlan {
  /** Left, top, width and height in pixels of the model. */
  readonly parts: readonly (readonly [number, number, number, number])[];
  readonly size: readonly [number, number];
  /** Pixels of level 0 in one of the model, across and down. */
  readonly step: readonly [number, number];
  readonly mpp: readonly [number, number];
  /** GeoJSON, in pixels of level 0. */
  readonly tissue: string;
}

/** What a slide came to (core/src/whole_slide/measures.rs). */
export interface SlideSummary {
  readonly class: string | null;
  readonly measures: {
    readonly verdict: { readonly probabilities: readonly number[]; readonly uncertainty: number | null };
    readonly tiles: number;
    readonly polygons: number;
    readonly foreground_mm2: number;
    readonly tissue_mm2: number;
    readonly tissue_share: number;
  };
  readonly damaged: readonly string[];
}

/** A slide's results as files (docs/FORMATS.md). */
export interface SlideFiles {
  readonly map: Uint8Array<ArrayBuffer>;
  readonly geojson: string;
  readonly tiles: string;
  readonly table: string;
  readonly summary: SlideSummary;
}

export type FileKind = "mask" | "overlay" | "geojson";

/** All files of an image, as `histomask predict` writes them. */
export interface Results {
  readonly mask: Uint8Array<ArrayBuffer>;
  readonly overlay: Uint8Array<ArrayBuffer>;
  readonly soft: Uint8Array<ArrayBuffer>;
  readonly geojson: Uint8Array<ArrayBuffer>;
  readonly foreground: number;
}

/** An image's result for pages other than ours. */
export interface Segment {
  readonly findings: Findings;
  /** Of all that makes the result doubtful. */
  readonly cautions: readonly string[];
  /** The soft mask, row by row, 0 to 1. */
  readonly mask: Float32Array<ArrayBuffer>;
  readonly geojson: string;
}

/** A model's file, or where it is loaded from. */
export type ModelSource = Blob | string;

/** Every call, with what goes in and what comes back. */
export interface Calls {
  /** `program` null is downloaded and compiled; `awake` is how many pixels of results may be kept at hand. */
  start: {
    args: { choice: DeviceAsked; model: ModelSource; program: WebAssembly.Module | null; awake: number };
    result: LoadedModel & { device: DeviceInfo };
  };
  load: { args: { model: ModelSource }; result: LoadedModel };
  /**
   * `mpp`: microns per pixel that were typed, for files that do not say. `scale`: a caution by size and microns per pixel.
   * `memory`: bytes that this Worker's program holds by now.
   */
  predict: {
    args: { image: ImageRef; style: Style; mpp: number | null };
    result: { findings: Findings; scale: Caution | null; foreground: number; thumbnail: ImageBitmap; memory: number };
  };
  /** `bare` is the image as it is, `veil` what is outside of the mask; null where they were not asked for. */
  paint: {
    args: { image: ImageRef; style: Style; parts: { bare: boolean; veil: boolean } };
    result: { bitmap: ImageBitmap; bare: ImageBitmap | null; veil: ImageBitmap | null; foreground: number };
  };
  /** Cautions by size and microns per pixel. */
  scale: { args: { images: Extent[] }; result: (Caution | null)[] };
  /** null where the result is not at hand. */
  value: { args: { id: number; x: number; y: number }; result: number | null };
  export: { args: { image: ImageRef; kind: FileKind; style: Style }; result: Uint8Array<ArrayBuffer> };
  results: { args: { image: ImageRef; style: Style }; result: Results };
  foreground: { args: { image: ImageRef; style: Style }; result: number };
  /** The text of predictions.csv. */
  csv: { args: { lines: Line[] }; result: string };
  segment: { args: { image: ImageRef; threshold: number | null }; result: Segment };
  /** Frees the results of images, or all; says how many bytes the program holds nevertheless and how many it uses. */
  forget: { args: { ids: readonly number[] | null }; result: { held: number; used: number } };
  /** Opens a slide and finds its tissue; the other two calls do so too if the Worker is a new one. */
  slideOpen: { args: { slide: SlideRef }; result: SlidePlan };
  /** `glimpse` is the part's foreground as far as it is known, null for parts without a mask. */
  slidePart: {
    args: { slide: SlideRef; number: number; threshold: number; colormap: string };
    result: { result: Uint8Array<ArrayBuffer>; glimpse: ImageBitmap | null };
  };
  slideFinish: { args: { slide: SlideRef; results: Uint8Array<ArrayBuffer>[]; threshold: number }; result: SlideFiles };
  /** For tests: a panic in wasm. */
  panic: { args: Record<string, never>; result: null };
}

export type CallName = keyof Calls;

export type Request = { [K in CallName]: { call: number; name: K; args: Calls[K]["args"] } }[CallName];

/**
 * What a call failed by. Input: file, model or network, and all else goes on. Limit: more than this GPU can take. Device: another
 * one may do it. Slow: the CPU is faster. Program: a panic or a lost device, after which the Worker must not be used again.
 */
export type Fault = "input" | "limit" | "device" | "slow" | "program";

export type Reply =
  | { call: number; ok: true; result: Calls[CallName]["result"] }
  | { call: number; ok: false; message: string; fault: Fault };

export type WorkerEvent =
  | { event: "loading"; part: "program" | "model"; loaded: number; total: number }
  | { event: "warming" }
  /** Compiled and loaded: for other Workers, and for this one's successor. */
  | { event: "shared"; program: WebAssembly.Module; model: Blob }
  /** The GPU was lost or wasm has panicked: the Worker is of no more use. */
  | { event: "crashed"; message: string };

export type FromWorker = Reply | WorkerEvent;
