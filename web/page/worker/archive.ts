import { makeZip } from "client-zip";

/** Bytes that are gathered in memory before they become a part of a Blob, which browsers may keep on disk. */
const PART = 16 * 1024 * 1024;

/** A file of an archive. */
export interface Entry {
  readonly name: string;
  readonly input: Uint8Array<ArrayBuffer> | string;
}

/** Writes entries as a ZIP, one after the other as they are made. */
export async function archive(entries: AsyncIterable<Entry>): Promise<Blob> {
  const parts: Blob[] = [];
  let chunks: Uint8Array<ArrayBuffer>[] = [];
  let gathered = 0;
  const reader = makeZip(entries, { buffersAreUTF8: true }).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (value) {
      chunks.push(value as Uint8Array<ArrayBuffer>);
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
