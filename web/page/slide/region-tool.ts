import { byId } from "../dom";
import { between, type Region } from "./region";
import type { SlideScope } from "./slide-scope";

export interface RegionEvents {
  /** While a rectangle is drawn. */
  drawn(region: Region): void;
  /** null: all tissue of the slide. */
  chosen(region: Region | null): void;
}

const BUTTONS = ["slide-draw", "slide-in-view", "slide-whole"] as const;

/** All tissue, a rectangle that is drawn, or what is in view. */
export class RegionTool {
  private readonly cover = byId("slide-drawing");
  private from: readonly [number, number] | undefined;

  constructor(
    private readonly scope: SlideScope,
    private readonly size: () => { width: number; height: number } | undefined,
    private readonly on: RegionEvents,
  ) {
    const button = byId("slide-draw");
    button.addEventListener("click", () => this.draw(button.getAttribute("aria-pressed") !== "true"));
    byId("slide-whole").addEventListener("click", () => this.choose(null));
    byId("slide-in-view").addEventListener("click", () => {
      const { left, top, right, bottom } = byId("slide-view").getBoundingClientRect();
      this.choose(this.between(this.at(left, top), this.at(right, bottom)));
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
      this.from = undefined;
      this.choose(region);
      this.draw(false);
    });
  }

  choose(region: Region | null): void {
    byId("slide-whole").setAttribute("aria-pressed", String(region === null));
    byId("slide-region").textContent = region
      ? `${region.right - region.left} × ${region.bottom - region.top} pixels at ${region.left}, ${region.top}`
      : "All tissue of the slide";
    this.on.chosen(region);
  }

  enable(enabled: boolean): void {
    for (const id of BUTTONS) byId(id, HTMLButtonElement).disabled = !enabled;
  }

  private draw(on: boolean): void {
    byId("slide-draw").setAttribute("aria-pressed", String(on));
    this.cover.hidden = !on;
  }

  private at(clientX: number, clientY: number): readonly [number, number] | undefined {
    const at = this.scope.placeAt(clientX, clientY);
    return at ? [at.x, at.y] : undefined;
  }

  private between(from: readonly [number, number] | undefined, to: readonly [number, number] | undefined): Region | null {
    const size = this.size();
    return from && to && size ? between(from, to, size.width, size.height) : null;
  }
}
