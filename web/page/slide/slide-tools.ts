import { byId, typing } from "../dom";
import { showFullScreen, toggleFullScreen } from "../view/full-screen";
import type { Place } from "../view/scope";
import type { SlideScope } from "./slide-scope";

export interface SlideToolsContext {
  isOpen(): boolean;
  /** The mask at a pixel of level 0; null where there is none. */
  value(at: Place): Promise<number | null>;
  threshold(): number;
  toggleMask(): void;
}

/** Buttons and keys of a slide's view, and the mask's value under cursor or finger. */
export class SlideTools {
  private readonly readout = byId("slide-value");
  private cursor: Place | undefined;
  private asking = false;

  constructor(
    scope: SlideScope,
    private readonly context: SlideToolsContext,
  ) {
    const actions: Record<string, () => void> = {
      "slide-mask": () => context.toggleMask(),
      "slide-zoom-in": () => scope.zoom(1),
      "slide-zoom-out": () => scope.zoom(-1),
      "slide-fit": () => scope.fit(),
      "slide-actual": () => scope.actual(),
      "slide-rotate": () => scope.rotate(90),
      "slide-full-screen": toggleFullScreen,
    };
    for (const [id, action] of Object.entries(actions)) byId(id).addEventListener("click", action);
    document.addEventListener("keydown", (event) => this.key(event));
    // before the library takes the event
    const view = byId("slide-view");
    for (const kind of ["pointermove", "pointerdown"] as const) {
      view.addEventListener(kind, (event) => this.point(scope.pixelAt(event.clientX, event.clientY)), true);
    }
    view.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && this.point(null), true);
    this.point(null);
  }

  private key(event: KeyboardEvent): void {
    if (!this.context.isOpen() || typing() || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    const key = event.key.toLowerCase();
    if (key === "h") this.context.toggleMask();
    else if (key === "f") toggleFullScreen();
    else if (key === "escape") showFullScreen(false);
  }

  private point(at: Place | null): void {
    this.cursor = at ?? undefined;
    if (at) void this.ask();
    else this.readout.textContent = "Point at the slide to read place and mask.";
  }

  /** While one question is open the cursor may move on. */
  private async ask(): Promise<void> {
    if (this.asking) return;
    this.asking = true;
    while (this.cursor) {
      const at = this.cursor;
      // the slide was closed meanwhile
      const value = await this.context.value(at).catch(() => null);
      if (this.cursor) this.readout.textContent = `x ${at.x}, y ${at.y}${level(value, this.context.threshold())}`;
      if (this.cursor === at) break;
    }
    this.asking = false;
  }
}

function level(value: number | null, threshold: number): string {
  return value === null ? "" : `: ${value.toFixed(3)}${value >= threshold ? ", inside" : ", outside"}`;
}
