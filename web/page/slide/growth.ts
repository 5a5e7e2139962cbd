import { emptied } from "../dom";
import type { SlidePlan } from "../protocol";
import { paths, type Polygon } from "./polygon";
import type { SlideScope } from "./slide-scope";
import { Unseen } from "./unseen";

/** Longest side of the picture in which a mask grows, in pixels. */
const LONGEST = 2048;
const REGION = "#e8590c";
const CASING = "#ffffff";

/** What lies over a slide: the parts of its mask that are done, and what is looked at at all. */
export class Growth {
  visible = true;
  private outlines: readonly Path2D[] = [];
  private readonly unseen = new Unseen();
  private readonly picture = document.createElement("canvas");
  /** Corner in pixels of level 0, and pixels of level 0 in one of the picture. */
  private at: readonly [number, number] = [0, 0];
  private scale: readonly [number, number] = [1, 1];
  private grows = false;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly scope: SlideScope,
  ) {}

  /** Regions that are outlined; what lies outside of those seen, or of the tissue, is pale. null: all is seen. */
  mark(
    outlined: readonly Polygon[] | null,
    seen: readonly Polygon[] | null,
    tissue: readonly Polygon[] | null,
  ): void {
    this.outlines = paths(outlined ?? []);
    this.unseen.set(seen && paths(seen), tissue && paths(tissue));
    this.draw();
  }

  /** Nothing is done yet. */
  begin({ parts, step }: SlidePlan): void {
    const end = (from: number, by: number) => Math.max(1, ...parts.map((part) => (part[from] ?? 0) + (part[by] ?? 0)));
    const first = (at: number) => Math.min(...parts.map((part) => part[at] ?? 0));
    const [left, top] = parts.length > 0 ? [first(0), first(1)] : [0, 0];
    const [width, height] = [end(0, 2) - left, end(1, 3) - top];
    const smaller = Math.min(1, LONGEST / Math.max(width, height));
    this.picture.width = Math.max(1, Math.round(width * smaller));
    this.picture.height = Math.max(1, Math.round(height * smaller));
    this.at = [left * step[0], top * step[1]];
    this.scale = [(width / this.picture.width) * step[0], (height / this.picture.height) * step[1]];
    this.grows = true;
  }

  /** Adds a part of the plan. */
  add(picture: ImageBitmap, part: SlidePlan["parts"][number], { step }: SlidePlan): void {
    const context = this.picture.getContext("2d");
    const place = (value: number, axis: 0 | 1) => (value * step[axis] - this.at[axis]) / this.scale[axis];
    const [left, top] = [place(part[0], 0), place(part[1], 1)];
    const [right, bottom] = [place(part[0] + part[2], 0), place(part[1] + part[3], 1)];
    context?.clearRect(left, top, right - left, bottom - top);
    context?.drawImage(picture, left, top, right - left, bottom - top);
    picture.close();
    this.draw();
  }

  /** The mask is done, and shown by the tiles themselves. */
  end(): void {
    this.grows = false;
    [this.picture.width, this.picture.height] = [1, 1];
    this.draw();
  }

  draw(): void {
    const empty = emptied(this.canvas);
    const transform = this.scope.transform();
    if (!empty || !transform) return;
    const { context, ratio } = empty;
    const [a, b, c, d, e, f] = transform.map((value) => value * ratio) as [number, number, number, number, number, number];
    if (this.visible) this.unseen.draw(context, [a, b, c, d, e, f]);
    context.setTransform(a, b, c, d, e, f);
    if (this.grows && this.visible) {
      const [x, y] = this.at;
      context.drawImage(this.picture, x, y, this.picture.width * this.scale[0], this.picture.height * this.scale[1]);
    }
    for (const [color, thickness] of [
      [CASING, 5],
      [REGION, 2.5],
    ] as const) {
      context.lineWidth = (thickness * ratio) / Math.hypot(a, b);
      context.strokeStyle = color;
      for (const outline of this.outlines) context.stroke(outline);
    }
  }
}
