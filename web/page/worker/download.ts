import type { WorkerEvent } from "../protocol";

type Part = Extract<WorkerEvent, { event: "loading" }>["part"];

/** A response that reports its progress while somebody else reads it, at most every 100 ms. */
export async function download(
  url: string,
  part: Part,
  total: number,
  report: (event: WorkerEvent) => void,
): Promise<Response> {
  const response = await fetch(url).catch(() => null);
  if (!response?.ok || !response.body) {
    const status = response ? ` (the server answered ${response.status})` : "";
    throw new Error(`The ${part} could not be loaded${status}. Check the connection and try again.`);
  }
  let loaded = 0;
  let last = 0;
  const counted = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      loaded += chunk.byteLength;
      const time = performance.now();
      if (time - last > 100 || loaded === total) {
        last = time;
        // sizes are known from the build: Content-Length would be that of the compressed file
        report({ event: "loading", part, loaded: Math.min(loaded, total), total });
      }
      controller.enqueue(chunk);
    },
  });
  return new Response(response.body.pipeThrough(counted), { headers: { "Content-Type": contentType(url) } });
}

/** Plain file servers may not know wasm, and without its type it is not compiled while it loads. */
function contentType(url: string): string {
  return new URL(url, location.href).pathname.endsWith(".wasm") ? "application/wasm" : "application/octet-stream";
}
