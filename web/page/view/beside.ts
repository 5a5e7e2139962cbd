import { byId } from "../dom";
import { EngineHost } from "../engine-host";
import { percent, sentence, words } from "../format";
import { Cancelled, unheard, type Caller } from "../host-events";
import { reference, type Images, type Item } from "../images";
import type { Pool } from "../pool";
import type { Findings, ImageRef, ModelCard, Style } from "../protocol";
import { Layers } from "./layers";
import { PatchSource } from "./patch-source";
import { Scope, type Place } from "./scope";

export interface BesideContext {
  readonly pool: Pool;
  readonly images: Images;
  style(): Style;
  card(): ModelCard | undefined;
  /** The view beside has moved. */
  moved(): void;
}

/** What stands beside the image on show: another image, or the same by another model. */
type What = { readonly kind: "image"; readonly id: number } | { readonly kind: "model" };

/** Pixels that the other model's Worker keeps at hand. */
const AWAKE = 4_000_000;

/** A second view, beside the first one, of another image or of another model's mask. */
export class Beside {
  readonly scope: Scope;
  private readonly layers: Layers;
  private readonly select = byId("beside-what", HTMLSelectElement);
  private readonly input = byId("beside-input", HTMLInputElement);
  private what: What | undefined;
  private item: Item | undefined;
  private other: { host: EngineHost; name: string; card: ModelCard | undefined } | undefined;
  /** What picture is open, and what the other model says of it. */
  private open = "";
  private findings: Findings | undefined;
  private painting = false;
  private stale = false;
  on = false;

  constructor(private readonly context: BesideContext) {
    this.scope = new Scope(byId("beside-view"), null, () => {
      this.layers.draw();
      context.moved();
    });
    this.scope.describe("beside-canvas", "beside-what");
    this.layers = new Layers(this.scope, byId("beside-layers", HTMLCanvasElement));
    new ResizeObserver(() => this.layers.draw()).observe(byId("beside"));
    this.select.addEventListener("change", () => this.choose(this.select.value));
    this.input.addEventListener("change", () => {
      const [file] = Array.from(this.input.files ?? []);
      this.input.value = "";
      if (file) void this.load(file);
    });
    this.input.addEventListener("cancel", () => this.list());
  }

  /** Shows or hides the second view. */
  toggle(): void {
    this.on = !this.on;
    byId("beside").hidden = !this.on;
    byId("stage").classList.toggle("comparing", this.on);
    byId("compare-toggle").setAttribute("aria-pressed", String(this.on));
    if (this.on) this.show(this.item);
    else this.dismiss();
  }

  /** Another image is on show. */
  show(item: Item | undefined): void {
    this.item = item;
    if (!this.on || !item) return;
    this.list();
    this.repaint();
  }

  set visible(visible: boolean) {
    this.layers.visible = visible;
    this.layers.draw();
  }

  /** Whether it shows the same image as the first view. */
  get isSameImage(): boolean {
    return this.on && this.what?.kind === "model";
  }

  /** The mask's value there, with what it belongs to. */
  async value(place: Place): Promise<{ value: number; threshold: number } | null> {
    const shown = this.shown();
    if (!shown) return null;
    const value = await shown.host.call("value", { id: shown.item.id, ...place });
    return value === null ? null : { value, threshold: shown.style.threshold };
  }

  /** Draws anew, once a frame at most. */
  repaint(): void {
    this.layers.outside = this.context.style();
    if (!this.on || this.stale) return;
    this.stale = true;
    if (!this.painting) requestAnimationFrame(() => void this.paint());
  }

  /** Lets go of all pictures, and of the other model's Worker. */
  clear(): void {
    this.item = undefined;
    this.dismiss();
  }

  private dismiss(): void {
    this.other?.host.close(new Cancelled("cancelled"));
    this.other = undefined;
    if (this.what?.kind === "model") this.what = undefined;
    this.open = "";
    this.layers.clear();
    this.scope.close();
  }

