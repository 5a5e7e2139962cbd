/** What the page asks the Worker that reads a slide for the viewer; each question is answered once. */
import type { Polygon } from "./polygon";

/** What a slide's file says of itself (web/src/slide/view.rs). */
export interface SlideAbout {
  readonly width: number;
  readonly height: number;
  /** Microns per pixel, across and down; null where the file does not say. */
  readonly mpp: readonly [number, number] | null;
  readonly magnification: number | null;
  readonly vendor: string;
  readonly codec: string | null;
  readonly levels: number;
  /** Whether it is a slide rather than a picture that happens to be a TIFF. */
  readonly whole: boolean;
  /** Names of images beside it, which are not decoded: they may show a patient's name. */
  readonly beside: readonly string[];
  /** The downsample from which on the overview must have been read; null where there are small levels. */
  readonly overview: number | null;
}

/** Polygons of a GeoJSON file. */
export interface Outlines {
  readonly polygons: readonly Polygon[];
  /** Whether all are called tissue. */
  readonly tissue: boolean;
  /** Sentences. */
  readonly doubts: readonly string[];
}

/** A part of a slide: pixels of `downsample` of level 0 in each direction, counted so from its corner. */
export interface TilePlace {
  readonly downsample: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** How a mask is painted over a tile. */
export interface TileStyle {
  readonly threshold: number;
  readonly opacity: number;
  readonly dim: number;
  readonly colormap: string;
  readonly contour: boolean;
}

export interface Questions {
  start: { args: { program: WebAssembly.Module }; result: null };
  /** Opens a slide for good, or only says what it is. */
  open: { args: { file: Blob; look: boolean }; result: SlideAbout };
  /** Reads on for the overview; the share that is done. */
  overview: { args: Record<string, never>; result: number };
  /** The polygons of a GeoJSON text, if they are this slide's. */
  outlines: { args: { text: string }; result: Outlines };
  /** Without a style as it is, else under the mask. */
  tile: { args: { place: TilePlace; style: TileStyle | null }; result: ImageBitmap };
  mask: { args: { map: Uint8Array<ArrayBuffer> }; result: null };
  /** The mask at a pixel of level 0; null where there is none. */
  value: { args: { x: number; y: number }; result: number | null };
}

export type QuestionName = keyof Questions;
export type Question = { [K in QuestionName]: { ask: number; name: K; args: Questions[K]["args"] } }[QuestionName];
export type Answer =
  | { ask: number; ok: true; result: Questions[QuestionName]["result"] }
  | { ask: number; ok: false; message: string };
