import { byId, make } from "./dom";
import { count } from "./format";
import { modelInWords } from "./model-words";
import type { LoadedModel } from "./protocol";

/** Names of methods as the paper's tables have them. */
const METHODS: Readonly<Record<string, string>> = {
  "max-min": "Max-min uncertainty",
  "all-ones": "All-ones",
  pn: "PN",
  erase: "ERASE",
  "cam-max": "CAM-Max",
  "cam-lse": "CAM-LSE",
  "cam-avg": "CAM-Avg",
  "grad-cam": "Grad-CAM",
  wildcat: "Wildcat",
  "deep-mil": "Deep MIL",
  "u-net": "U-Net",
};

const METRICS: Readonly<Record<string, string>> = {
  valid_error_percent: "Classification error",
  valid_f1_plus_percent: "F1+ (foreground)",
  valid_f1_minus_percent: "F1− (background)",
};

/** How images are scaled for the model (core/src/preprocess.rs). */
const SCALES: Readonly<Record<string, string>> = {
  "short-side": "short side to",
  "short-side-up": "short side to at least",
  square: "both sides to",
};

/** Shows what a model is, what it saw and what it is for. */
export function showModelCard({ card, sha256 }: LoadedModel, name: string, own: boolean): void {
  const { data, model, input } = card;
  const scale = SCALES[input.resize ?? ""];
  const rows: [string, string][] = [
    ["Intended use", card.intended_use],
    ["Licence", card.licence],
    ["Classes", card.classes.join(", ")],
    ["Method", `${METHODS[model.method ?? "max-min"] ?? model.method}, ${model.backbone ?? "unknown network"}`],
    [
      "Trained on",
      `${data.name}: ${count(data.train_images, "image")} for training, ${data.valid_images} for validation`,
    ],
    ["Training", `profile ${card.profile}, epoch ${card.epoch}, from ${card.initial_weights}`],
    ...Object.entries(card.metrics).map(([key, value]): [string, string] => [
      `${METRICS[key] ?? key}, validation`,
      key.endsWith("_percent") ? `${value.toFixed(1)}\u202f%` : value.toPrecision(4),
    ]),
    ["Images are scaled", scale ? `${scale} ${input.size} px` : "not at all"],
    ["Threshold", String(card.threshold)],
    ["Data, BLAKE3", data.hash],
    ["File, SHA-256", sha256 ?? "not computed: the browser offers cryptography over https only"],
    ["Written by", `histomask ${card.version}`],
  ];
  byId("model-name").textContent = name;
  byId("model-default").hidden = !own;
  byId("model-words").replaceChildren(...modelInWords(card, own).map((text) => make("li", "", text)));
  byId("model-rows").replaceChildren(
    ...rows.map(([term, value]) => {
      const row = make("div");
      row.append(make("dt", "", term), make("dd", "", value));
      return row;
    }),
  );
}
