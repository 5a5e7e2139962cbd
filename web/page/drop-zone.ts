import { byId } from "./dom";

/** What files of a folder are taken; a file chosen by itself is always tried. */
const IMAGE = /\.(png|jpe?g|bmp|tiff?|webp)$/i;
const MODEL = /\.safetensors$/i;

export interface DropEvents {
  images(files: File[]): void;
  model(file: File): void;
}

/** Files that are dropped anywhere on the page, picked, or pasted. */
export function watchFiles(on: DropEvents): void {
  const take = (files: File[]) => {
    const model = files.find(({ name }) => MODEL.test(name));
    if (model) on.model(model);
    const images = files.filter(({ name }) => !MODEL.test(name));
    if (images.length > 0) on.images(images);
  };
  const picked = (id: string, choose: (files: File[]) => void) => {
    const input = byId(id, HTMLInputElement);
    input.addEventListener("change", () => {
      const files = Array.from(input.files ?? []);
      // the same file may be picked again
      input.value = "";
      if (files.length > 0) choose(files);
    });
  };
  picked("file-input", take);
  picked("folder-input", (files) => take(inOrder(files.filter(({ name }) => IMAGE.test(name)))));
  picked("model-input", (files) => files.slice(0, 1).forEach(on.model));

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
    if (entries.some((entry) => entry.isDirectory)) {
      void filesBelow(entries).then((files) => take(inOrder(files)));
    } else {
      take(Array.from(event.dataTransfer?.files ?? []));
    }
  });
  document.addEventListener("paste", (event) => {
    const files = Array.from(event.clipboardData?.files ?? []);
    if (files.length > 0) take(files);
  });
}

function hasFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes("Files") ?? false;
}

function inOrder(files: File[]): File[] {
  return files.sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
}

/** The images below dropped folders, and the files dropped beside them. */
async function filesBelow(entries: FileSystemEntry[], inFolder = false): Promise<File[]> {
  const files: File[] = [];
  for (const entry of entries) {
    if (entry.isDirectory) {
      const reader = (entry as FileSystemDirectoryEntry).createReader();
      // a reader hands out a hundred at a time and then none
      for (;;) {
        const some = await new Promise<FileSystemEntry[]>((resolve) => reader.readEntries(resolve, () => resolve([])));
        if (some.length === 0) break;
        files.push(...(await filesBelow(some, true)));
      }
    } else if (!inFolder || IMAGE.test(entry.name)) {
      const file = await new Promise<File | null>((resolve) =>
        (entry as FileSystemFileEntry).file(resolve, () => resolve(null)),
      );
      if (file) files.push(file);
    }
  }
  return files;
}
