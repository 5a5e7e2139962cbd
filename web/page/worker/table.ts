import { csv } from "../../pkg/histomask_web.js";
import type { Line, ModelCard } from "../protocol";

/** predictions.csv with the columns of `histomask predict --geojson` (docs/FORMATS.md). */
export function table(lines: readonly Line[], card: ModelCard): string {
  const namesClass = lines.some(({ findings }) => findings.probabilities.length > 0);
  const rows = lines.map((item) => {
    const { foreground } = item;
    const { classIndex, probabilities, backgroundUncertainty, width, height } = item.findings;
    return [
      item.name,
      classIndex === null ? "" : (card.classes[classIndex] ?? ""),
      classIndex === null ? "" : fixed(probabilities[classIndex], 6),
      ...probabilities.map((p) => fixed(p, 6)),
      fixed((100 * foreground) / (width * height), 4),
      fixed(item.mpp === null ? null : (foreground * item.mpp ** 2) / 1e6, 6),
      fixed(item.mpp, 4),
      fixed(backgroundUncertainty, 6),
      item.cautions.join("; "),
      `${item.stem}_mask.png`,
      `${item.stem}_overlay.png`,
      `${item.stem}.geojson`,
    ];
  });
  const byClass = namesClass ? card.classes.map((name) => `p_${name}`) : [];
  const measured = ["foreground_percent", "foreground_mm2", "mpp", "background_uncertainty", "caution"];
  const header = ["path", "class", "probability", ...byClass, ...measured, "mask", "overlay", "geojson"];
  return csv(JSON.stringify([header, ...rows]));
}

function fixed(value: number | null | undefined, digits: number): string {
  return value === null || value === undefined ? "" : value.toFixed(digits);
}
