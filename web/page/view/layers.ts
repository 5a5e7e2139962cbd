import { byId, showBitmap } from "../dom";
import type { Scope } from "./scope";

/**
 * What lies over the picture: the picture as painted with mask and contour, and a veil over all that is outside.
 * They follow the view at every frame, right of the swipe's line where there is one.
 */
export class Layers {
  private readonly canvas = byId("layers", HTMLCanvasElement);
  /** Holds what was painted last; the downloads' overlay is the same. */
  private readonly painted = byId("painted", HTMLCanvasElement);
  private readonly veil = byId("veil", HTMLCanvasElement);
  private has = { painted: false, veil: false };
  /** Of the veil, 0 to 1. */
  dim = 0;
  visible = true;
  /** Where the swipe's line is, as a share of the width; null without. */
  swipe: number | null = null;

  constructor(private readonly scope: Scope) {}

  put(layer: "painted" | "veil", picture: ImageBitmap): void {
    showBitmap(this[layer], picture);
    this.has[layer] = true;
  }

  clear(): void {
    this.has = { painted: false, veil: false };
    this.draw();
  }

  draw(): void {
    const { canvas } = this;
    const context = canvas.getContext("2d");
    if (!context) return;
    const ratio = devicePixelRatio;
    const [width, height] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)];
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    const transform = this.scope.transform();
    if (!transform || !this.visible || !this.has.painted) return;
    context.save();
    if (this.swipe !== null) {
      context.beginPath();
      context.rect(Math.round(this.swipe * width), 0, width, height);
      context.clip();
    }
    const [a, b, c, d, e, f] = transform;
    context.setTransform(a * ratio, b * ratio, c * ratio, d * ratio, e * ratio, f * ratio);
    context.imageSmoothingEnabled = this.scope.scale * ratio < 2;
    context.drawImage(this.painted, 0, 0);
    if (this.has.veil && this.dim > 0) {
      context.globalAlpha = this.dim;
      context.drawImage(this.veil, 0, 0);
    }
    context.restore();
  }
}
