import init, { Engine, panic_now, type InitOutput } from "../../pkg/histomask_web.js";
import programUrl from "../../pkg/histomask_web_bg.wasm?url";
import modelUrl from "../../../native/assets/glas.safetensors?url";
import type { Calls, Caution, DeviceChoice, ExportItem, Extent, ImageRef, LoadedModel, ModelCard, Style, WorkerEvent } from "../protocol";
import { archive, type Entry } from "./archive";
import { download } from "./download";
import { Predictions, paired, read } from "./predictions";
import { table, type Line } from "./table";

/** Longest side of the list's small pictures, in pixels. */
const THUMBNAIL = 112;

/** One engine with its model and predictions: what the Worker's calls act upon. */
export class Session {
  private stopping = false;

  private constructor(
    private readonly program: InitOutput,
    private readonly engine: Engine,
    private readonly predictions: Predictions,
    private loaded: LoadedModel,
    private readonly report: (event: WorkerEvent) => void,
  ) {}

  static async start(
    choice: DeviceChoice,
    model: Blob | null,
    report: (event: WorkerEvent) => void,
    lost: (message: string) => void,
  ): Promise<Session> {
    // both at once; the program is compiled while it loads
    const bytes = modelBytes(model, report);
    bytes.catch(() => undefined);
    const program = await init({ module_or_path: download(programUrl, "program", __BUILD__.programBytes, report) });
    const engine = await Engine.open(choice, lost).catch(ofDevice);
    const loaded = await load(engine, await bytes);
    report({ event: "warming" });
    await engine.warm_up();
    return new Session(program, engine, new Predictions(engine), loaded, report);
  }

  started(): Calls["start"]["result"] {
    const { device_kind, device_name, device_why } = this.engine;
    return { ...this.loaded, device: { kind: device_kind === "gpu" ? "gpu" : "cpu", name: device_name, why: device_why } };
  }

  /** Takes another model; if it is none, the old one stays. */
  async load(model: Blob | null): Promise<LoadedModel> {
    this.loaded = await load(this.engine, await modelBytes(model, this.report));
    this.predictions.clear();
    this.report({ event: "warming" });
    await this.engine.warm_up();
    return this.loaded;
  }

  async predict(image: ImageRef, style: Style): Promise<Calls["predict"]["result"]> {
    const findings = await this.predictions.findings(image);
    const { bitmap, foreground } = await this.paint(image, { ...style, opacity: 0.45 }, { bare: false, veil: false });
    const scale = Math.min(1, THUMBNAIL / Math.max(bitmap.width, bitmap.height));
    const thumbnail = await createImageBitmap(bitmap, {
      resizeWidth: Math.max(1, Math.round(bitmap.width * scale)),
      resizeHeight: Math.max(1, Math.round(bitmap.height * scale)),
      resizeQuality: "medium",
    });
    bitmap.close();
    return { findings, foreground, thumbnail };
  }

  async paint(image: ImageRef, style: Style, parts: Calls["paint"]["args"]["parts"]): Promise<Calls["paint"]["result"]> {
    const prediction = await this.predictions.of(image);
    const { threshold, opacity, colormap, contour } = style;
    return {
      bitmap: await prediction.paint(threshold, opacity, colormap, contour),
      bare: parts.bare ? await prediction.paint(threshold, 0, colormap, false) : null,
      veil: parts.veil ? prediction.veil(threshold) : null,
      foreground: prediction.foreground(threshold),
    };
  }

  scale(images: readonly Extent[]): (Caution | null)[] {
    return images.map(({ width, height, mpp }) => {
      return paired(this.engine.cautions_of_scale(width, height, mpp ?? undefined))[0] ?? null;
    });
  }

  value(id: number, x: number, y: number): number | null {
    return this.predictions.atHand(id)?.value(x, y) ?? null;
  }

  async export({ image, kind, style }: Calls["export"]["args"]): Promise<Uint8Array<ArrayBuffer>> {
    const prediction = await this.predictions.of(image);
    switch (kind) {
      case "mask":
        return owned(prediction.mask_png(style.threshold));
      case "overlay":
        return owned(prediction.overlay_png(style.threshold, style.opacity, style.colormap, style.contour, style.dim));
      case "geojson":
        return text(prediction.geojson(style.threshold, await this.className(image)));
    }
  }

  async csv(items: ExportItem[], style: Style): Promise<Uint8Array<ArrayBuffer>> {
    const lines: Line[] = [];
    for (const item of items) lines.push({ item, foreground: await this.foreground(item, style) });
    return text(table(lines, this.card));
  }

  /** All results of all images, named as `histomask predict` names them, made one after the other. */
  async zip({ items, style, run }: Calls["zip"]["args"]): Promise<Calls["zip"]["result"]> {
    this.stopping = false;
    const lines: Line[] = [];
    const made = await archive(this.entries(items, style, run, lines));
    return { archive: made, packed: lines.length };
  }

  /** The archive under way ends with what it holds. */
  stop(): void {
    this.stopping = true;
  }

  private async *entries(items: ExportItem[], style: Style, run: string, lines: Line[]): AsyncGenerator<Entry> {
    for (const [done, item] of items.entries()) {
      // whoever asks to stop is heard between two images
      await new Promise((resolve) => setTimeout(resolve));
      if (this.stopping) break;
      this.report({ event: "packing", done, total: items.length });
      for (const kind of ["mask", "overlay"] as const) {
        yield { name: `${item.stem}_${kind}.png`, input: await this.export({ image: item, kind, style }) };
      }
      yield { name: `${item.stem}_soft.png`, input: owned((await this.predictions.of(item)).soft_png()) };
      yield { name: `${item.stem}.geojson`, input: await this.export({ image: item, kind: "geojson", style }) };
      lines.push({ item, foreground: await this.foreground(item, style) });
    }
    yield { name: "predictions.csv", input: table(lines, this.card) };
    const content = { ...(JSON.parse(run) as object), images: lines.length };
    yield { name: "run.json", input: JSON.stringify(content, null, 2) };
  }

  private async foreground(item: ExportItem, style: Style): Promise<number> {
    return item.foreground ?? (await this.predictions.of(item)).foreground(style.threshold);
  }

  forget(): number {
    this.predictions.clear();
    return this.program.memory.buffer.byteLength;
  }

  panic(): null {
    panic_now();
    return null;
  }

  private get card(): ModelCard {
    return this.loaded.card;
  }

  private async className(image: ImageRef): Promise<string> {
    const { classIndex } = await this.predictions.findings(image);
    return this.card.classes[image.chosen ?? classIndex ?? -1] ?? "foreground";
  }
}

async function modelBytes(model: Blob | null, report: (event: WorkerEvent) => void): Promise<Uint8Array> {
  if (model) return read(model);
  const response = await download(modelUrl, "model", __BUILD__.modelBytes, report);
  return new Uint8Array(await response.arrayBuffer());
}

async function load(engine: Engine, bytes: Uint8Array): Promise<LoadedModel> {
  const card = JSON.parse(engine.load(bytes)) as ModelCard;
  // absent where the page comes over http from another machine
  const digest = await crypto.subtle?.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  const hex = (byte: number) => byte.toString(16).padStart(2, "0");
  return { card, sha256: digest ? Array.from(new Uint8Array(digest), hex).join("") : null };
}

/** Whatever keeps a device from being opened is its own fault. */
function ofDevice(error: unknown): never {
  if (error instanceof Error && !(error instanceof WebAssembly.RuntimeError)) error.name = "DeviceError";
  throw error;
}

function text(content: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(content);
}

/** wasm-bindgen returns copies outside the module's memory, so they may be transferred. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>;
}
