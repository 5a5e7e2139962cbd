import { byId } from "./dom";
import { Cancelled, type EngineHost } from "./engine-host";
import { words } from "./format";
import { exported, reference, type Images, type Item } from "./images";
import type { DeviceInfo, FileKind, LoadedModel, Style } from "./protocol";

export interface DownloadContext {
  readonly host: EngineHost;
  readonly images: Images;
  selected(): Item | undefined;
  style(): Style;
  model(): (LoadedModel & { name: string }) | undefined;
  device(): DeviceInfo | undefined;
  failed(message: string): void;
  /** A download that may take long begins or ends. */
  packing(under_way: boolean): void;
}

const SINGLE: Readonly<Record<FileKind, [suffix: string, type: string]>> = {
  mask: ["_mask.png", "image/png"],
  overlay: ["_overlay.png", "image/png"],
  geojson: [".geojson", "application/geo+json"],
};

/** Connects the download buttons. Files are made in memory and saved; nothing is sent. */
export function connectDownloads(context: DownloadContext): void {
  const { host, images } = context;
  for (const kind of Object.keys(SINGLE) as FileKind[]) {
    on(context, `download-${kind}`, async () => {
      const item = context.selected();
      if (item?.state.kind !== "done") return;
      const bytes = await host.call("export", { image: reference(item), kind, style: context.style() });
      const [suffix, type] = SINGLE[kind];
      save(bytes, item.stem + suffix, type);
    });
  }
  on(context, "download-csv", async () => {
    const bytes = await host.call("csv", { items: images.done().map(exported), style: context.style() });
    save(bytes, "predictions.csv", "text/csv");
  });
  on(context, "download-zip", async () => {
    const items = images.done().map(exported);
    const bytes = await host.call("zip", { items, style: context.style(), run: run(context, items.length) });
    save(bytes, "histomask-predictions.zip", "application/zip");
  });
}

/** Offers what there is something for. */
export function enableDownloads(selected: Item | undefined, images: Images): void {
  const enable = (id: string, enabled: boolean) => {
    byId(id, HTMLButtonElement).disabled = !enabled;
  };
  for (const kind of Object.keys(SINGLE)) enable(`download-${kind}`, selected?.state.kind === "done");
  const done = images.done().length;
  enable("download-csv", done > 0);
  enable("download-zip", done > 0);
  byId("download-count").textContent = done > 1 ? ` (${done})` : "";
}

function on(context: DownloadContext, id: string, make: () => Promise<void>): void {
  byId(id).addEventListener("click", () => {
    context.packing(true);
    make()
      .catch((error: unknown) => {
        if (error instanceof Cancelled) return;
        context.failed(`The download failed: ${words(error)}`);
      })
      .finally(() => context.packing(false));
  });
}

/** run.json as `histomask predict` writes it. */
function run(context: DownloadContext, count: number): string {
  const failed = context.images.all.flatMap(({ name, state }) =>
    state.kind === "failed" ? [{ path: name, error: state.message }] : [],
  );
  const model = context.model();
  const content = {
    schema: 1,
    histomask: __BUILD__.version,
    command: ["web"],
    model: model?.name,
    model_sha256: model?.sha256,
    method: model?.card.model.method ?? "max-min",
    device: context.device()?.name,
    threshold: context.style().threshold,
    images: count,
    failed,
  };
  return JSON.stringify(content, null, 2);
}

function save(bytes: Uint8Array<ArrayBuffer>, name: string, type: string): void {
  const url = URL.createObjectURL(new Blob([bytes], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // the browser reads the file after the click returns
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
