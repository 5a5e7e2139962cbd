/** A rectangle of a slide, in pixels of level 0. */
export interface Region {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Two corners as a rectangle within a slide; null if nothing of it is left. */
export function between(
  [ax, ay]: readonly [number, number],
  [bx, by]: readonly [number, number],
  width: number,
  height: number,
): Region | null {
  const within = (value: number, most: number) => Math.round(Math.min(Math.max(value, 0), most));
  const region = {
    left: within(Math.min(ax, bx), width),
    top: within(Math.min(ay, by), height),
    right: within(Math.max(ax, bx), width),
    bottom: within(Math.max(ay, by), height),
  };
  return region.right - region.left >= 1 && region.bottom - region.top >= 1 ? region : null;
}

/** As `histomask predict --roi` takes it. */
export function geojson({ left, top, right, bottom }: Region): string {
  const ring = [
    [left, top],
    [right, top],
    [right, bottom],
    [left, bottom],
    [left, top],
  ];
  const feature = { type: "Feature", properties: { objectType: "annotation" }, geometry: { type: "Polygon", coordinates: [ring] } };
  return JSON.stringify({ type: "FeatureCollection", features: [feature] });
}
