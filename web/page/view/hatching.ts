/** CSS pixels between two lines. */
const APART = 10;

/** A tile of diagonal lines, each dark beside light, so that they stand out from any tissue. */
export function hatching(ratio: number): HTMLCanvasElement {
  const side = Math.max(4, Math.round(APART * ratio));
  const tile = document.createElement("canvas");
  [tile.width, tile.height] = [side, side];
  const context = tile.getContext("2d");
  if (!context) return tile;
  context.lineWidth = Math.max(1, 1.5 * ratio);
  for (const [color, shift] of [
    ["black", 0],
    ["white", context.lineWidth * Math.SQRT2],
  ] as const) {
    context.strokeStyle = color;
    context.beginPath();
    // also beyond both corners, where the next tile's line comes in
    for (const at of [-side, 0, side]) {
      context.moveTo(at + shift - side, 2 * side);
      context.lineTo(at + shift + 2 * side, -side);
    }
    context.stroke();
  }
  return tile;
}
