import programUrl from "../pkg/histomask_web_bg.wasm?url";
import type { WorkerEvent } from "./protocol";
import { download } from "./worker/download";

/** Where the page leaves the program for the service worker, which was not there yet to keep it (sw.ts). */
const STAGE = `histomask-early ${new URL("./", location.href).href}`;

let tell: (event: WorkerEvent) => void = () => undefined;

/** Begun before the other parts of the page, which take their time too. */
const program = compile();

/**
 * On a first visit, the program loaded and compiled while the service worker installs itself, before which no Worker may
 * start. undefined where a service worker is there already, or if it fails: then the Worker loads it and says why not.
 */
export function compileEarly(report: (event: WorkerEvent) => void): Promise<WebAssembly.Module | undefined> {
  tell = report;
  return program;
}

async function compile(): Promise<WebAssembly.Module | undefined> {
  if (!("serviceWorker" in navigator) || navigator.serviceWorker.controller) return undefined;
  try {
    const response = await download(programUrl, "program", __BUILD__.programBytes, (event) => tell(event));
    const copy = response.clone();
    const module = await WebAssembly.compileStreaming(response);
    // written only now: both at once would take the time of either
    void stage(copy);
    return module;
  } catch {
    return undefined;
  }
}

async function stage(response: Response): Promise<void> {
  try {
    await (await caches.open(STAGE)).put(programUrl, response);
  } catch {
    // storage is refused or full: the page is not available offline, and says so
  }
}
