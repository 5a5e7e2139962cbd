/** Whole slides: opened where they lie, looked at, predicted region by region, saved. Nothing of one leaves the tab. */
import { byId } from "../dom";
import { duration, words } from "../format";
import type { Shared } from "../host-events";
import { MOST_BYTES, type Found } from "../images";
import type { DeviceChoice, ModelCard, SlideFiles, SlidePlan, Style } from "../protocol";
import { save } from "../save";
import { showFullScreen } from "../view/full-screen";
import { showScaleBar } from "../view/scale-bar";
import { Growth } from "./growth";
import { LookedAt } from "./looked-at";
import { showFacts, showResult } from "./panel";
import { readOverview } from "./overview";
import { SlidePrediction } from "./prediction";
import { SlideScope } from "./slide-scope";
import { SlideTools } from "./slide-tools";
import { SlideSource } from "./tile-source";
import { ViewHost } from "./view-host";
import type { SlideAbout, TileStyle } from "./view-protocol";

/** Endings that slides alone have, those too that are refused by name; of a TIFF its content tells. */
const SLIDE = /\.(svs|btf|tf8|ndpi|scn|bif|mrxs|svslide|vms|vmu|czi)$/i;
const TIFF = /\.tiff?$/i;
/** Regions or tissue of a slide. */
const OUTLINES = /\.(geo)?json$/i;

export interface SlidesContext {
  /** When the program and the model are loaded. */
  readonly started: Promise<void>;
  /** The compiled program and the model's file; undefined before they are loaded. */
  shared(): Shared | undefined;
  device(): DeviceChoice;
  card(): ModelCard | undefined;
  style(): Style;
  say(text: string): void;
  progress(share: number | null): void;
  notify(message: string): void;
  /** The slide was closed. */
  closed(): void;
}

export class Slides {
  /** Results that were not saved. */
  unsaved = false;
  private readonly view = new ViewHost();
  private readonly scope = new SlideScope(byId("slide-view"), byId("slide-navigator"), () => this.moved());
  private readonly growth = new Growth(byId("slide-layer", HTMLCanvasElement), this.scope);
  private readonly lookedAt = new LookedAt(this.scope, this.growth, {
    size: () => this.about,
    outlines: (text) => this.view.ask("outlines", { text }),
    changed: () => {
      // what was computed is of another region
      if (this.prediction && !this.prediction.isRunning && !this.result) this.forget();
      this.report();
    },
    busy: () => this.prediction?.isRunning ?? false,
    notify: (message) => this.context.notify(message),
  });
  private readonly threshold = byId("slide-threshold", HTMLInputElement);
  private files: readonly File[] = [];
  private file: File | undefined;
  private about: SlideAbout | undefined;
  private prediction: SlidePrediction | undefined;
  private plan: SlidePlan | undefined;
  private result: SlideFiles | undefined;
  private overview: Promise<void> = Promise.resolve();
  private visible = true;
  private next = 1;

  constructor(private readonly context: SlidesContext) {
    const on = (id: string, action: () => void) => byId(id).addEventListener("click", action);
    on("slide-close", () => this.close());
    on("slide-run", () => void this.run());
    on("slide-stop", () => this.prediction?.stop());
    for (const kind of ["geojson", "map", "tiles", "table", "tissue"] as const) on(`slide-${kind}`, () => this.save(kind));
    this.threshold.addEventListener("input", () => this.showThreshold());
    this.threshold.addEventListener("change", () => {
      if (this.result && this.prediction) void this.busy(this.prediction.again());
    });
    const choice = byId("slide-choice", HTMLSelectElement);
    choice.addEventListener("change", () => {
      const file = this.files[choice.selectedIndex];
      if (file) void this.open(file);
    });
    new SlideTools(this.scope, {
      isOpen: () => this.isOpen,
      value: async (at) => (this.result ? this.view.ask("value", at) : null),
      threshold: () => Number(this.threshold.value),
      toggleMask: () => this.setVisible(!this.visible),
    });
    byId("slide-mpp").addEventListener("input", () => this.moved());
    this.scope.describe("slide-canvas", "slide-title", "slide-keys");
    this.scope.listen();
    new ResizeObserver(() => this.growth.draw()).observe(byId("slide-stage"));
  }

