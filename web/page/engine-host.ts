import { Cancelled, Failed, type Caller, type HostEvents, type Shared, type Supplies } from "./host-events";
import type { CallName, Calls, DeviceChoice, DeviceInfo, FromWorker, LoadedModel, ModelSource, Reply, Request } from "./protocol";

/** Times one call may bring the Worker down before it is given up: on the GPU, once more, and on the CPU. */
const ATTEMPTS = 3;

/** Crashes of the GPU before the CPU takes over. */
const GPU_CRASHES = 2;

interface Pending {
  readonly request: Request;
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
  attempts: number;
}

/** Owns a Worker: sends calls, and replaces it when it crashes, without losing a call. */
export class EngineHost implements Caller {
  private worker: Worker | undefined;
  private ready = false;
  private dead: string | undefined;
  private next = 1;
  private crashes = 0;
  private failedStarts = 0;
  private device: DeviceInfo["kind"] | undefined;
  /** Why the CPU was forced, for the badge. */
  private forced: string | undefined;
  /** The GPU was found to be faster before. */
  private measured = false;
  private readonly pending = new Map<number, Pending>();
  private program: WebAssembly.Module | null;
  /** The model in use; null: the first one. */
  private model: Blob | null = null;
  /** The model to start with: where it is, until it has been loaded. */
  private firstModel: ModelSource;

  /** `awake`: pixels of results that it may keep at hand. */
  constructor(
    private choice: DeviceChoice,
    private readonly awake: number,
    private readonly on: HostEvents,
    { program, model }: Supplies,
  ) {
    this.program = program ?? null;
    this.firstModel = model;
  }

  /** Takes a program that was compiled elsewhere. */
  supply(program: WebAssembly.Module | undefined): void {
    this.program ??= program ?? null;
  }

  /** Whether it waits for calls. */
  get isReady(): boolean {
    return this.ready;
  }

  /** Calls without an answer. */
  get waiting(): number {
    return this.pending.size;
  }

  /** What it computes on; undefined while it starts. */
  get kind(): DeviceInfo["kind"] | undefined {
    return this.ready ? this.device : undefined;
  }

  /** For other Workers with the same model; undefined before there is one. */
  get shared(): Shared | undefined {
    const model = this.model ?? this.firstModel;
    return this.program && model instanceof Blob ? { program: this.program, model } : undefined;
  }

  /**
   * Starts on a device, or starts again on another; calls under way are repeated. `known` says what was measured before:
   * why it is the CPU, or that the GPU is faster (true).
   */
  open(choice = this.choice, known?: string | true): void {
    this.choice = choice;
    this.crashes = 0;
    this.failedStarts = 0;
    this.forced = known === true ? undefined : known;
    this.measured = known === true;
    this.device = undefined;
    this.spawn();
  }

  call<K extends CallName>(name: K, args: Calls[K]["args"]): Promise<Calls[K]["result"]> {
    if (this.dead !== undefined) return Promise.reject(new Failed(this.dead));
    return new Promise((resolve, reject) => {
      const request = { call: this.next++, name, args } as Request;
      this.pending.set(request.call, { request, resolve, reject, attempts: 0 });
      if (this.ready) this.worker?.postMessage(request);
    });
  }

  /** Loads a model (null: the first one); rejects and keeps the old one if it is none. */
  async load(model: Blob | null): Promise<LoadedModel> {
    const loaded = await this.call("load", { model: model ?? this.firstModel });
    this.model = model;
    return loaded;
  }

  /** Makes a new Worker of a Worker that holds much memory and has nothing to do. */
  renew(): void {
    if (this.ready && this.pending.size === 0) this.spawn();
  }

  /** Ends whatever is under way: the Worker cannot be interrupted, so it is replaced. */
  cancel(): void {
    const cancelled = [...this.pending.values()];
    this.pending.clear();
    this.spawn();
    for (const { reject } of cancelled) reject(new Cancelled("cancelled"));
  }

  /** Ends for good: calls without an answer are rejected. */
  close(reason: Error): void {
    this.worker?.terminate();
    this.worker = undefined;
    this.ready = false;
    this.dead = reason.message;
    const waiting = [...this.pending.values()];
    this.pending.clear();
    for (const { reject } of waiting) reject(reason);
  }

