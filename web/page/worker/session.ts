import init, { Engine, panic_now, type InitOutput } from "../../pkg/histomask_web.js";
import programUrl from "../../pkg/histomask_web_bg.wasm?url";
import type {
  Calls,
  Caution,
  Extent,
  FileKind,
  Findings,
  ImageRef,
  Line,
  LoadedModel,
  ModelCard,
  ModelSource,
  Results,
  Segment,
  Style,
  WorkerEvent,
} from "../protocol";
import { download } from "./download";
import { Predictions, paired, read } from "./predictions";
import { SlideWork } from "./slide";
import { table } from "./table";

/** Longest side of the list's small pictures, in pixels. */
const THUMBNAIL = 112;

/** One engine with its model and predictions: what the Worker's calls act upon. */
export class Session {
  /** The slide under the model. */
  readonly slide: SlideWork;

  private constructor(
    private readonly program: InitOutput,
    private readonly engine: Engine,
    private readonly predictions: Predictions,
    private loaded: LoadedModel,
    private readonly report: (event: WorkerEvent) => void,
  ) {
    this.slide = new SlideWork(engine);
  }

  static async start(
    { choice, model, program: compiled, awake }: Calls["start"]["args"],
    report: (event: WorkerEvent) => void,
    lost: (message: string) => void,
  ): Promise<Session> {
    // both at once; the program is compiled while it loads
    const bytes = modelBytes(model, report);
    bytes.catch(() => undefined);
    const module = compiled ?? (await compile(report));
    const program = await init({ module_or_path: module });
    const engine = await Engine.open(choice, lost).catch(ofDevice);
    const loaded = await load(engine, await bytes);
    report({ event: "shared", program: module, model: new Blob([(await bytes) as Uint8Array<ArrayBuffer>]) });
    report({ event: "warming" });
    await engine.warm_up();
    return new Session(program, engine, new Predictions(engine, awake), loaded, report);
  }

  started(): Calls["start"]["result"] {
    const { device_kind, device_name, device_why } = this.engine;
    return { ...this.loaded, device: { kind: device_kind === "gpu" ? "gpu" : "cpu", name: device_name, why: device_why } };
  }

  /** Takes another model; if it is none, the old one stays. */
  async load(model: ModelSource): Promise<LoadedModel> {
    this.loaded = await load(this.engine, await modelBytes(model, this.report));
    this.predictions.clear();
    this.report({ event: "warming" });
    await this.engine.warm_up();
    return this.loaded;
  }

  async predict({ image, style, mpp }: Calls["predict"]["args"]): Promise<Calls["predict"]["result"]> {
    const findings = await this.predictions.findings(image);
    const { bitmap, foreground } = await this.paint(image, { ...style, opacity: 0.45 }, { bare: false, veil: false });
    const scale = Math.min(1, THUMBNAIL / Math.max(bitmap.width, bitmap.height));
    const thumbnail = await createImageBitmap(bitmap, {
      resizeWidth: Math.max(1, Math.round(bitmap.width * scale)),
      resizeHeight: Math.max(1, Math.round(bitmap.height * scale)),
      resizeQuality: "medium",
    });
    bitmap.close();
    const [caution = null] = this.scale([{ ...findings, mpp: findings.mpp ?? mpp }]);
    return { findings, scale: caution, foreground, thumbnail, memory: this.memory };
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

  async export(image: ImageRef, kind: FileKind, style: Style): Promise<Uint8Array<ArrayBuffer>> {
    const prediction = await this.predictions.of(image);
    switch (kind) {
      case "mask":
        return owned(prediction.mask_png(style.threshold));
      case "overlay":
        return owned(prediction.overlay_png(style.threshold, style.opacity, style.colormap, style.contour, style.dim));
      case "geojson":
        return new TextEncoder().encode(prediction.geojson(style.threshold, await this.className(image)));
    }
  }

  /** All files of an image. */
  async results({ image, style }: Calls["results"]["args"]): Promise<Results> {
    return {
      mask: await this.export(image, "mask", style),
      overlay: await this.export(image, "overlay", style),
      soft: owned((await this.predictions.of(image)).soft_png()),
      geojson: await this.export(image, "geojson", style),
      foreground: await this.foreground(image, style),
    };
  }

  async foreground(image: ImageRef, style: Style): Promise<number> {
    return (await this.predictions.of(image)).foreground(style.threshold);
  }

  csv(lines: readonly Line[]): string {
    return table(lines, this.card);
  }

  /** What other pages get of an image, after which nothing of it is kept; the threshold is the model's unless another is given. */
  async segment(image: ImageRef, threshold: number | null): Promise<Segment> {
    const findings: Findings = await this.predictions.findings(image);
    const prediction = await this.predictions.of(image);
    const cautions = [...findings.cautions, ...this.scale([findings])].flatMap((caution) => caution?.sentence ?? []);
    const mask = prediction.soft() as Float32Array<ArrayBuffer>;
    const geojson = prediction.geojson(threshold ?? this.card.threshold, await this.className(image));
    this.predictions.forget(image.id);
    return { findings, cautions, mask, geojson };
  }

  forget(ids: readonly number[] | null): Calls["forget"]["result"] {
    if (ids) for (const id of ids) this.predictions.forget(id);
    else this.predictions.clear();
    return { held: this.memory, used: this.predictions.bytes };
  }

  panic(): null {
    panic_now();
    return null;
  }

  /** Bytes that the program holds. */
  private get memory(): number {
    return this.program.memory.buffer.byteLength;
  }

  private get card(): ModelCard {
    return this.loaded.card;
  }

  private async className(image: ImageRef): Promise<string> {
    const { classIndex } = await this.predictions.findings(image);
    return this.card.classes[image.chosen ?? classIndex ?? -1] ?? "foreground";
  }
}

async function compile(report: (event: WorkerEvent) => void): Promise<WebAssembly.Module> {
  return WebAssembly.compileStreaming(download(programUrl, "program", __BUILD__.programBytes, report));
}

async function modelBytes(model: ModelSource, report: (event: WorkerEvent) => void): Promise<Uint8Array> {
  if (typeof model !== "string") return read(model);
  const response = await download(model, "model", __BUILD__.modelBytes, report);
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

/** wasm-bindgen returns copies outside the module's memory, so they may be transferred. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>;
}
