import { EngineHost } from "./engine-host";
import { Cancelled, unheard, type Caller, type HostEvents, type Shared } from "./host-events";
import type { CallName, Calls, DeviceChoice, ImageRef, LoadedModel } from "./protocol";

/** Share of the device's memory that the programs of all Workers may take together. */
const SHARE = 1 / 4;
/** GiB of a device whose browser does not tell. */
const USUAL_MEMORY = 4;
/** Seconds of work that must be left for another Worker to be worth its start. */
const WORTH = 1;
/**
 * Pixels whose results are at hand: of the first Worker one image of the largest size and some small ones, of the others,
 * which are there to predict, the last few patches. A pixel takes about 10 bytes.
 */
const AWAKE = { lead: 24_000_000, helper: 4_000_000 };
/** Bytes of a Worker that is replaced when little of them is in use: memory of wasm grows and never shrinks. */
const MUCH_MEMORY = 400_000_000;

/** What a call rejects with when its Worker is dismissed: another one answers. */
class Dismissed extends Error {}

export interface PoolEvents extends HostEvents {
  /** Another Worker is ready. */
  grown(): void;
}

/**
 * Workers as one. The first does everything; on the CPU others come to predict as long as much is left to do: as many in
 * all as there are cores, and as the memory allows. What an image takes is not guessed: each Worker tells what its
 * program holds, which is the most it ever needed, and all together may take a quarter of the device's memory if each
 * took as much as the largest. An image's results stay with the Worker that predicted it, and calls for it go there.
 */
export class Pool implements Caller {
  private readonly lead: EngineHost;
  private readonly helpers = new Set<EngineHost>();
  /** Helpers that get no more calls and end with their last one. */
  private readonly leaving = new Set<EngineHost>();
  private readonly owners = new Map<number, EngineHost>();
  private readonly memory = new Map<EngineHost, number>();
  /** A helper could not start: no more are tried. */
  private refused = false;

  /** `model` is the address of the default model. */
  constructor(
    choice: DeviceChoice,
    model: string,
    private readonly on: PoolEvents,
  ) {
    const starting = () => {
      // its results went with the Worker before
      for (const [id, owner] of this.owners) if (owner === this.lead) this.owners.delete(id);
      this.memory.delete(this.lead);
      on.starting();
    };
    this.lead = new EngineHost(choice, AWAKE.lead, { ...on, starting }, { model });
  }

  /** Images that can be predicted at a time. */
  get lanes(): number {
    return 1 + [...this.helpers].filter((helper) => helper.isReady).length;
  }

  /** The compiled program and the model's file, once they are there. */
  get shared(): Shared | undefined {
    return this.lead.shared;
  }

  /** Takes a program that was compiled elsewhere. */
  supply(program: WebAssembly.Module | undefined): void {
    this.lead.supply(program);
  }

  open(choice?: DeviceChoice, known?: string | true): void {
    this.dismiss();
    this.lead.open(choice, known);
  }

  /** Answers a call by the Worker that has the image's results, else by one with little to do. */
  async call<K extends CallName>(name: K, args: Calls[K]["args"]): Promise<Calls[K]["result"]> {
    const id = imageOf(args);
    for (;;) {
      const host = id === undefined ? this.lead : this.hostOf(id);
      if (id !== undefined) this.owners.set(id, host);
      try {
        const result = await host.call(name, args);
        if (name === "predict") this.measured(host, (result as Calls["predict"]["result"]).memory);
        return result;
      } catch (error) {
        if (!(error instanceof Dismissed)) throw error;
        if (id !== undefined) this.owners.delete(id);
      } finally {
        if (this.leaving.has(host) && host.waiting === 0) this.end(host, new Dismissed("dismissed"));
      }
    }
  }

  /** Loads a model in all Workers; if it is none, all stays. */
  async load(model: Blob | null): Promise<LoadedModel> {
    for (const helper of this.helpers) this.retire(helper);
    const loaded = await this.lead.load(model);
    // what they still compute is the old model's
    this.dismiss();
    this.owners.clear();
    return loaded;
  }

