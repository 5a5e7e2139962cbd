import { byId, showBitmap, typing } from "./dom";
import { Cancelled, type EngineHost } from "./engine-host";
import { words } from "./format";
import { reference, type Item } from "./images";
import type { Style } from "./protocol";

/** A key held longer than this shows the bare image until it is released; a shorter press switches. */
const HOLD_MS = 300;

export interface ViewerEvents {
  /** The mask on show has this many pixels of foreground. */
  painted(item: Item, foreground: number): void;
  failed(item: Item, message: string): void;
}

/** The image with its mask, the value under the cursor, and the mask's hiding. */
export class Viewer {
  private readonly stage = byId("stage");
  private readonly canvas = byId("canvas", HTMLCanvasElement);
  private readonly marker = byId("marker");
  private readonly readout = byId("value");
  private readonly toggle = byId("overlay-toggle", HTMLButtonElement);
  private item: Item | undefined;
  private overlay = true;
  private painting = false;
  private stale = false;
  private asking = false;
  private cursor: { x: number; y: number } | undefined;
  private asked: { x: number; y: number } | undefined;
  private pressed: number | undefined;

  constructor(
    private readonly host: EngineHost,
    private readonly style: () => Style,
    private readonly on: ViewerEvents,
  ) {
    this.canvas.addEventListener("pointermove", (event) => this.point(event));
    this.canvas.addEventListener("pointerdown", (event) => this.point(event));
    this.canvas.addEventListener("pointerleave", () => this.leave());
    this.canvas.addEventListener("keydown", (event) => this.move(event));
    this.canvas.addEventListener("blur", () => this.leave());
    this.toggle.addEventListener("click", () => this.setOverlay(!this.overlay));
    document.addEventListener("keydown", (event) => this.keyDown(event));
    document.addEventListener("keyup", (event) => this.keyUp(event));
  }

  /** Shows an image that has been predicted, or nothing. */
  show(item: Item | undefined): void {
    if (item !== this.item) {
      this.leave();
      this.stage.classList.add("stale");
    }
    this.item = item;
    if (item) this.repaint();
    else this.stage.classList.add("empty");
  }

  /** Draws anew at the next frame: however fast a slider moves, once a frame and one after the other. */
  repaint(): void {
    if (this.stale) return;
    this.stale = true;
    if (!this.painting) requestAnimationFrame(() => void this.paint());
  }

  private async paint(): Promise<void> {
    const item = this.item;
    this.stale = false;
    if (!item || item.state.kind !== "done") return;
    this.painting = true;
    this.stage.setAttribute("aria-busy", "true");
    const style = this.overlay ? this.style() : { ...this.style(), opacity: 0, contour: false };
    try {
      const { bitmap, foreground } = await this.host.call("paint", { image: reference(item), style });
      if (item === this.item) {
        this.stage.style.setProperty("--ratio", String(bitmap.width / bitmap.height));
        showBitmap(this.canvas, bitmap);
        this.stage.classList.remove("empty", "stale");
        this.on.painted(item, foreground);
        this.ask();
      } else {
        bitmap.close();
      }
    } catch (error) {
      if (!(error instanceof Cancelled)) this.on.failed(item, words(error));
    }
    this.painting = false;
    this.stage.removeAttribute("aria-busy");
    if (this.stale) requestAnimationFrame(() => void this.paint());
  }

  private setOverlay(overlay: boolean): void {
    if (overlay === this.overlay) return;
    this.overlay = overlay;
    this.toggle.setAttribute("aria-pressed", String(overlay));
    this.repaint();
  }

  private keyDown(event: KeyboardEvent): void {
    if (event.key.toLowerCase() !== "h" || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!this.item || typing()) return;
    this.pressed = event.timeStamp;
    this.setOverlay(!this.overlay);
  }

  private keyUp(event: KeyboardEvent): void {
    if (event.key.toLowerCase() !== "h" || this.pressed === undefined) return;
    if (event.timeStamp - this.pressed > HOLD_MS) this.setOverlay(!this.overlay);
    this.pressed = undefined;
  }

  private point(event: PointerEvent): void {
    const box = this.canvas.getBoundingClientRect();
    if (box.width === 0 || box.height === 0) return;
    this.readout.setAttribute("aria-live", "off");
    this.marker.hidden = true;
    this.cursor = this.clamp(
      Math.floor(((event.clientX - box.left) / box.width) * this.canvas.width),
      Math.floor(((event.clientY - box.top) / box.height) * this.canvas.height),
    );
    this.ask();
  }

  /** Arrow keys move a cross, ten pixels at a time or with Shift one. */
  private move(event: KeyboardEvent): void {
    const steps: Record<string, [number, number]> = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, -1],
      ArrowDown: [0, 1],
    };
    const step = steps[event.key];
    if (!step || !this.item) return;
    event.preventDefault();
    const { width, height } = this.canvas;
    const from = this.cursor ?? { x: Math.floor(width / 2), y: Math.floor(height / 2) };
    const length = event.shiftKey ? 1 : 10;
    this.cursor = this.clamp(from.x + step[0] * length, from.y + step[1] * length);
    this.readout.setAttribute("aria-live", "polite");
    this.marker.hidden = false;
    this.marker.style.left = `${(100 * (this.cursor.x + 0.5)) / width}%`;
    this.marker.style.top = `${(100 * (this.cursor.y + 0.5)) / height}%`;
    this.ask();
  }

  private clamp(x: number, y: number): { x: number; y: number } {
    const within = (value: number, size: number) => Math.min(Math.max(value, 0), size - 1);
    return { x: within(x, this.canvas.width), y: within(y, this.canvas.height) };
  }

  private leave(): void {
    this.cursor = undefined;
    this.asked = undefined;
    this.marker.hidden = true;
    this.readout.textContent = "Point at the image, or focus it and use the arrow keys, to read the mask.";
  }

  /** The mask's value at the cursor; while one question is open the cursor may move on. */
  private ask(): void {
    const { item, cursor } = this;
    if (!item || !cursor || this.asking || this.stage.matches(".empty, .stale")) return;
    this.asking = true;
    this.asked = cursor;
    const call = this.host.call("value", { id: item.id, ...cursor });
    call
      .then((value) => {
        if (item !== this.item || !this.cursor) return;
        this.readout.textContent = `x ${cursor.x}, y ${cursor.y}: ${value === null ? "…" : value.toFixed(3)}`;
      })
      // cancelled or crashed: the next movement asks again
      .catch(() => undefined)
      .finally(() => {
        this.asking = false;
        if (this.cursor && this.cursor !== this.asked) this.ask();
      });
  }
}
