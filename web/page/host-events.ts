import type { CallName, Calls, DeviceInfo, LoadedModel, ModelSource, WorkerEvent } from "./protocol";

/** What a call rejects with when the user cancelled it. */
export class Cancelled extends Error {}

/** What a call rejects with when the Worker failed and not the input. */
export class Failed extends Error {}

/** What answers calls: one Worker, or several as one. */
export interface Caller {
  call<K extends CallName>(name: K, args: Calls[K]["args"]): Promise<Calls[K]["result"]>;
}

/** What every Worker needs: the compiled program, and the model's file. Neither is copied. */
export interface Shared {
  readonly program: WebAssembly.Module;
  readonly model: Blob;
}

/** What a Worker starts with: without a program it loads and compiles it. */
export interface Supplies {
  readonly program?: WebAssembly.Module | undefined;
  readonly model: ModelSource;
}

export interface HostEvents {
  /** The Worker starts or starts again. */
  starting(): void;
  progress(event: Exclude<WorkerEvent, { event: "crashed" | "shared" }>): void;
  ready(device: DeviceInfo, model: LoadedModel): void;
  /** The GPU was tried and is slower than the CPU, or faster. */
  slower(): void;
  faster(): void;
  /** It crashed and is being replaced. */
  restarting(message: string): void;
  /** It cannot be started at all. */
  dead(message: string): void;
}

/** For whoever wants to hear of some events only. */
export const unheard: HostEvents = {
  starting() {},
  progress() {},
  ready() {},
  slower() {},
  faster() {},
  restarting() {},
  dead() {},
};
