import { byId } from "./dom";
import { Cancelled, type EngineHost } from "./engine-host";
import { words } from "./format";
import { cautions, exported, reference, type Images, type Item } from "./images";
import type { DeviceInfo, FileKind, LoadedModel, Style } from "./protocol";

export interface DownloadContext {
  readonly host: EngineHost;
  readonly images: Images;
  selected(): Item | undefined;
  style(): Style;
  micronsPerPixel(): number | null;
  model(): (LoadedModel & { name: string }) | undefined;
  device(): DeviceInfo | undefined;
  failed(message: string): void;
  /** A download that may take long begins or ends. */
  packing(under_way: boolean): void;
  /** Results of all images have been saved. */
  saved(): void;
}

const SINGLE: Readonly<Record<FileKind, [suffix: string, type: string]>> = {
  mask: ["_mask.png", "image/png"],
  overlay: ["_overlay.png", "image/png"],
  geojson: [".geojson", "application/geo+json"],
};

const ARCHIVE = "histomask-predictions.zip";

let under_way = false;

/** Connects the download buttons. Files are made on this machine and saved; nothing is sent. */
export function connectDownloads(context: DownloadContext): void {
  const { host, images } = context;
  const all = () => exported(images.done(), context.style(), context.micronsPerPixel());
  for (const kind of Object.keys(SINGLE) as FileKind[]) {
    on(context, `download-${kind}`, async () => {
      const item = context.selected();
      if (item?.state.kind !== "done") return;
      const bytes = await host.call("export", { image: reference(item), kind, style: context.style() });
      const [suffix, type] = SINGLE[kind];
      save(new Blob([bytes], { type }), item.stem.slice(item.stem.lastIndexOf("/") + 1) + suffix);
    });
  }
  on(context, "download-csv", async () => {
    const bytes = await host.call("csv", { items: all(), style: context.style() });
    save(new Blob([bytes], { type: "text/csv" }), "predictions.csv");
    context.saved();
  });
  on(context, "download-zip", async () => {
    const items = all();
    const { archive, packed } = await host.call("zip", { items, style: context.style(), run: run(context) });
    save(archive, ARCHIVE);
    if (packed < items.length) context.failed(`Cancelled: the archive holds ${packed} of ${items.length} images`);
    else context.saved();
  });
}

/** Offers what there is something for; nothing while something is being saved. */
export function enableDownloads(selected: Item | undefined, images: Images): void {
  const enable = (id: string, enabled: boolean) => {
    byId(id, HTMLButtonElement).disabled = !enabled || under_way;
  };
  for (const kind of Object.keys(SINGLE)) enable(`download-${kind}`, selected?.state.kind === "done");
  const done = images.done().length;
  enable("download-csv", done > 0);
  enable("download-zip", done > 0);
  byId("download-count").textContent = done > 1 ? ` (${done})` : "";
}

function on(context: DownloadContext, id: string, make: () => Promise<void>): void {
  byId(id).addEventListener("click", () => {
    if (under_way) return;
    under_way = true;
    context.packing(true);
    make()
      .catch((error: unknown) => {
        if (error instanceof Cancelled) return;
        context.failed(`The download failed: ${words(error)}`);
      })
      .finally(() => {
        under_way = false;
        context.packing(false);
      });
  });
}

/** run.json as `histomask predict` writes it. */
function run(context: DownloadContext): string {
  const failed = context.images.all.flatMap(({ name, state }) =>
    state.kind === "failed" ? [{ path: name, error: state.message }] : [],
  );
  const doubtful = context.images.all.flatMap((item) => {
    const said = cautions(item).map(({ sentence }) => sentence);
    return said.length > 0 ? [{ path: item.name, cautions: said }] : [];
  });
  const model = context.model();
  return JSON.stringify({
    schema: 1,
    histomask: __BUILD__.version,
    command: ["web"],
    model: model?.name,
    model_sha256: model?.sha256,
    method: model?.card.model.method ?? "max-min",
    device: context.device()?.name,
    threshold: context.style().threshold,
    images: 0,
    doubtful,
    failed,
  });
}

function save(file: Blob, name: string): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // the browser reads the file after the click returns
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