  /** Brings in more Workers where that pays: for `waiting` images that take this one `seconds` in all. */
  grow(waiting: number, seconds: number): void {
    const { shared } = this.lead;
    if (!shared || this.refused || this.lead.kind !== "cpu" || seconds < WORTH) return;
    const most = Math.min(this.most(), this.lanes + waiting - 1);
    while (1 + this.helpers.size < most) this.hire(shared);
  }

  /** Ends whatever is under way: Workers cannot be interrupted, so those at work are replaced. */
  cancel(): void {
    for (const helper of this.helpers) if (helper.waiting > 0) this.end(helper, new Cancelled("cancelled"));
    if (this.lead.waiting > 0) this.lead.cancel();
  }

  /** Nothing of any image stays in memory. */
  clear(): void {
    for (const helper of [...this.helpers]) this.end(helper, new Cancelled("cancelled"));
    this.owners.clear();
    if (this.lead.waiting > 0) this.cancel();
    else this.free(this.lead, null);
  }

  /** Lets go of an image's results. */
  forget(id: number): void {
    const host = this.owners.get(id);
    this.owners.delete(id);
    if (host) this.free(host, [id]);
  }

  /** Frees results, and replaces a Worker that then holds much memory for little. */
  private free(host: EngineHost, ids: readonly number[] | null): void {
    host
      .call("forget", { ids })
      .then(({ held, used }) => {
        if (held < MUCH_MEMORY || used > held / 4 || host.waiting > 0) return;
        if (host === this.lead) host.renew();
        else this.end(host, new Dismissed("dismissed"));
      })
      // cancelled or crashed: it is gone anyway
      .catch(() => undefined);
  }

  private hire(shared: Shared): void {
    const on: HostEvents = {
      ...unheard,
      ready: () => this.on.grown(),
      restarting: (message) => this.on.restarting(message),
      dead: () => {
        this.refused = true;
        this.end(helper, new Dismissed("it could not start"));
      },
    };
    const helper = new EngineHost("cpu", AWAKE.helper, on, shared);
    this.helpers.add(helper);
    helper.open();
  }

  private hostOf(id: number): EngineHost {
    const owner = this.owners.get(id);
    if (owner && this.alive(owner)) return owner;
    let best = this.lead;
    for (const helper of this.helpers) if (helper.isReady && helper.waiting < best.waiting) best = helper;
    return best;
  }

  private alive(host: EngineHost): boolean {
    return host === this.lead || (this.helpers.has(host) && !this.leaving.has(host));
  }

  /** How many Workers cores and memory allow. */
  private most(): number {
    const { hardwareConcurrency = 1, deviceMemory = USUAL_MEMORY } = navigator as { deviceMemory?: number } & Navigator;
    const largest = Math.max(0, ...this.memory.values());
    if (largest === 0) return 1;
    return Math.max(1, Math.min(hardwareConcurrency, Math.floor((deviceMemory * 2 ** 30 * SHARE) / largest)));
  }

  /** A Worker has grown: if all could no more, one leaves. */
  private measured(host: EngineHost, memory: number): void {
    this.memory.set(host, memory);
    if (1 + this.helpers.size <= this.most()) return;
    const [last] = [...this.helpers].reverse();
    if (last) this.retire(last);
  }

  private retire(helper: EngineHost): void {
    this.helpers.delete(helper);
    this.leaving.add(helper);
    if (helper.waiting === 0) this.end(helper, new Dismissed("dismissed"));
  }

  /** All but the first end; what they were asked for is asked again. */
  private dismiss(): void {
    for (const helper of [...this.helpers, ...this.leaving]) this.end(helper, new Dismissed("dismissed"));
  }

  private end(helper: EngineHost, reason: Error): void {
    this.helpers.delete(helper);
    this.leaving.delete(helper);
    this.memory.delete(helper);
    helper.close(reason);
  }
}

/** The image that a call is about. */
function imageOf(args: object): number | undefined {
  if ("image" in args) return (args.image as ImageRef).id;
  return "id" in args ? (args.id as number) : undefined;
}
