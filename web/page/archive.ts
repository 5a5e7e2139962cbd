/** What the page tells the Worker that writes an archive: where to, its entries, and that there are no more. */
export type ToPacker =
  | { readonly file: FileSystemFileHandle | null }
  | { readonly name: string; readonly input: Uint8Array<ArrayBuffer> | string }
  | { readonly end: true };

export type FromPacker =
  | { readonly taken: true }
  /** null where it was written to a file. */
  | { readonly made: Blob | null }
  | { readonly error: string };

/** A ZIP that a Worker of its own writes as its entries come. */
export class Archive {
  private readonly worker = new Worker(new URL("./worker/packer.ts", import.meta.url), { type: "module", name: "packer" });
  private readonly made: Promise<Blob | null>;
  private taken = () => {};
  private failed: (error: Error) => void = () => undefined;

  /** Into a file on disk, or without one into a Blob. */
  constructor(private readonly file: FileSystemFileHandle | null) {
    this.made = new Promise((resolve, reject) => {
      this.failed = reject;
      this.worker.addEventListener("message", ({ data }: MessageEvent<FromPacker>) => {
        if ("taken" in data) this.taken();
        else if ("made" in data) resolve(data.made);
        else reject(new Error(data.error));
      });
      this.worker.addEventListener("error", (event) => reject(new Error(event.message || "a part of the page is missing")));
    });
    // whoever adds or ends hears of it
    this.made.catch(() => undefined);
    this.post({ file });
  }

  /** Resolves when the entry is written; its bytes are gone then. */
  async add(name: string, input: Uint8Array<ArrayBuffer> | string): Promise<void> {
    const taken = new Promise<void>((resolve) => (this.taken = resolve));
    this.post({ name, input }, typeof input === "string" ? [] : [input.buffer]);
    await Promise.race([taken, this.made]);
  }

  /** The whole archive; null where it is a file on disk. */
  async end(): Promise<Blob | null> {
    this.post({ end: true });
    const made = await this.made;
    this.worker.terminate();
    return made;
  }

  /** Leaves nothing behind. */
  async abort(): Promise<void> {
    this.failed(new Error("given up"));
    this.worker.terminate();
    // where the browser cannot remove it an empty file stays
    await (this.file as { remove?: () => Promise<void> } | null)?.remove?.().catch(() => undefined);
  }

  private post(message: ToPacker, transfer: Transferable[] = []): void {
    this.worker.postMessage(message, transfer);
  }
}

type Picker = (options: object) => Promise<FileSystemFileHandle>;

/** Milliseconds within which nobody answers a dialog: a browser that cannot show one refuses at once. */
const AT_ONCE = 150;

/**
 * Where on disk a file shall go: asked of the user, by browsers that let a page write there. null where they don't, or
 * cannot ask; undefined if the user gave up.
 */
export async function placeOnDisk(name: string): Promise<FileSystemFileHandle | null | undefined> {
  const { showSaveFilePicker } = globalThis as { showSaveFilePicker?: Picker };
  if (!showSaveFilePicker) return null;
  const asked = performance.now();
  try {
    const types = [{ description: "ZIP archive", accept: { "application/zip": [".zip"] } }];
    return await showSaveFilePicker.call(globalThis, { suggestedName: name, types });
  } catch (error) {
    const gaveUp = error instanceof DOMException && error.name === "AbortError";
    return gaveUp && performance.now() - asked > AT_ONCE ? undefined : null;
  }
}
