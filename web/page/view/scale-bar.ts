import { byId } from "../dom";
import type { Scope } from "./scope";

/** Longest the bar may be, in CSS pixels. */
const LONGEST = 160;

/** Shows how long something is, where microns per pixel are known. */
export function showScaleBar(scope: Scope, micronsPerPixel: number | null, id = "scale-bar"): void {
  const bar = byId(id);
  bar.hidden = micronsPerPixel === null || !scope.isOpen;
  if (micronsPerPixel === null || bar.hidden) return;
  const { pixels, text } = barLength(scope.scale, micronsPerPixel);
  bar.style.width = `${pixels}px`;
  if (bar.textContent !== text) bar.textContent = text;
}

/** The bar's CSS pixels and what they mean, where an image pixel fills `scale` of them. */
function barLength(scale: number, micronsPerPixel: number): { pixels: number; text: string } {
  const microns = round((LONGEST / scale) * micronsPerPixel);
  const text = microns >= 1000 ? `${microns / 1000}\u202fmm` : `${Number(microns.toPrecision(2))}\u202fµm`;
  return { pixels: (microns / micronsPerPixel) * scale, text };
}

/** The largest of 1, 2 and 5 times a power of ten that is no larger. */
function round(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * (value >= 5 * power ? 5 : value >= 2 * power ? 2 : 1);
}
