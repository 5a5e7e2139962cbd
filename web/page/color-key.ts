import { byId } from "./dom";
import type { Colormap, Style } from "./protocol";
import { hatching } from "./view/hatching";

/** Every 32nd colour of both maps (matplotlib's; shaders/src/colormap.rs has all 256). */
const COLORS: Readonly<Record<Colormap, readonly string[]>> = {
  viridis: ["#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c", "#28ae80", "#5ec962", "#addc30", "#fde725"],
  cividis: ["#00224e", "#123570", "#3b496c", "#575d6d", "#707173", "#8a8678", "#a59c74", "#c3b369", "#fee838"],
};

/** Tissue, as long as no image is on show. */
const GROUND = "rgb(224 190 216)";

/**
 * The key to the picture: mask values from 0 to 1 as they are painted there, over the image's mean colour, with the same
 * opacity, the same dark or hatched outside, and the contour's line where the threshold is.
 */
export class ColorKey {
  private readonly canvas = byId("scale", HTMLCanvasElement);
  private ground = GROUND;
  private style: Style | undefined;

  /** Takes the mean colour of a small picture of the image. */
  over(picture: CanvasImageSource): void {
    const one = new OffscreenCanvas(1, 1);
    const context = one.getContext("2d");
    if (!context) return;
    context.imageSmoothingQuality = "high";
    context.drawImage(picture, 0, 0, 1, 1);
    const [red, green, blue] = context.getImageData(0, 0, 1, 1).data;
    this.ground = `rgb(${red} ${green} ${blue})`;
    if (this.style) this.draw(this.style);
  }

  draw(style: Style): void {
    this.style = style;
    const context = this.canvas.getContext("2d");
    if (!context) return;
    const { width, height } = this.canvas;
    context.globalAlpha = 1;
    context.fillStyle = this.ground;
    context.fillRect(0, 0, width, height);
    if (style.opacity > 0) {
      const colors = gradient(context, width, style.colormap);
      // as shaders/src/overlay.rs paints a value
      for (let x = 0; x < width; x += 1) {
        context.globalAlpha = style.opacity * (0.15 + (0.85 * (x + 0.5)) / width);
        context.fillStyle = colors;
        context.fillRect(x, 0, 1, height);
      }
    }
    const at = Math.round(style.threshold * width);
    context.globalAlpha = style.dim;
    context.fillStyle = (style.hatched && context.createPattern(hatching(2), "repeat")) || "black";
    context.fillRect(0, 0, at, height);
    context.globalAlpha = 1;
    if (!style.contour) return;
    context.fillStyle = "rgb(16 16 24 / 45%)";
    context.fillRect(at + 3, 0, 1, height);
    context.fillStyle = "white";
    context.fillRect(at, 0, 3, height);
  }
}

function gradient(context: CanvasRenderingContext2D, width: number, colormap: Colormap): CanvasGradient {
  const colors = context.createLinearGradient(0, 0, width, 0);
  const stops = COLORS[colormap];
  stops.forEach((color, index) => colors.addColorStop(index / (stops.length - 1), color));
  return colors;
}
