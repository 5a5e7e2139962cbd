/**
 * The Worker: answers the page's calls one after the other. It does not try to survive a panic or a lost device; it
 * says so, and the page replaces it.
 */
import type { Calls, Fault, FromWorker, Request } from "../protocol";
import { Session } from "./session";

const scope = self as unknown as DedicatedWorkerGlobalScope;
const post = (message: FromWorker, transfer: Transferable[] = []) => scope.postMessage(message, transfer);

let session: Session | undefined;
let lost: string | undefined;
let queue: Promise<void> = Promise.resolve();

scope.addEventListener("message", ({ data }: MessageEvent<Request>) => {
  // wasm-bindgen objects may be borrowed once at a time
  queue = queue.then(() => answer(data));
});

// a panic inside an awaited future surfaces here, and its promise never settles
scope.addEventListener("error", (event) => crashIfFatal(event.error, event));
scope.addEventListener("unhandledrejection", (event) => crashIfFatal(event.reason, event));

async function answer(request: Request): Promise<void> {
  const { call } = request;
  try {
    const result = await run(request);
    post({ call, ok: true, result }, transferable(result));
  } catch (error) {
    // a lost device fails the call first and is reported a moment later
    await new Promise((resolve) => setTimeout(resolve, 20));
    post({ call, ok: false, message: lost ?? words(error), fault: lost === undefined ? fault(error) : "program" });
  }
}

async function run(request: Request): Promise<Calls[keyof Calls]["result"]> {
  if (request.name === "start") {
    session = await Session.start(request.args, post, (message) => {
      lost = message;
      post({ event: "crashed", message });
    });
    return session.started();
  }
  if (!session) throw new Error("The program has not started.");
  switch (request.name) {
    case "load":
      return session.load(request.args.model);
    case "predict":
      return session.predict(request.args);
    case "paint":
      return session.paint(request.args.image, request.args.style, request.args.parts);
    case "scale":
      return session.scale(request.args.images);
    case "value":
      return session.value(request.args.id, request.args.x, request.args.y);
    case "export":
      return session.export(request.args.image, request.args.kind, request.args.style);
    case "results":
      return session.results(request.args);
    case "foreground":
      return session.foreground(request.args.image, request.args.style);
    case "csv":
      return session.csv(request.args.lines);
    case "segment":
      return session.segment(request.args.image, request.args.threshold);
    case "slideOpen":
      return session.slide.plan(request.args.slide);
    case "slidePart":
      return session.slide.part(request.args);
    case "slideFinish":
      return session.slide.finish(request.args);
    case "forget":
      return session.forget(request.args.ids);
    case "panic":
      return session.panic();
  }
}

function transferable(result: Calls[keyof Calls]["result"]): Transferable[] {
  if (result instanceof Uint8Array) return [result.buffer];
  if (typeof result !== "object" || result === null) return [];
  return Object.values(result).flatMap((value: unknown): Transferable[] => {
    if (value instanceof ImageBitmap) return [value];
    return value instanceof Uint8Array || value instanceof Float32Array ? [value.buffer as ArrayBuffer] : [];
  });
}

function fault(error: unknown): Fault {
  if (isFatal(error)) return "program";
  // named so by wasm (web/src/error.rs) and where a device is opened
  const name = error instanceof Error ? error.name : "";
  const faults: Record<string, Fault> = { DeviceError: "device", LimitError: "limit", SlowError: "slow" };
  return faults[name] ?? "input";
}

/** A trap leaves the module's memory in an unknown state; RangeError is what browsers throw when memory is used up. */
function isFatal(error: unknown): boolean {
  return error instanceof WebAssembly.RuntimeError || error instanceof RangeError;
}

function crashIfFatal(error: unknown, event: Event): void {
  if (!isFatal(error)) return;
  // told once: the page would hear of it a second time
  event.preventDefault();
  post({ event: "crashed", message: words(error) });
}

function words(error: unknown): string {
  if (error instanceof WebAssembly.RuntimeError) return "the program stopped unexpectedly, perhaps out of memory";
  if (error instanceof RangeError) return "the memory of this tab is used up";
  if (error instanceof WebAssembly.CompileError || error instanceof WebAssembly.LinkError) {
    return "This browser cannot run the program: it needs WebAssembly with SIMD. Use a current browser.";
  }
  return error instanceof Error ? error.message : String(error);
}
