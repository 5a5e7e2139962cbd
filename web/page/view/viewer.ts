import { byId, typing } from "../dom";
import { Cancelled, type Caller } from "../host-events";
import { words } from "../format";
import { reference, type Item } from "../images";
import type { Style } from "../protocol";
import type { Beside } from "./beside";
import { showFullScreen, toggleFullScreen } from "./full-screen";
import { Layers } from "./layers";
import { PatchSource } from "./patch-source";
import { showScaleBar } from "./scale-bar";
import { Scope, type Place } from "./scope";
import { Swipe } from "./swipe";

/** A key held longer than this shows the bare image until it is released; a shorter press switches. */
const HOLD_MS = 300;

export interface ViewerEvents {
  /** The mask on show has this many pixels of foreground. */
  painted(item: Item, foreground: number): void;
  failed(item: Item, message: string): void;
  /** The image before or after is asked for. */
  turn(step: number): void;
  micronsPerPixel(): number | null;
}

/** The image with its mask, the value under cursor, finger or cross, and the mask's hiding. */
export class Viewer {
  private readonly stage = byId("stage");
  private readonly cross = byId("cross");
  private readonly readout = byId("value");
  private readonly toggle = byId("overlay-toggle", HTMLButtonElement);
  private readonly scope = new Scope(byId("view"), byId("navigator"), () => this.moved());
  private readonly layers = new Layers(
    this.scope,
    byId("layers", HTMLCanvasElement),
    byId("painted", HTMLCanvasElement),
    byId("veil", HTMLCanvasElement),
  );
  private readonly swipe = new Swipe((at) => {
    this.layers.swipe = at;
    this.layers.draw();
  });
  private item: Item | undefined;
  /** Whose picture is open, and what its veil was made by. */
  private open: Item | undefined;
  private veiled = "";
  private painting = false;
  private stale = false;
  private asking = false;
  private cursor: Place | undefined;
  private asked: Place | undefined;
  private byKeys = false;
  private pressed: number | undefined;
  /** The view that leads: the last one touched. */
  private leading: Scope = this.scope;