  /** The choice: images that are done, and models. */
  private list(): void {
    const { select, what } = this;
    const images = this.context.images.done().filter((item) => item !== this.item);
    if (what?.kind !== "model" && !images.some(({ id }) => what?.id === id)) {
      const [next] = images;
      this.what = next ? { kind: "image", id: next.id } : undefined;
    }
    const group = (label: string, options: HTMLOptionElement[]) => {
      const made = document.createElement("optgroup");
      made.label = label;
      made.append(...options);
      return made;
    };
    const models = [new Option("Load another model…", "load")];
    if (this.other) models.unshift(new Option(this.other.name, "model"));
    select.replaceChildren(
      ...(this.what ? [] : [new Option("Choose…", "")]),
      ...(images.length > 0 ? [group("Images", images.map(({ name, id }) => new Option(name, String(id))))] : []),
      group("This image by another model", models),
    );
    select.value = this.what?.kind === "model" ? "model" : String(this.what?.id ?? "");
  }

  private choose(value: string): void {
    if (value === "load") {
      this.input.click();
      return;
    }
    this.what = value === "model" ? { kind: "model" } : { kind: "image", id: Number(value) };
    this.repaint();
  }

  /** Opens a Worker with another model. */
  private async load(file: File): Promise<void> {
    this.other?.host.close(new Cancelled("cancelled"));
    const refused = (message: string) => {
      if (this.other === other) this.other = undefined;
      this.what = undefined;
      this.list();
      this.say(`“${file.name}” was not loaded: ${sentence(message)}`);
    };
    const host: EngineHost = new EngineHost(
      "cpu",
      AWAKE,
      {
        ...unheard,
        ready: (_, { card }) => {
          other.card = card;
          this.repaint();
        },
        dead: refused,
      },
      { program: this.context.pool.shared?.program, model: new Blob([await file.arrayBuffer()]) },
    );
    const other: NonNullable<Beside["other"]> = { host, name: file.name, card: undefined };
    this.other = other;
    this.what = { kind: "model" };
    this.open = "";
    this.list();
    this.say("Loading the model…");
    host.open();
  }

  /** What is to be painted, by whom and how. */
  private shown(): { item: Item; host: Caller; style: Style; card: ModelCard | undefined } | undefined {
    const { what, item, other, context } = this;
    const style = context.style();
    if (what?.kind === "image") {
      const found = context.images.done().find(({ id }) => id === what.id);
      return found && { item: found, host: context.pool, style, card: context.card() };
    }
    if (!what || !item || !other?.card) return undefined;
    // of a model its own threshold: the slider belongs to the first one's
    return { item, host: other.host, style: { ...style, threshold: other.card.threshold }, card: other.card };
  }

  private async paint(): Promise<void> {
    this.stale = false;
    const shown = this.shown();
    if (!this.on || !shown) {
      if (this.what === undefined) this.say("Choose an image, or another model.");
      return;
    }
    this.painting = true;
    const { item, host, style, card } = shown;
    const isModel = this.what?.kind === "model";
    const image = { ...reference(item), ...(isModel ? { chosen: null } : {}) };
    try {
      const key = `${item.id} ${isModel ? this.other?.name : ""}`;
      const isNew = key !== this.open;
      if (isNew) this.say(isModel ? "Computing…" : "");
      if (isNew) this.findings = isModel ? await this.predict(host, image, style) : undefined;
      const findings = this.findings ?? (item.state.kind === "done" ? item.state.findings : undefined);
      const made = await host.call("paint", { image, style, parts: { bare: isNew, veil: true } });
      if (made.bare) {
        this.scope.open(new PatchSource(made.bare));
        this.open = key;
      }
      this.layers.put("painted", made.bitmap);
      if (made.veil) this.layers.put("veil", made.veil);
      this.layers.draw();
      const { classIndex, probabilities } = findings ?? { classIndex: null, probabilities: [] };
      const name = classIndex === null ? "No class" : `${card?.classes[classIndex] ?? ""} ${percent(probabilities[classIndex] ?? 0)}`;
      byId("beside-class").textContent = isModel ? `${name}, threshold ${style.threshold}` : name;
      byId("beside-pending").textContent = "";
    } catch (error) {
      if (!(error instanceof Cancelled)) this.say(sentence(words(error)));
    }
    this.painting = false;
    if (this.stale) requestAnimationFrame(() => void this.paint());
  }

  private async predict(host: Caller, image: ImageRef, style: Style): Promise<Findings> {
    const { findings, thumbnail } = await host.call("predict", { image, style, mpp: null });
    thumbnail.close();
    return findings;
  }

  private say(text: string): void {
    byId("beside-pending").textContent = text;
    byId("beside-class").textContent = "";
    if (text) {
      this.layers.clear();
      this.scope.close();
      this.open = "";
    }
  }
}
