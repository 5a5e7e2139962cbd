import { byId, make } from "../dom";
import { area, count, percent } from "../format";
import type { ModelCard, SlideSummary } from "../protocol";
import type { SlideAbout } from "./view-protocol";

/** What the file says of the slide. */
export function showFacts({ width, height, mpp, vendor, codec, levels, magnification, beside }: SlideAbout): void {
  byId("slide-mpp-row").hidden = mpp !== null;
  fill("slide-facts", [
    ["Size", `${width} × ${height} px`],
    ["Pixel", mpp ? `${mpp[0].toFixed(4)}\u202fµm` : "not said by the file"],
    ["Objective", magnification ? `${magnification}×` : "not said by the file"],
    ["File", [vendor, codec, count(levels, "level")].filter(Boolean).join(", ")],
    ["Images beside it", beside.length > 0 ? `${beside.join(", ")}; not shown: they may carry a name` : "none"],
  ]);
}

/** What the model says of the slide. */
export function showResult({ class: name, measures, damaged }: SlideSummary, card: ModelCard | undefined): void {
  const { verdict, foreground_mm2, tissue_mm2, tiles, polygons } = measures;
  const p = verdict.probabilities[card?.classes.indexOf(name ?? "") ?? -1];
  byId("slide-class").textContent = tiles === 0 ? "No tissue found" : (name ?? "No class");
  byId("slide-probability").textContent = p === undefined ? "" : percent(p);
  const share = tissue_mm2 > 0 ? ` (${percent(foreground_mm2 / tissue_mm2)} of tissue)` : "";
  const rows: [string, string][] = [
    ["Foreground", area(foreground_mm2) + share],
    ["Tissue", area(tissue_mm2)],
    ["Tiles, regions", `${tiles}, ${polygons}`],
  ];
  if (damaged.length > 0) rows.push(["Damaged tiles, read as white", String(damaged.length)]);
  fill("slide-numbers", rows);
}

function fill(id: string, rows: readonly (readonly [string, string])[]): void {
  const made = rows.map(([term, text]) => {
    const row = make("div");
    row.append(make("dt", "", term), make("dd", "", text));
    return row;
  });
  byId(id).replaceChildren(...made);
}