  private spawn(): void {
    this.worker?.terminate();
    this.ready = false;
    this.dead = undefined;
    this.on.starting();
    const worker = new Worker(new URL("./worker/worker.ts", import.meta.url), { type: "module", name: "histomask" });
    this.worker = worker;
    worker.addEventListener("message", ({ data }: MessageEvent<FromWorker>) => {
      // messages of a Worker that was replaced may still be on their way
      if (worker === this.worker) this.receive(data);
    });
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      if (worker !== this.worker || this.ready) return;
      this.giveUp(event.message || "a part of the page could not be loaded");
    });
    const auto = this.measured && this.choice === "auto" ? "measured" : this.choice;
    const args: Calls["start"]["args"] = {
      choice: this.forced === undefined ? auto : "cpu",
      model: this.model ?? this.firstModel,
      program: this.program,
      awake: this.awake,
    };
    worker.postMessage({ call: 0, name: "start", args } satisfies Request);
  }

  private receive(message: FromWorker): void {
    if ("event" in message) {
      if (message.event === "crashed") this.crashed(message.message);
      else if (message.event === "shared") this.share(message);
      else this.on.progress(message);
    } else if (message.call === 0 && !(!message.ok && message.fault === "program")) {
      this.settleStart(message);
    } else if (!message.ok && (message.fault === "program" || message.fault === "device")) {
      this.crashed(message.message);
    } else if (!message.ok && message.fault === "limit" && this.device === "gpu") {
      this.takeCpu(`An image was too large for the GPU: ${message.message}`);
    } else {
      const call = this.pending.get(message.call);
      this.pending.delete(message.call);
      if (message.ok) call?.resolve(message.result as never);
      else call?.reject(new Error(message.message));
    }
  }

  private settleStart(reply: Reply): void {
    if (!reply.ok) {
      if (reply.fault === "device") this.deviceFailed(reply.message);
      else if (reply.fault === "slow") this.slow(reply.message);
      else this.giveUp(reply.message);
      return;
    }
    const { device, ...model } = reply.result as Calls["start"]["result"];
    this.ready = true;
    this.device = device.kind;
    this.failedStarts = 0;
    // before anybody is told and asks for more
    for (const { request } of this.pending.values()) this.worker?.postMessage(request);
    if (device.kind === "gpu" && this.choice === "auto") this.on.faster();
    this.on.ready(this.forced === undefined ? device : { ...device, why: this.forced }, model);
  }

  /** A successor need not load and compile again. */
  private share({ program, model }: Shared): void {
    this.program = program;
    if (typeof this.firstModel === "string") this.firstModel = model;
  }

  /** The CPU is faster; for the next visits too. */
  private slow(message: string): void {
    this.on.slower();
    this.takeCpu(`The CPU is faster than the GPU here: ${message}`);
  }

  /** No WebGPU where it was asked for, or a GPU that computes wrongly: the CPU does it. */
  private deviceFailed(message: string): void {
    if (this.choice === "cpu" || this.forced !== undefined) {
      this.giveUp(message);
      return;
    }
    this.takeCpu(`The GPU could not be used: ${message}`);
  }

  /** Starts on the CPU for the rest of the visit, and the badge says why; calls under way are repeated there. */
  private takeCpu(why: string): void {
    this.forced = why;
    this.spawn();
  }

  private crashed(message: string): void {
    const wasReady = this.ready;
    this.crashes += 1;
    // calls are answered in order, so the oldest one was running
    const head = this.pending.values().next().value;
    if (wasReady && head && ++head.attempts >= ATTEMPTS) {
      this.pending.delete(head.request.call);
      head.reject(new Failed(`${message}; it was tried ${ATTEMPTS} times. A smaller image may work.`));
    }
    if (!wasReady && ++this.failedStarts > ATTEMPTS) {
      this.giveUp(message);
      return;
    }
    if (this.crashes >= GPU_CRASHES && this.choice !== "cpu" && this.device !== "cpu") {
      this.forced ??= `The GPU failed twice (${message.replace(/\.$/, "")}); the CPU took over.`;
    }
    this.on.restarting(message);
    this.spawn();
  }

  private giveUp(message: string): void {
    this.worker?.terminate();
    this.worker = undefined;
    this.dead = message;
    const waiting = [...this.pending.values()];
    this.pending.clear();
    this.on.dead(message);
    for (const { reject } of waiting) reject(new Failed(message));
  }
}
