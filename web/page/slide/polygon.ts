/** Polygons of a slide, in pixels of level 0. */

export type Point = readonly [x: number, y: number];

/** Closed rings: the outer one, then holes. */
export type Polygon = readonly (readonly Point[])[];

/** Two corners as a rectangle of whole pixels within a slide; null if nothing of it is left. */
export function rectangle([ax, ay]: Point, [bx, by]: Point, width: number, height: number): Polygon | null {
  const within = (value: number, most: number) => Math.round(Math.min(Math.max(value, 0), most));
  const [left, right] = [within(Math.min(ax, bx), width), within(Math.max(ax, bx), width)];
  const [top, bottom] = [within(Math.min(ay, by), height), within(Math.max(ay, by), height)];
  if (right - left < 1 || bottom - top < 1) return null;
  return [
    [
      [left, top],
      [right, top],
      [right, bottom],
      [left, bottom],
      [left, top],
    ],
  ];
}

/** Left, top, width and height. */
export function bounds(polygons: readonly Polygon[]): readonly [number, number, number, number] {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [x, y] of polygons.flat(2)) {
    [left, right] = [Math.min(left, x), Math.max(right, x)];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
  }
  return [left, top, right - left, bottom - top];
}

/** As `histomask predict` takes it. */
export function geojson(polygons: readonly Polygon[]): string {
  const features = polygons.map((coordinates) => ({
    type: "Feature",
    properties: { objectType: "annotation" },
    geometry: { type: "Polygon", coordinates },
  }));
  return JSON.stringify({ type: "FeatureCollection", features });
}

/** One path for each, as what a hole of one is may be inside another. */
export function paths(polygons: readonly Polygon[]): Path2D[] {
  return polygons.map((rings) => {
    const path = new Path2D();
    for (const ring of rings) {
      ring.forEach(([x, y], at) => (at === 0 ? path.moveTo(x, y) : path.lineTo(x, y)));
      path.closePath();
    }
    return path;
  });
}
