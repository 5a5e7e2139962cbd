import { byId } from "../dom";
import { words } from "../format";
import type { Growth } from "./growth";
import { geojson, type Polygon } from "./polygon";
import { RegionTool } from "./region-tool";
import type { SlideScope } from "./slide-scope";
import type { Outlines } from "./view-protocol";

/** Larger files are not read. */
const MOST_BYTES = 64 * 1024 * 1024;

export interface LookedAtContext {
  size(): { width: number; height: number } | undefined;
  /** The polygons of a GeoJSON text, if they are this slide's. */
  outlines(text: string): Promise<Outlines>;
  /** Regions or tissue are others now. */
  changed(): void;
  /** Whether a mask is being made, of what was chosen before. */
  busy(): boolean;
  notify(message: string): void;
}

/** Tissue of a file. */
interface Tissue {
  readonly name: string;
  readonly text: string;
  readonly polygons: readonly Polygon[];
}

/** What of a slide is looked at: regions within tissue, found, drawn or of GeoJSON files. */
export class LookedAt {
  private readonly tool: RegionTool;
  private own: Tissue | undefined;
  private found: readonly Polygon[] | undefined;
  /** What the mask on show was made of. */
  private shown: { readonly regions: readonly Polygon[] | null; readonly tissue: readonly Polygon[] | null } | undefined;

  constructor(
    scope: SlideScope,
    private readonly growth: Growth,
    private readonly context: LookedAtContext,
  ) {
    this.tool = new RegionTool(scope, () => context.size(), {
      drawn: (region) => this.mark([...(this.tool.regions ?? []), region]),
      chosen: () => this.change(),
      file: (file) => void this.take(file, "region"),
    });
    const input = byId("slide-tissue-input", HTMLInputElement);
    input.addEventListener("change", () => {
      const [file] = Array.from(input.files ?? []);
      input.value = "";
      if (file) void this.take(file, "tissue");
    });
    byId("slide-tissue-found").addEventListener("click", () => this.setTissue(undefined));
  }

  /** GeoJSON of the regions; null: all tissue. */
  get region(): string | null {
    const { regions } = this.tool;
    return regions && geojson(regions);
  }

  /** GeoJSON of tissue that was given; null: it is to be found. */
  get tissue(): string | null {
    return this.own?.text ?? null;
  }

  /** Another slide. */
  reset(): void {
    [this.own, this.found, this.shown] = [undefined, undefined, undefined];
    this.tool.clear();
    this.sayTissue();
  }

  /** Takes a GeoJSON file; where it is not said what as, as tissue if it calls itself so. */
  async take(file: File, as?: "region" | "tissue"): Promise<void> {
    try {
      if (file.size > MOST_BYTES) throw new Error("it is larger than 64 MiB");
      const text = await file.text();
      const { polygons, tissue, doubts } = await this.context.outlines(text);
      if (this.context.busy()) throw new Error("it was not taken, as the prediction is under way; stop it first");
      if (as === "tissue" || (as === undefined && tissue)) this.setTissue({ name: file.name, polygons, text });
      else this.tool.add(polygons);
      if (doubts.length > 0) this.context.notify(`“${file.name}”: ${doubts.join("; ")}`);
    } catch (error) {
      this.context.notify(`“${file.name}”: ${words(error)}`);
    }
  }

  /** A mask of what is chosen now begins. */
  begin(): void {
    this.shown = { regions: this.tool.regions, tissue: this.own?.polygons ?? this.found ?? null };
    this.mark();
  }

  /** The tissue of the mask that began, as GeoJSON: what was given, or what was found. */
  async seen(tissue: string): Promise<void> {
    if (this.own || this.found) return;
    // a slide may have none
    this.found = await this.context.outlines(tissue).then(({ polygons }) => polygons, () => []);
    if (this.shown) this.shown = { ...this.shown, tissue: this.found };
    this.mark();
  }

  /** There is no mask any more. */
  forget(): void {
    this.shown = undefined;
    this.mark();
  }

  enable(enabled: boolean): void {
    this.tool.enable(enabled);
    byId("slide-tissue-input", HTMLInputElement).disabled = !enabled;
    byId("slide-tissue-found", HTMLButtonElement).disabled = !enabled;
  }

  private setTissue(own: Tissue | undefined): void {
    this.own = own;
    this.sayTissue();
    this.change();
  }

  private sayTissue(): void {
    byId("slide-tissue-line").textContent = this.own ? `Tissue: of “${this.own.name}”` : "Tissue: found by the page";
    byId("slide-tissue-found").hidden = !this.own;
  }

  private change(): void {
    this.mark();
    this.context.changed();
  }

  private mark(regions = this.tool.regions): void {
    const seen = this.shown ?? { regions, tissue: this.own?.polygons ?? null };
    this.growth.mark(regions, seen.regions, seen.tissue);
  }
}
