import { byId } from "./dom";
import { Archive, placeOnDisk } from "./archive";
import { pack, type Failure } from "./batch-archive";
import { Cancelled } from "./host-events";
import { count, words } from "./format";
import { cautions, foregroundKey, lineOf, reference, type Images, type Item } from "./images";
import type { Pool } from "./pool";
import { save } from "./save";
import type { DeviceInfo, FileKind, Line, LoadedModel, Style } from "./protocol";

export interface DownloadContext {
  readonly host: Pool;
  readonly images: Images;
  selected(): Item | undefined;
  style(): Style;
  micronsPerPixel(): number | null;
  model(): (LoadedModel & { name: string }) | undefined;
  device(): DeviceInfo | undefined;
  failed(message: string): void;
  /** A download that may take long begins or ends. */
  packing(under_way: boolean): void;
  /** So many of all are in the archive. */
  packed(done: number, all: number): void;
  /** Whether the archive shall end with what it holds. */
  stopped(): boolean;
  /** Results of all images have been saved. */
  saved(): void;
}

const SINGLE: Readonly<Record<FileKind, [suffix: string, type: string]>> = {
  mask: ["_mask.png", "image/png"],
  overlay: ["_overlay.png", "image/png"],
  geojson: [".geojson", "application/geo+json"],
};

const ARCHIVE = "histomask-predictions.zip";

/** Pixels of a batch that goes straight to disk, where the browser can do that: about 100 MB of files. */
const LARGE = 50_000_000;

let under_way = false;

/** Connects the download buttons. Files are made on this machine and saved; nothing is sent. */
export function connectDownloads(context: DownloadContext): void {
  const { host, images } = context;
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
    const text = await host.call("csv", { lines: await linesOf(context) });
    save(new Blob([text], { type: "text/csv" }), "predictions.csv");
    context.saved();
  });
  on(context, "download-zip", async () => {
    const items = images.done();
    const pixels = items.reduce((sum, { state }) => {
      return state.kind === "done" ? sum + state.findings.width * state.findings.height : sum;
    }, 0);
    const file = pixels > LARGE ? await placeOnDisk(ARCHIVE) : null;
    if (file === undefined) return;
    const archive = new Archive(file);
    try {
      const { packed, failed } = await fill(context, items, archive);
      const made = await archive.end();
      if (made) save(made, ARCHIVE);
      const [first] = failed;
      if (first) context.failed(`${count(failed.length, "image")} could not be packed. “${first.path}”: ${first.error}`);
      else if (packed < items.length) context.failed(`Cancelled: the archive holds ${packed} of ${items.length} images`);
      else context.saved();
    } catch (error) {
      await archive.abort();
      throw error;
    }
  });
}

async function fill(context: DownloadContext, items: readonly Item[], archive: Archive) {
  const batch = {
    host: context.host,
    items,
    style: context.style(),
    typed: context.micronsPerPixel(),
    progress: (done: number) => context.packed(done, items.length),
    stopped: () => context.stopped(),
  };
  const { lines, failed } = await pack(batch, archive);
  await archive.add("predictions.csv", await context.host.call("csv", { lines }));
  await archive.add("run.json", run(context, lines.length, failed));
  return { packed: lines.length, failed };
}

/** The table's lines; masks whose foreground was never counted are counted now. */
async function linesOf(context: DownloadContext): Promise<Line[]> {
  const [style, typed] = [context.style(), context.micronsPerPixel()];
  const lines: Line[] = [];
  for (const item of context.images.done()) {
    const known = item.foreground.get(foregroundKey(item, style));
    const foreground = known ?? (await context.host.call("foreground", { image: reference(item), style }));
    lines.push(...lineOf(item, foreground, typed));
  }
  return lines;
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
function run(context: DownloadContext, packed: number, unpacked: readonly Failure[]): string {
  const failed = context.images.all.flatMap(({ name, state }) =>
    state.kind === "failed" ? [{ path: name, error: state.message }] : [],
  );
  const doubtful = context.images.all.flatMap((item) => {
    const said = cautions(item).map(({ sentence }) => sentence);
    return said.length > 0 ? [{ path: item.name, cautions: said }] : [];
  });
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
    images: packed,
    doubtful,
    failed: [...failed, ...unpacked],
  };
  return JSON.stringify(content, null, 2);
}