  /** Takes slides and their outlines out of what was dropped, and shows the first slide; the rest is given back. */
  async take(found: readonly Found[]): Promise<Found[]> {
    if (!found.some(({ file }) => [SLIDE, TIFF, OUTLINES].some((kind) => kind.test(file.name)))) return [...found];
    await this.context.started;
    const slides: File[] = [];
    const outlines: File[] = [];
    const rest: Found[] = [];
    for (const one of found) {
      if (OUTLINES.test(one.file.name)) outlines.push(one.file);
      else if (SLIDE.test(one.file.name) || (TIFF.test(one.file.name) && (await this.isSlide(one.file)))) slides.push(one.file);
      else rest.push(one);
    }
    const [first] = slides;
    if (first) {
      this.files = slides;
      const choice = byId("slide-choice", HTMLSelectElement);
      choice.replaceChildren(...slides.map(({ name }) => new Option(name)));
      choice.hidden = slides.length < 2;
      await this.open(first);
    }
    for (const file of outlines) {
      if (this.isOpen) await this.lookedAt.take(file);
      else this.context.notify(`“${file.name}” was not taken: it belongs to a slide; open that first`);
    }
    return rest;
  }

  /** Another model is used: what was predicted is another's. */
  modelChanged(): void {
    this.forget();
    this.report();
  }

  private get isOpen(): boolean {
    return this.about !== undefined;
  }

  private async isSlide(file: File): Promise<boolean> {
    const program = this.context.shared()?.program;
    if (!program) return false;
    try {
      return (await this.view.ask("open", { file, look: true }, program)).whole;
    } catch {
      // a picture, or damaged: the page says so of pictures, of files too large for one the slides' reader does
      return file.size > MOST_BYTES;
    }
  }

  private async open(file: File): Promise<void> {
    const shared = this.context.shared();
    if (!shared || !this.mayForget()) return;
    try {
      const about = await this.view.ask("open", { file, look: false }, shared.program);
      this.forget();
      [this.file, this.about] = [file, about];
      document.body.classList.add("slide");
      byId("slide").hidden = false;
      byId("slide-title").textContent = file.name;
      this.lookedAt.reset();
      showFacts(about);
      this.overview = readOverview(about, this.view, () => this.file === file, this.context);
      this.scope.open(this.tiles(about, null));
      this.threshold.value = String(this.context.card()?.threshold ?? 0.5);
      this.showThreshold();
      byId("slide").focus({ preventScroll: true });
    } catch (error) {
      this.context.notify(`“${file.name}”: ${words(error)}`);
    }
  }

  private close(): void {
    if (!this.mayForget()) return;
    this.forget();
    showFullScreen(false);
    this.scope.close();
    this.view.close();
    [this.file, this.about] = [undefined, undefined];
    document.body.classList.remove("slide");
    byId("slide").hidden = true;
    this.context.progress(null);
    this.context.closed();
  }

  private mayForget(): boolean {
    return !this.unsaved || confirm("The slide’s results were not saved. Leave them?");
  }

  private forget(): void {
    this.prediction?.close();
    [this.prediction, this.plan, this.result, this.unsaved] = [undefined, undefined, undefined, false];
    this.scope.uncover();
    this.growth.end();
    this.lookedAt.forget();
  }

  /** Computes what is chosen, or goes on with it. */
  private async run(): Promise<void> {
    if (!this.prediction || this.result) {
      const prediction = this.begin();
      if (!prediction) return;
      this.prediction = prediction;
    }
    await this.busy(this.prediction.run());
  }

  private async busy(work: Promise<void>): Promise<void> {
    this.report();
    await work;
    this.report();
  }

  private begin(): SlidePrediction | undefined {
    const { file, about } = this;
    const [shared, mpp] = [this.context.shared(), this.scale()];
    if (!file || !about || !shared || mpp === undefined || !this.mayForget()) return undefined;
    this.forget();
    this.lookedAt.begin();
    const { region, tissue } = this.lookedAt;
    const slide = { id: this.next++, file, name: file.name, model: shared.model, mpp, region, tissue };
    const style = () => ({ threshold: Number(this.threshold.value), colormap: this.context.style().colormap });
    return new SlidePrediction(slide, style, this.context.device(), shared, {
      planned: (plan) => {
        this.plan = plan;
        this.growth.begin(plan);
        void this.lookedAt.seen(plan.tissue);
        this.report();
      },
      part: (number, picture) => {
        const part = this.plan?.parts[number];
        if (picture && part && this.plan) this.growth.add(picture, part, this.plan);
        this.unsaved = true;
        this.report();
      },
      done: async (files) => {
        this.result = files;
        await this.view.ask("mask", { map: files.map });
        this.growth.end();
        this.paint();
        showResult(files.summary, this.context.card());
        this.report();
      },
      failed: (message) => this.context.notify(`“${file.name}”: ${message}`),
    });
  }

