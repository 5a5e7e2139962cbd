import type { Transform } from "../view/scope";

/** How much of what was not looked at is hidden: it is pale, where the mask's outside is dark. */
const PALE = 0.68;
const VEIL = "#ffffff";

/** A pale veil over what of a slide is not looked at. */
export class Unseen {
  private shapes: readonly (readonly Path2D[])[] = [];
  private readonly veil = document.createElement("canvas");
  private readonly cut = document.createElement("canvas");

  /** What is looked at lies within one of each; null where all of a slide does. */
  set(regions: readonly Path2D[] | null, tissue: readonly Path2D[] | null): void {
    this.shapes = [regions, tissue].filter((shapes) => shapes !== null);
  }

  draw(context: CanvasRenderingContext2D, transform: Transform): void {
    if (this.shapes.length === 0) return;
    const { width, height } = context.canvas;
    clear(this.veil, width, height);
    for (const shapes of this.shapes) {
      const cut = clear(this.cut, width, height);
      if (!cut) return;
      cut.fillStyle = VEIL;
      cut.fillRect(0, 0, width, height);
      cut.setTransform(...transform);
      cut.globalCompositeOperation = "destination-out";
      for (const shape of shapes) cut.fill(shape, "evenodd");
      this.veil.getContext("2d")?.drawImage(this.cut, 0, 0);
    }
    context.globalAlpha = PALE;
    context.drawImage(this.veil, 0, 0);
    context.globalAlpha = 1;
  }
}

function clear(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D | null {
  // a size, even the same, makes a canvas empty
  [canvas.width, canvas.height] = [width, height];
  return canvas.getContext("2d");
}
