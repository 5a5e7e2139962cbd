import { csv } from "../../pkg/histomask_web.js";
import type { ExportItem, ModelCard } from "../protocol";
import type { Predictions } from "./predictions";

/** predictions.csv with the columns of `histomask predict` (docs/FORMATS.md). */
export async function table(
  items: readonly ExportItem[],
  threshold: number,
  card: ModelCard,
  predictions: Predictions,
): Promise<string> {
  const rows: string[][] = [];
  let namesClass = false;
  for (const item of items) {
    const { classIndex, probabilities, backgroundUncertainty, width, height } = await predictions.findings(item);
    namesClass ||= probabilities.length > 0;
    const foreground = await predictions.foreground(item, threshold);
    rows.push([
      item.name,
      classIndex === null ? "" : (card.classes[classIndex] ?? ""),
      classIndex === null ? "" : fixed(probabilities[classIndex], 6),
      ...probabilities.map((p) => fixed(p, 6)),
      fixed((100 * foreground) / (width * height), 4),
      fixed(backgroundUncertainty, 6),
      `${item.stem}_mask.png`,
      `${item.stem}_overlay.png`,
    ]);
  }
  const byClass = namesClass ? card.classes.map((name) => `p_${name}`) : [];
  const header = ["path", "class", "probability", ...byClass, "foreground_percent", "background_uncertainty"];
  return csv(JSON.stringify([[...header, "mask", "overlay"], ...rows]));
}

function fixed(value: number | null | undefined, digits: number): string {
  return value === null || value === undefined ? "" : value.toFixed(digits);
}
