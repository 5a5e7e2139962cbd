import { byId, make } from "./dom";
import { area, percent, seconds } from "./format";
import { cautions, type Item } from "./images";
import type { Findings, ModelCard } from "./protocol";

export interface ResultEvents {
  /** The user asks for the mask of another class; null: of the predicted one. */
  choose(item: Item, classIndex: number | null): void;
}

/** What the model says of the image on show. */
export class ResultView {
  private readonly select = byId("class-choice", HTMLSelectElement);
  private item: Item | undefined;
  private foreground: number | undefined;

  constructor(on: ResultEvents) {
    this.select.addEventListener("change", () => {
      const value = this.select.value;
      if (this.item) on.choose(this.item, value === "" ? null : Number(value));
    });
  }

  show(item: Item, findings: Findings, card: ModelCard): void {
    if (item !== this.item) this.foreground = undefined;
    this.item = item;
    const { classIndex, probabilities } = findings;
    byId("class").textContent = classIndex === null ? "No class" : (card.classes[classIndex] ?? "");
    byId("class-probability").textContent =
      classIndex === null ? "This method marks a region and names no class." : percent(probabilities[classIndex] ?? 0);
    byId("probabilities").replaceChildren(
      ...probabilities.map((p, index) => bar(card.classes[index] ?? "", p, index === classIndex)),
    );
    this.showChoice(item, findings, card);
    byId("time").textContent = item.state.kind === "done" ? seconds(item.state.seconds) : "";
    const said = cautions(item).map(({ sentence }) => make("li", "", sentence));
    byId("cautions").replaceChildren(...said);
    byId("doubts").hidden = said.length === 0;
    byId("size").textContent = `${findings.width} × ${findings.height} px`;
    const uncertainty = findings.backgroundUncertainty;
    byId("uncertainty").textContent = uncertainty === null ? "—" : percent(uncertainty, 0);
    byId("uncertainty-meaning").textContent = meaning(uncertainty);
  }

  /** Foreground pixels of the mask on show; by itself when only the scale changed. */
  showArea(foreground: number | undefined, micronsPerPixel: number | null): void {
    this.foreground = foreground ?? this.foreground;
    const state = this.item?.state;
    if (this.foreground === undefined || state?.kind !== "done") {
      byId("area").textContent = "…";
      return;
    }
    const share = percent(this.foreground / (state.findings.width * state.findings.height));
    // one pixel is mpp² square microns, a square millimetre a million of them
    const size = micronsPerPixel === null ? "" : ` · ${area((this.foreground * micronsPerPixel ** 2) / 1e6)}`;
    byId("area").textContent = share + size;
  }

  private showChoice(item: Item, { masksByClass, classIndex }: Findings, card: ModelCard): void {
    byId("class-choice-row").hidden = !masksByClass;
    if (!masksByClass) return;
    const predicted = classIndex === null ? "" : ` (${card.classes[classIndex] ?? ""})`;
    const options = [new Option(`Predicted class${predicted}`, "")];
    card.classes.forEach((name, index) => options.push(new Option(name, String(index))));
    this.select.replaceChildren(...options);
    this.select.value = item.chosen === null ? "" : String(item.chosen);
  }
}

function bar(name: string, probability: number, predicted: boolean): HTMLElement {
  const row = make("li", predicted ? "bar predicted" : "bar");
  const track = make("span", "bar-track");
  const fill = make("span", "bar-fill");
  fill.style.width = `${100 * probability}%`;
  track.append(fill);
  row.append(make("span", "bar-name", name), make("span", "bar-number", percent(probability)), track);
  return row;
}

/** The background's uncertainty in words. */
function meaning(uncertainty: number | null): string {
  if (uncertainty === null) return "This method does not judge the background.";
  if (uncertainty >= 0.8) return "What the mask leaves out tells the model almost nothing about the class, as it should.";
  if (uncertainty >= 0.5) return "What the mask leaves out still hints at the class; the mask may miss a part.";
  return "The model can still tell a class from what the mask leaves out: the mask misses tissue that matters.";
}
