import { emptied, showBitmap } from "../dom";
import type { Style } from "../protocol";
import { hatching } from "./hatching";
import type { Scope } from "./scope";

/**
 * What lies over the picture: the picture as painted with mask and contour, and all that is outside darkened or hatched.
 * They follow the view at every frame, right of the swipe's line where there is one.
 */
export class Layers {
  private has = { painted: false, veil: false };
  /** What hatching is cut to shape on. */
  private readonly scratch = document.createElement("canvas");
  /** How what is outside is shown. */
  outside: Pick<Style, "dim" | "hatched"> = { dim: 0, hatched: false };
  visible = true;
  /** Where the swipe's line is, as a share of the width; null without. */
  swipe: number | null = null;

  /** `painted` holds what was painted last, like the overlay that is downloaded; `veil` is dark outside. */
  constructor(
    private readonly scope: Scope,
    private readonly canvas: HTMLCanvasElement,
    private readonly painted = document.createElement("canvas"),
    private readonly veil = document.createElement("canvas"),
  ) {}

  put(layer: "painted" | "veil", picture: ImageBitmap): void {
    showBitmap(this[layer], picture);
    this.has[layer] = true;
  }

  clear(): void {
    this.has = { painted: false, veil: false };
    this.draw();
  }

  draw(): void {
    const empty = emptied(this.canvas);
    const transform = this.scope.transform();
    if (!empty || !transform || !this.visible || !this.has.painted) return;
    const { context, ratio } = empty;
    context.save();
    if (this.swipe !== null) {
      context.beginPath();
      context.rect(Math.round(this.swipe * this.canvas.width), 0, this.canvas.width, this.canvas.height);
      context.clip();
    }
    const [a, b, c, d, e, f] = transform;
    context.setTransform(a * ratio, b * ratio, c * ratio, d * ratio, e * ratio, f * ratio);
    context.imageSmoothingEnabled = this.scope.scale * ratio < 2;
    context.drawImage(this.painted, 0, 0);
    const { dim, hatched } = this.outside;
    if (this.has.veil && dim > 0) {
      if (hatched) {
        this.hatch(context, ratio, dim);
      } else {
        context.globalAlpha = dim;
        context.drawImage(this.veil, 0, 0);
      }
    }
    context.restore();
  }

  /** Lines of the screen, not of the image: they look the same however close the view is. */
  private hatch(context: CanvasRenderingContext2D, ratio: number, strength: number): void {
    const { width, height } = this.canvas;
    Object.assign(this.scratch, { width, height });
    const shape = this.scratch.getContext("2d");
    const lines = shape?.createPattern(hatching(ratio), "repeat");
    if (!shape || !lines) return;
    shape.setTransform(context.getTransform());
    shape.imageSmoothingEnabled = context.imageSmoothingEnabled;
    shape.drawImage(this.veil, 0, 0);
    shape.setTransform(1, 0, 0, 1, 0, 0);
    shape.globalCompositeOperation = "source-in";
    shape.fillStyle = lines;
    shape.fillRect(0, 0, width, height);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.globalAlpha = strength;
    context.drawImage(this.scratch, 0, 0);
  }
}
