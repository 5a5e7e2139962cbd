import { byId } from "../dom";
import { count } from "../format";
import { bounds, rectangle, type Point, type Polygon } from "./polygon";
import type { SlideScope } from "./slide-scope";

export interface RegionEvents {
  /** While a rectangle is drawn. */
  drawn(region: Polygon): void;
  /** There are other regions; none: all tissue of the slide. */
  chosen(): void;
  /** A file of regions was picked. */
  file(file: File): void;
}

const CONTROLS = ["slide-draw", "slide-in-view", "slide-whole", "slide-undo", "slide-region-input"] as const;

/** All tissue, or regions: rectangles that are drawn, what is in view, polygons of a file. */
export class RegionTool {
  /** What was added together is taken back together. */
  private added: (readonly Polygon[])[] = [];
  private readonly cover = byId("slide-drawing");
  private from: Point | undefined;

  constructor(
    private readonly scope: SlideScope,
    private readonly size: () => { width: number; height: number } | undefined,
    private readonly on: RegionEvents,
  ) {
    const button = byId("slide-draw");
    button.addEventListener("click", () => this.draw(button.getAttribute("aria-pressed") !== "true"));
    byId("slide-whole").addEventListener("click", () => this.clear());
    byId("slide-undo").addEventListener("click", () => this.set(this.added.slice(0, -1)));
    byId("slide-in-view").addEventListener("click", () => {
      const { left, top, right, bottom } = byId("slide-view").getBoundingClientRect();
      const region = this.between(this.at(left, top), this.at(right, bottom));
      if (region) this.set([[region]]);
    });
    const input = byId("slide-region-input", HTMLInputElement);
    input.addEventListener("change", () => {
      const [file] = Array.from(input.files ?? []);
      input.value = "";
      if (file) this.on.file(file);
    });
    this.cover.addEventListener("pointerdown", (event) => {
      this.cover.setPointerCapture(event.pointerId);
      this.from = this.at(event.clientX, event.clientY);
    });
    this.cover.addEventListener("pointermove", (event) => {
      const region = this.between(this.from, this.at(event.clientX, event.clientY));
      if (region) this.on.drawn(region);
    });
    this.cover.addEventListener("pointerup", (event) => {
      const region = this.between(this.from, this.at(event.clientX, event.clientY));
      this.draw(false);
      if (region) this.add([region]);
    });
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !this.cover.hidden) this.draw(false);
    });
  }

  /** null: all tissue. */
  get regions(): readonly Polygon[] | null {
    return this.added.length > 0 ? this.added.flat() : null;
  }

  add(regions: readonly Polygon[]): void {
    this.set([...this.added, regions]);
  }

  clear(): void {
    this.set([]);
  }

  enable(enabled: boolean): void {
    for (const id of CONTROLS) (byId(id) as unknown as { disabled: boolean }).disabled = !enabled;
  }

  private set(added: (readonly Polygon[])[]): void {
    this.added = added;
    const { regions } = this;
    byId("slide-whole").setAttribute("aria-pressed", String(regions === null));
    byId("slide-undo").hidden = added.length < 2;
    byId("slide-region").textContent = regions ? described(regions) : "All tissue of the slide";
    this.on.chosen();
  }

  private draw(on: boolean): void {
    byId("slide-draw").setAttribute("aria-pressed", String(on));
    this.cover.hidden = !on;
    const began = this.from;
    this.from = undefined;
    // what was begun and not ended is taken off the picture
    if (!on && began) this.on.chosen();
  }

  private at(clientX: number, clientY: number): Point | undefined {
    const at = this.scope.placeAt(clientX, clientY);
    return at ? [at.x, at.y] : undefined;
  }

  private between(from: Point | undefined, to: Point | undefined): Polygon | null {
    const size = this.size();
    return from && to && size ? rectangle(from, to, size.width, size.height) : null;
  }
}

function described(regions: readonly Polygon[]): string {
  const [left, top, width, height] = bounds(regions).map(Math.round);
  const place = `${width} × ${height} pixels at ${left}, ${top}`;
  return regions.length === 1 ? place : `${count(regions.length, "region")} within ${place}`;
}
