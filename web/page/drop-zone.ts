import { byId } from "./dom";
import type { Found } from "./images";

/** What files of a folder are taken, as core/src/picture_file/name.rs has it; one chosen by itself is always tried. */
const IMAGE = /\.(png|jpe?g|jpe|jfif|bmp|tiff?|webp|svs|btf|tf8)$/i;
const MODEL = /\.safetensors$/i;
const LITTER = /^(\..*|thumbs\.db|ehthumbs\.db|desktop\.ini|\$recycle\.bin|system volume information|__macosx|@eadir|lost\+found)$/i;

/** What was dropped, picked or pasted. */
export interface Intake {
  readonly images: Found[];
  readonly models: File[];
  /** Paths of files in folders that are no images. */
  readonly skipped: string[];
  /** Whether a folder was given. */
  readonly folder: boolean;
}

/** Files that are dropped anywhere on the page, picked, or pasted. */
export function watchFiles(take: (intake: Intake) => void, model: (file: File) => void): void {
  const byItself = (files: File[]) => take(sorted(files.map((file) => ({ file, path: file.name })), false));
  const picked = (id: string, choose: (files: File[]) => void) => {
    const input = byId(id, HTMLInputElement);
    input.addEventListener("change", () => {
      const files = Array.from(input.files ?? []);
      // the same file may be picked again
      input.value = "";
      choose(files);
    });
  };
  picked("file-input", (files) => files.length > 0 && byItself(files));
  picked("folder-input", (files) => {
    // the folder's own name is the same for all
    const below = (path: string) => path.slice(path.indexOf("/") + 1);
    take(sorted(files.map((file) => ({ file, path: below(file.webkitRelativePath) || file.name })), true));
  });
  picked("model-input", (files) => files.slice(0, 1).forEach(model));

  let depth = 0;
  const dragging = (change: number) => {
    depth = Math.max(0, depth + change);
    document.body.classList.toggle("dragging", depth > 0);
  };
  addEventListener("dragenter", (event) => hasFiles(event) && dragging(1));
  addEventListener("dragleave", (event) => hasFiles(event) && dragging(-1));
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    dragging(-depth);
    const entries = Array.from(event.dataTransfer?.items ?? [], (item) => item.webkitGetAsEntry()).filter((e) => !!e);
    const [first] = entries;
    if (entries.some((entry) => entry.isDirectory)) {
      // one folder's own name is the same for all; of several it tells them apart
      const root = entries.length === 1 && first ? `${first.fullPath}/` : "/";
      void filesBelow(entries, root).then((found) => take(sorted(found, true)));
    } else {
      byItself(Array.from(event.dataTransfer?.files ?? []));
    }
  });
  document.addEventListener("paste", (event) => {
    const files = Array.from(event.clipboardData?.files ?? []);
    if (files.length > 0) byItself(files);
  });
}

function hasFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes("Files") ?? false;
}

/** Tells images, models and the rest apart; of a folder what the system left behind does not count. */
function sorted(found: Found[], folder: boolean): Intake {
  const seen = folder ? found.filter(({ path }) => !path.split("/").some((part) => LITTER.test(part))) : found;
  const models = seen.filter(({ file }) => MODEL.test(file.name));
  const others = seen.filter(({ file }) => !MODEL.test(file.name));
  const images = folder ? others.filter(({ file }) => IMAGE.test(file.name)) : others;
  if (folder) images.sort((a, b) => a.path.localeCompare(b.path, undefined, { numeric: true }));
  const skipped = others.filter((one) => !images.includes(one)).map(({ path }) => path);
  return { images, models: models.map(({ file }) => file), skipped, folder };
}

/** The files below dropped folders, and those dropped beside them. */
async function filesBelow(entries: FileSystemEntry[], root: string): Promise<Found[]> {
  const found: Found[] = [];
  for (const entry of entries) {
    if (entry.isDirectory) {
      const reader = (entry as FileSystemDirectoryEntry).createReader();
      // a reader hands out a hundred at a time and then none
      for (;;) {
        const some = await new Promise<FileSystemEntry[]>((resolve) => reader.readEntries(resolve, () => resolve([])));
        if (some.length === 0) break;
        found.push(...(await filesBelow(some, root)));
      }
    } else {
      const file = await new Promise<File | null>((resolve) =>
        (entry as FileSystemFileEntry).file(resolve, () => resolve(null)),
      );
      const path = entry.fullPath.startsWith(root) ? entry.fullPath.slice(root.length) : entry.name;
      if (file) found.push({ file, path });
    }
  }
  return found;
}
