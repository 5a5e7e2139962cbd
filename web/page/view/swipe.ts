import { byId } from "../dom";

/** A line to drag over the picture: the bare image left of it, the mask right of it. */
export class Swipe {
  private readonly handle = byId("swipe");
  private readonly button = byId("swipe-toggle", HTMLButtonElement);
  private at = 0.5;
  private on = false;

  constructor(private readonly moved: (at: number | null) => void) {
    this.button.addEventListener("click", () => this.toggle());
    this.handle.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      this.handle.setPointerCapture(event.pointerId);
      this.handle.focus({ preventScroll: true });
    });
    this.handle.addEventListener("pointermove", (event) => {
      if (!this.handle.hasPointerCapture(event.pointerId)) return;
      const box = byId("pane").getBoundingClientRect();
      this.move((event.clientX - box.left) / box.width);
    });
    this.handle.addEventListener("keydown", (event) => {
      const steps: Record<string, number> = { ArrowLeft: -0.02, ArrowRight: 0.02, Home: -1, End: 1 };
      const step = steps[event.key];
      if (step === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      this.move(this.at + step);
    });
  }

  toggle(): void {
    this.on = !this.on;
    this.button.setAttribute("aria-pressed", String(this.on));
    this.handle.hidden = !this.on;
    this.move(this.at);
  }

  private move(at: number): void {
    this.at = Math.min(Math.max(at, 0), 1);
    this.handle.style.left = `${100 * this.at}%`;
    this.handle.setAttribute("aria-valuenow", String(Math.round(100 * this.at)));
    this.moved(this.on ? this.at : null);
  }
}
