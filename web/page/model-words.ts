import { count } from "./format";
import type { ModelCard } from "./protocol";

/** The embedded model, as measured in docs/RESULTS.md. Its numbers are true of this file only. */
const EMBEDDED = [
  "It knows colon tissue stained with haematoxylin and eosin, at about 0.62 µm per pixel (20×). It tells benign from malignant and marks what made it say so: the glands, if all is well.",
  "It learnt from the 85 training images of the GlaS challenge and their class alone. Nobody showed it where a gland is.",
  "Class: wrong on 1.2 % of the images that it learnt from, and in five runs of the same recipe on 2.4 % of the images of patients left out (2 of 85).",
  "Masks: F1 of 73.1 % inside and 80.8 % outside, where a mask that is foreground everywhere (All-ones) reaches 57.1 % and 0 %. That is of ten images whose true masks were at hand. It learnt their class, and the recipe was developed while looking at them: expect less of other images.",
  "The last of its 40 epochs was kept: none was chosen by its error.",
  "Limits: no other organ, stain or scanner was tried. Masks are coarse, and there is one for all classes. Crowded lymphocytes in benign tissue are taken for glands. It may be wrong with a high probability beside it.",
] as const;

/** What a model is, in sentences for whoever looks at its results. */
export function modelInWords(card: ModelCard, own: boolean): readonly string[] {
  return own ? ofCard(card) : EMBEDDED;
}

function ofCard({ data, classes, mpp, metrics, epoch, threshold }: ModelCard): string[] {
  const scale = mpp === undefined ? "" : ` Its network sees ${Number(mpp.toPrecision(3))} µm per pixel.`;
  const said = [
    `It tells ${listed(classes)} apart. Of which organ and stain its file does not say.${scale}`,
    `It learnt from ${count(data.train_images, "image")} of “${data.name}”.`,
  ];
  const hasMasks = "valid_f1_plus_percent" in metrics;
  if (data.valid_images > 0) {
    const kept = `Epoch ${epoch} was kept. Unless its recipe keeps the last one, it was chosen for its low error on the ${count(data.valid_images, "validation image")}`;
    said.push(`${kept}, and the error below is of the same images: expect more on others.`);
  } else {
    said.push(`Epoch ${epoch} was kept. There were no validation images, so none was chosen by its error.`);
  }
  if (hasMasks) {
    said.push(
      "A mask that is foreground everywhere (All-ones) has an F1− of 0 %; its F1+, which this model’s must beat, depends on the images, and histomask evaluate says it.",
    );
  } else {
    said.push(`Whether its masks are good its file does not say. They begin at ${threshold}.`);
  }
  said.push("Limits: results on other organs, stains, scanners and scales than it learnt from mean nothing.");
  return said;
}

function listed(names: readonly string[]): string {
  if (names.length < 2) return names.join("");
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
