import init, { Archive, Engine, panic_now } from "../../pkg/histomask_web.js";
import programUrl from "../../pkg/histomask_web_bg.wasm?url";
import modelUrl from "../../../native/assets/glas.safetensors?url";
import type { Calls, DeviceChoice, ExportItem, ImageRef, LoadedModel, ModelCard, Style, WorkerEvent } from "../protocol";
import { download } from "./download";
import { Predictions, read } from "./predictions";
import { table } from "./table";

/** Longest side of the list's small pictures, in pixels. */
const THUMBNAIL = 112;

/** One engine with its model and predictions: what the Worker's calls act upon. */
export class Session {
  private constructor(
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
    await init({ module_or_path: download(programUrl, "program", __BUILD__.programBytes, report) });
    const engine = await Engine.open(choice, lost).catch(ofDevice);
    const loaded = await load(engine, await bytes);
    report({ event: "warming" });
    await engine.warm_up();
    return new Session(engine, new Predictions(engine), loaded, report);
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
    const { bitmap } = await this.paint(image, style);
    const scale = Math.min(1, THUMBNAIL / Math.max(bitmap.width, bitmap.height));
    const thumbnail = await createImageBitmap(bitmap, {
      resizeWidth: Math.max(1, Math.round(bitmap.width * scale)),
      resizeHeight: Math.max(1, Math.round(bitmap.height * scale)),
      resizeQuality: "medium",
    });
    bitmap.close();
    return { findings, thumbnail };
  }

  async paint(image: ImageRef, style: Style): Promise<Calls["paint"]["result"]> {
    const prediction = await this.predictions.of(image);
    const bitmap = await prediction.paint(style.threshold, style.opacity, style.colormap, style.contour);
    return { bitmap, foreground: await this.predictions.foreground(image, style.threshold) };
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
        return owned(prediction.overlay_png(style.threshold, style.opacity, style.colormap, style.contour));
      case "geojson":
        return text(prediction.geojson(style.threshold, await this.className(image)));
    }
  }

  async csv(items: ExportItem[], style: Style): Promise<Uint8Array<ArrayBuffer>> {
    return text(await table(items, style.threshold, this.card, this.predictions));
  }

  /** All results of all images, named as `histomask predict` names them. */
  async zip(items: ExportItem[], style: Style, run: string): Promise<Uint8Array<ArrayBuffer>> {
    const archive = new Archive();
    for (const [done, item] of items.entries()) {
      this.report({ event: "packing", done, total: items.length });
      for (const kind of ["mask", "overlay"] as const) {
        archive.add(`${item.stem}_${kind}.png`, await this.export({ image: item, kind, style }));
      }
      archive.add(`${item.stem}_soft.png`, (await this.predictions.of(item)).soft_png());
      archive.add(`${item.stem}.geojson`, await this.export({ image: item, kind: "geojson", style }));
    }
    archive.add("predictions.csv", await this.csv(items, style));
    archive.add("run.json", text(run));
    // finish frees the archive
    return owned(archive.finish());
  }

  forget(): null {
    this.predictions.clear();
    return null;
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
