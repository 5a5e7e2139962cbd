import { byId, make, showBitmap } from "./dom";
import { percent, sentence } from "./format";
import { cautions, type Images, type Item } from "./images";
import type { ModelCard } from "./protocol";

export interface ListEvents {
  select(item: Item): void;
  remove(item: Item): void;
}

interface Row {
  readonly option: HTMLElement;
  readonly thumbnail: HTMLCanvasElement;
  readonly detail: HTMLElement;
}

/** The batch as a list box: arrows, Home and End select, Delete removes. */
export class ImageList {
  private readonly list = byId("images");
  private readonly rows = new Map<number, Row>();
  private selected: Item | undefined;

  constructor(
    private readonly images: Images,
    private readonly on: ListEvents,
  ) {
    this.list.addEventListener("keydown", (event) => this.key(event));
  }

  add(item: Item): void {
    const option = make("li", "image");
    option.id = `image-${item.id}`;
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    option.tabIndex = -1;
    option.title = item.name;
    const thumbnail = make("canvas", "thumbnail");
    thumbnail.width = thumbnail.height = 1;
    thumbnail.setAttribute("aria-hidden", "true");
    const detail = make("span", "image-detail");
    const words = make("span", "image-words");
    words.append(make("span", "image-name", item.name), detail);
    option.append(thumbnail, words);
    option.addEventListener("click", () => this.on.select(item));
    // so that arrows go on from here
    option.addEventListener("pointerdown", () => option.focus({ preventScroll: true }));
    this.list.append(option);
    this.rows.set(item.id, { option, thumbnail, detail });
    if (!this.selected && this.rows.size === 1) option.tabIndex = 0;
  }

  update(item: Item, card: ModelCard | undefined, thumbnail?: ImageBitmap): void {
    const row = this.rows.get(item.id);
    if (!row) {
      thumbnail?.close();
      return;
    }
    row.option.dataset["state"] = item.state.kind;
    row.option.dataset["doubtful"] = String(cautions(item).length > 0);
    row.detail.textContent = describe(item, card);
    if (thumbnail) showBitmap(row.thumbnail, thumbnail);
  }

  /** Marks the image on show; keys act from there. */
  select(item: Item | undefined): void {
    this.selected = item;
    for (const [id, { option }] of this.rows) {
      const here = id === item?.id;
      option.setAttribute("aria-selected", String(here));
      option.tabIndex = here ? 0 : -1;
      if (here) this.reveal(option);
    }
  }

  /** The small picture of an image, if there is one. */
  picture(item: Item): HTMLCanvasElement | undefined {
    const thumbnail = this.rows.get(item.id)?.thumbnail;
    return thumbnail && thumbnail.width > 1 ? thumbnail : undefined;
  }

  remove(item: Item): void {
    this.rows.get(item.id)?.option.remove();
    this.rows.delete(item.id);
    if (this.selected === item) this.selected = undefined;
  }

  clear(): void {
    this.list.replaceChildren();
    this.rows.clear();
    this.selected = undefined;
  }

  /** Scrolls the list and nothing else. */
  private reveal(option: HTMLElement): void {
    const { list } = this;
    const [top, bottom] = [option.offsetTop - list.offsetTop, option.offsetTop - list.offsetTop + option.offsetHeight];
    if (top < list.scrollTop) list.scrollTop = top;
    else if (bottom > list.scrollTop + list.clientHeight) list.scrollTop = bottom - list.clientHeight;
  }

  private key(event: KeyboardEvent): void {
    const { all } = this.images;
    const at = this.selected ? all.indexOf(this.selected) : -1;
    const to: Record<string, number> = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: all.length - 1 };
    const wanted = to[event.key];
    if (wanted !== undefined) {
      event.preventDefault();
      const item = all[Math.min(Math.max(wanted, 0), all.length - 1)];
      if (item) this.on.select(item);
    } else if (event.key === "Delete" && this.selected) {
      event.preventDefault();
      this.on.remove(this.selected);
    } else {
      return;
    }
    if (this.selected) this.rows.get(this.selected.id)?.option.focus({ preventScroll: true });
  }
}

function describe(item: Item, card: ModelCard | undefined): string {
  const { state } = item;
  switch (state.kind) {
    case "waiting":
      return "Waiting";
    case "running":
      return "Computing…";
    case "cancelled":
      return "Cancelled";
    case "failed":
      return sentence(state.message);
    case "done": {
      const { classIndex, probabilities } = state.findings;
      if (classIndex === null) return "Done";
      const doubts = cautions(item).length > 0 ? " · doubtful" : "";
      return `${card?.classes[classIndex] ?? ""} · ${percent(probabilities[classIndex] ?? 0)}${doubts}`;
    }
  }
}