  /** Microns per pixel that were typed; null where the file says them; undefined, and said, where neither does. */
  private scale(): number | null | undefined {
    if (this.about?.mpp) return null;
    const value = typedScale();
    if (value !== undefined) return value;
    this.context.notify("This slide does not say how large a pixel is: type its µm per pixel, such as 0.25");
    byId("slide-mpp").focus();
    return undefined;
  }

  /** Tiles as they are, or under the mask. */
  private tiles(about: SlideAbout, style: TileStyle | null): SlideSource {
    const name = this.file?.name ?? "";
    const tile = new SlideSource(
      about,
      (place) => this.view.ask("tile", { place, style }),
      (message) => this.context.notify(`“${name}”: ${message}`),
      this.overview,
    );
    return tile;
  }

  /** Shows the mask, in the style of the page. */
  private paint(): void {
    if (!this.about) return;
    const { opacity, colormap, contour, dim } = this.context.style();
    this.scope.cover(this.tiles(this.about, { threshold: Number(this.threshold.value), opacity, dim, colormap, contour }));
    this.setVisible(this.visible);
  }

  private setVisible(visible: boolean): void {
    this.visible = visible;
    byId("slide-mask").setAttribute("aria-pressed", String(visible));
    this.growth.visible = visible;
    this.growth.draw();
    this.scope.showCover(visible);
  }

  private moved(): void {
    this.growth.draw();
    showScaleBar(this.scope, this.about?.mpp?.[0] ?? typedScale() ?? null, "slide-scale-bar");
  }

  private showThreshold(): void {
    byId("slide-threshold-value").textContent = this.threshold.value;
  }

  /** What is under way, and what may be pressed. */
  private report(): void {
    if (!this.isOpen) return;
    const { prediction, result, context } = this;
    const running = prediction?.isRunning ?? false;
    const { done, all } = prediction?.progress ?? { done: 0, all: 0 };
    const stopped = !running && !result && done > 0;
    const run = byId("slide-run", HTMLButtonElement);
    run.disabled = running;
    run.textContent = stopped ? "Go on" : "Predict";
    byId("slide-stop").hidden = !running;
    byId("slide-result").hidden = !result;
    this.lookedAt.enable(!running);
    context.progress(running ? done / Math.max(1, all) : null);
    if (running && all === 0) context.say("Looking for tissue and its colours…");
    else if (running && done === all) context.say("Putting the mask together…");
    else if (running) context.say(`Part ${done + 1} of ${all}${left(prediction)}…`);
    else if (result) context.say("Slide done");
    else context.say(stopped ? `Stopped after ${done} of ${all} parts` : "Slide open");
  }

  private save(kind: "geojson" | "map" | "tiles" | "table" | "tissue"): void {
    const { result, file, plan } = this;
    if (!result || !file || !plan) return;
    const stem = file.name.replace(/\.[^.]*$/, "");
    const files = {
      geojson: [result.geojson, `${stem}.geojson`, "application/geo+json"],
      map: [result.map, `${stem}_probability.tif`, "image/tiff"],
      tiles: [result.tiles, `${stem}_tiles.csv`, "text/csv"],
      table: [result.table, "slides.csv", "text/csv"],
      tissue: [plan.tissue, `${stem}_tissue.geojson`, "application/geo+json"],
    } as const;
    const [content, name, type] = files[kind];
    save(new Blob([content], { type }), name);
    // tissue is no result
    if (kind !== "tissue") this.unsaved = false;
  }
}

function typedScale(): number | undefined {
  const value = Number(byId("slide-mpp", HTMLInputElement).value.replace(",", "."));
  return value > 0 && value <= 100 ? value : undefined;
}

function left(prediction: SlidePrediction | undefined): string {
  const seconds = prediction?.left ?? null;
  return seconds === null ? "" : `, about ${duration(seconds)} left`;
}