  constructor(
    private readonly host: Caller,
    private readonly style: () => Style,
    private readonly beside: Beside,
    private readonly on: ViewerEvents,
  ) {
    this.scope.describe("canvas", "image-title");
    // before the library takes the event
    const view = byId("view");
    view.addEventListener("pointermove", (event) => this.point(event), true);
    view.addEventListener("pointerdown", (event) => this.point(event), true);
    view.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && this.leave(), true);
    this.lead(view, this.scope);
    this.lead(byId("beside-view"), beside.scope);
    byId("beside-view").addEventListener("pointermove", (event) => this.pointBeside(event), true);
    byId("beside-view").addEventListener("pointerdown", (event) => this.pointBeside(event), true);
    byId("compare-toggle").addEventListener("click", () => this.compare());
    beside.scope.canvas.addEventListener("keydown", (event) => this.navigate(event));
    this.scope.canvas.addEventListener("keydown", (event) => this.navigate(event));
    this.scope.canvas.addEventListener("blur", () => this.byKeys && this.leave());
    this.toggle.addEventListener("click", () => this.setOverlay(!this.layers.visible));
    const actions: Record<string, () => void> = {
      "zoom-in": () => this.scope.zoom(1),
      "zoom-out": () => this.scope.zoom(-1),
      fit: () => this.scope.fit(),
      actual: () => this.scope.actual(),
      rotate: () => this.scope.rotate(90),
      "full-screen": toggleFullScreen,
    };
    for (const [id, action] of Object.entries(actions)) {
      byId(id).addEventListener("click", () => {
        this.leading = this.scope;
        action();
      });
    }
    document.addEventListener("keydown", (event) => this.keyDown(event));
    document.addEventListener("keyup", (event) => this.keyUp(event));
    new ResizeObserver(() => this.layers.draw()).observe(this.stage);
    this.leave();
  }

  /** Shows an image that has been predicted, or nothing. */
  show(item: Item | undefined): void {
    if (item !== this.item) {
      this.leave();
      this.stage.classList.add("stale");
    }
    this.item = item;
    this.beside.show(item);
    if (item) this.repaint();
    else this.stage.classList.add("empty");
  }

  /** Lets go of all pictures. */
  clear(): void {
    this.show(undefined);
    this.open = undefined;
    this.veiled = "";
    this.layers.clear();
    this.scope.close();
    this.beside.clear();
  }

  /** Draws anew at the next frame: however fast a slider moves, once a frame and one after the other. */
  repaint(): void {
    this.layers.outside = this.style();
    this.beside.repaint();
    if (this.stale) return;
    this.stale = true;
    if (!this.painting) requestAnimationFrame(() => void this.paint());
  }

  /** The scale has changed. */
  rescale(): void {
    showScaleBar(this.scope, this.on.micronsPerPixel());
  }

  private async paint(): Promise<void> {
    const item = this.item;
    this.stale = false;
    if (!item || item.state.kind !== "done") return;
    this.painting = true;
    this.stage.setAttribute("aria-busy", "true");
    const style = this.style();
    const veil = `${item.id} ${item.chosen} ${style.threshold} ${item.state.findings.run}`;
    const parts = { bare: this.open !== item, veil: this.veiled !== veil };
    try {
      const made = await this.host.call("paint", { image: reference(item), style, parts });
      if (item === this.item) {
        if (made.bare) {
          this.scope.open(new PatchSource(made.bare));
          this.open = item;
        }
        this.layers.put("painted", made.bitmap);
        if (made.veil) {
          this.layers.put("veil", made.veil);
          this.veiled = veil;
        }
        this.layers.outside = style;
        this.layers.draw();
        this.stage.classList.remove("empty", "stale");
        this.on.painted(item, made.foreground);
        this.ask();
      } else {
        for (const picture of [made.bitmap, made.bare, made.veil]) picture?.close();
      }
    } catch (error) {
      if (!(error instanceof Cancelled)) this.on.failed(item, words(error));
    }
    this.painting = false;
    this.stage.removeAttribute("aria-busy");
    if (this.stale) requestAnimationFrame(() => void this.paint());
  }

  private moved(): void {
    this.layers.draw();
    this.rescale();
    this.link();
    this.stage.classList.toggle("close-up", this.scope.isCloseUp);
    if (!this.byKeys) return;
    this.cursor = this.scope.middle() ?? undefined;
    this.ask();
  }

  /** The view that leads is followed by the other one; told whenever one of them has moved. */
  link(): void {
    if (!this.beside.on) return;
    const { look } = this.leading;
    if (look) (this.leading === this.scope ? this.beside.scope : this.scope).follow(look);
  }

  /** Whoever is touched leads. */
  private lead(element: HTMLElement, scope: Scope): void {
    for (const event of ["pointerdown", "wheel", "focusin"]) {
      element.addEventListener(event, () => (this.leading = scope), { capture: true, passive: true });
    }
  }

  private compare(): void {
    this.leading = this.scope;
    const whole = !this.scope.isCloseUp;
    this.beside.toggle();
    // half the room, or all of it again
    if (whole) this.scope.refit();
  }

  private setOverlay(overlay: boolean): void {
    this.beside.visible = overlay;
    this.layers.visible = overlay;
    this.toggle.setAttribute("aria-pressed", String(overlay));
    this.layers.draw();
  }

  private keyDown(event: KeyboardEvent): void {
    if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || !this.item || typing()) return;
    const key = event.key.toLowerCase();
    if (key === "h") {
      this.pressed = event.timeStamp;
      this.setOverlay(!this.layers.visible);
    } else if (key === "s") {
      this.swipe.toggle();
    } else if (key === "c") {
      this.compare();
    } else if (key === "f") {
      toggleFullScreen();
    } else if (key === "escape") {
      showFullScreen(false);
    }
  }

  private keyUp(event: KeyboardEvent): void {
    if (event.key.toLowerCase() !== "h" || this.pressed === undefined) return;
    if (event.timeStamp - this.pressed > HOLD_MS) this.setOverlay(!this.layers.visible);
    this.pressed = undefined;
  }

  /** Keys of the picture itself: arrows move it below a cross, whose value is read out. */
  private navigate(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.item) return;
    const arrows: Record<string, [number, number]> = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, -1],
      ArrowDown: [0, 1],
    };
    const keys: Record<string, () => void> = {
      "+": () => this.scope.zoom(1),
      "=": () => this.scope.zoom(1),
      "-": () => this.scope.zoom(-1),
      "0": () => this.scope.fit(),
      "1": () => this.scope.actual(),
      r: () => this.scope.rotate(90),
      R: () => this.scope.rotate(-90),
      PageUp: () => this.on.turn(-1),
      PageDown: () => this.on.turn(1),
    };
    const arrow = arrows[event.key];
    const action = arrow ? () => this.scope.pan(arrow[0], arrow[1], event.shiftKey) : keys[event.key];
    if (!action) return;
    event.preventDefault();
    // keys in either view move the first one, and the other follows
    this.leading = this.scope;
    if (arrow) {
      this.byKeys = true;
      this.cross.hidden = false;
      this.readout.setAttribute("aria-live", "polite");
    }
    action();
  }

  private point(event: PointerEvent): void {
    this.byKeys = false;
    this.cross.hidden = true;
    this.readout.setAttribute("aria-live", "off");
    const at = this.scope.pixelAt(event.clientX, event.clientY);
    if (at) {
      this.cursor = at;
      this.ask();
    } else {
      this.leave();
    }
  }

  /** The mask's value in the view beside: of the same pixel by both models, or of the other image. */
  private pointBeside(event: PointerEvent): void {
    const at = this.beside.scope.pixelAt(event.clientX, event.clientY);
    if (!at) return;
    if (this.beside.isSameImage) {
      this.byKeys = false;
      this.cursor = at;
      this.ask();
      return;
    }
    this.leave();
    void this.beside.value(at).then((found) => {
      if (found) this.readout.textContent = `Beside it, ${read(at, found.value, found.threshold)}`;
    }, () => undefined);
  }

  private leave(): void {
    this.cursor = undefined;
    this.asked = undefined;
    this.byKeys = false;
    this.cross.hidden = true;
    this.readout.textContent = "Point at the image to read the mask.";
  }

  /** The mask's value at the cursor; while one question is open the cursor may move on. */
  private ask(): void {
    const { item, cursor } = this;
    if (!item || !cursor || this.asking || this.stage.matches(".empty, .stale")) return;
    this.asking = true;
    this.asked = cursor;
    const call = this.host.call("value", { id: item.id, ...cursor });
    const other = this.beside.isSameImage ? this.beside.value(cursor) : Promise.resolve(null);
    Promise.all([call, other])
      .then(([value, beside]) => {
        if (item !== this.item || !this.cursor) return;
        const and = beside ? `; by the other model ${level(beside.value, beside.threshold)}` : "";
        this.readout.textContent = read(cursor, value, this.style().threshold) + and;
      })
      // cancelled or crashed: the next movement asks again
      .catch(() => undefined)
      .finally(() => {
        this.asking = false;
        if (this.cursor && (this.cursor.x !== this.asked?.x || this.cursor.y !== this.asked?.y)) this.ask();
      });
  }
}

function read({ x, y }: Place, value: number | null, threshold: number): string {
  return `x ${x}, y ${y}: ${value === null ? "…" : level(value, threshold)}`;
}

function level(value: number, threshold: number): string {
  return `${value.toFixed(3)}${value >= threshold ? ", inside" : ", outside"}`;
}
