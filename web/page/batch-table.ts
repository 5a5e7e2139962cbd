import { byId, make } from "./dom";
import { area, percent, sentence } from "./format";
import { cautions, foregroundKey, micronsPerPixel, type Images, type Item } from "./images";
import type { ModelCard, Style } from "./protocol";

interface Row {
  readonly item: Item;
  /** What is shown, and what is sorted by, a column each. */
  readonly texts: readonly string[];
  readonly keys: readonly (string | number)[];
}

const COLUMNS = ["Image", "Class", "Probability", "Foreground", "Area", "µm per pixel", "Caution"];

export interface TableContext {
  readonly images: Images;
  style(): Style;
  micronsPerPixel(): number | null;
  card(): ModelCard | undefined;
  show(item: Item): void;
}

/** All images with what was found, to sort and filter; a row leads to its image. */
export class BatchTable {
  private readonly dialog = byId("table", HTMLDialogElement);
  private readonly body = byId("table-body");
  private readonly filter = byId("table-filter", HTMLInputElement);
  private column = -1;
  private direction: 1 | -1 = 1;

  constructor(private readonly context: TableContext) {
    const head = byId("table-head");
    COLUMNS.forEach((name, column) => {
      const cell = make("th");
      cell.scope = "col";
      const button = make("button", "quiet", name);
      button.type = "button";
      button.addEventListener("click", () => this.sort(column));
      cell.append(button);
      head.append(cell);
    });
    this.filter.addEventListener("input", () => this.draw());
    byId("table-open").addEventListener("click", () => {
      this.draw();
      this.dialog.showModal();
    });
    byId("table-close").addEventListener("click", () => this.dialog.close());
  }

  /** Draws anew if it is open. */
  update(): void {
    if (this.dialog.open) this.draw();
  }

  private sort(column: number): void {
    this.direction = this.column === column ? (-this.direction as 1 | -1) : 1;
    this.column = column;
    this.draw();
  }

  private draw(): void {
    const wanted = this.filter.value.trim().toLowerCase();
    const rows = this.context.images.all.map((item) => this.row(item));
    const shown = rows.filter(({ texts }) => texts.some((text) => text.toLowerCase().includes(wanted)));
    if (this.column >= 0) shown.sort((a, b) => this.direction * compare(a.keys[this.column], b.keys[this.column]));
    byId("table-count").textContent = `${shown.length} of ${rows.length}`;
    Array.from(byId("table-head").children).forEach((cell, column) => {
      const order = column !== this.column ? "none" : this.direction === 1 ? "ascending" : "descending";
      cell.setAttribute("aria-sort", order);
    });
    this.body.replaceChildren(...shown.map((row) => this.line(row)));
  }

  private line({ item, texts }: Row): HTMLElement {
    const line = make("tr");
    line.dataset["state"] = item.state.kind;
    texts.forEach((text, column) => {
      const cell = make("td", column >= 2 && column <= 5 ? "number" : "", column === 0 ? "" : text);
      if (column === 0) {
        const button = make("button", "quiet", text);
        button.type = "button";
        cell.append(button);
      }
      line.append(cell);
    });
    line.addEventListener("click", () => {
      this.dialog.close();
      this.context.show(item);
    });
    return line;
  }

  private row(item: Item): Row {
    const { state } = item;
    if (state.kind !== "done") {
      const what = state.kind === "failed" ? sentence(state.message) : state.kind;
      return { item, texts: [item.name, "", "", "", "", "", what], keys: [item.name, "", -1, -1, -1, -1, what] };
    }
    const { classIndex, probabilities, width, height } = state.findings;
    const name = classIndex === null ? "" : (this.context.card()?.classes[classIndex] ?? "");
    const probability = classIndex === null ? null : (probabilities[classIndex] ?? 0);
    const foreground = item.foreground.get(foregroundKey(item, this.context.style()));
    const share = foreground === undefined ? null : foreground / (width * height);
    const mpp = micronsPerPixel(item, this.context.micronsPerPixel());
    const mm2 = foreground === undefined || mpp === null ? null : (foreground * mpp ** 2) / 1e6;
    const said = cautions(item)
      .map(({ short }) => short)
      .join("; ");
    return {
      item,
      texts: [
        item.name,
        name,
        probability === null ? "" : percent(probability),
        share === null ? "…" : percent(share),
        mm2 === null ? "" : area(mm2),
        mpp === null ? "" : String(Number(mpp.toPrecision(4))),
        said,
      ],
      keys: [item.name, name, probability ?? -1, share ?? -1, mm2 ?? -1, mpp ?? -1, said],
    };
  }
}

function compare(one: string | number | undefined, other: string | number | undefined): number {
  if (typeof one === "number" && typeof other === "number") return one - other;
  return String(one).localeCompare(String(other), undefined, { numeric: true });
}
