/** A Worker that writes a ZIP, entry by entry as they come, into a file on disk or into a Blob. */
import { makeZip } from "client-zip";
import type { FromPacker, ToPacker } from "../archive";

/** Bytes that are gathered in memory before they become a part of a Blob, which browsers may keep on disk. */
const PART = 16 * 1024 * 1024;

interface Entry {
  readonly name: string;
  readonly input: Uint8Array<ArrayBuffer> | string;
}

const scope = self as unknown as DedicatedWorkerGlobalScope;
const post = (message: FromPacker) => scope.postMessage(message);

const waiting: (Entry | null)[] = [];
let wake = () => {};

scope.addEventListener("message", ({ data }: MessageEvent<ToPacker>) => {
  if ("file" in data) void write(data.file);
  else waiting.push("name" in data ? data : null);
  wake();
});

async function* entries(): AsyncGenerator<Entry> {
  for (;;) {
    while (waiting.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    const entry = waiting.shift();
    if (!entry) return;
    yield entry;
    post({ taken: true });
  }
}

async function write(file: FileSystemFileHandle | null): Promise<void> {
  try {
    const zip = makeZip(entries(), { buffersAreUTF8: true }) as ReadableStream<Uint8Array<ArrayBuffer>>;
    // what is on disk gets its name when all is written
    if (file) await zip.pipeTo(await file.createWritable());
    post({ made: file ? null : await gather(zip) });
  } catch (error) {
    post({ error: error instanceof Error ? error.message : String(error) });
  }
}

async function gather(zip: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<Blob> {
  const parts: Blob[] = [];
  let chunks: Uint8Array<ArrayBuffer>[] = [];
  let gathered = 0;
  const reader = zip.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (value) {
      chunks.push(value);
      gathered += value.byteLength;
    }
    if (gathered > PART || done) {
      parts.push(new Blob(chunks));
      chunks = [];
      gathered = 0;
    }
    if (done) return new Blob(parts, { type: "application/zip" });
  }
}
