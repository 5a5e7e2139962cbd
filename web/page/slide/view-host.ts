import type { Answer, Question, QuestionName, Questions } from "./view-protocol";

interface Open {
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
}

/** The Worker that reads a slide, from the first question on. */
export class ViewHost {
  private worker: Worker | undefined;
  private started: Promise<unknown> | undefined;
  private next = 1;
  private readonly open = new Map<number, Open>();

  /** Asks; the first question starts it with the page's compiled program. */
  async ask<K extends QuestionName>(
    name: K,
    args: Questions[K]["args"],
    program?: WebAssembly.Module,
  ): Promise<Questions[K]["result"]> {
    if (program) this.started ??= this.send("start", { program });
    await this.started;
    return this.send(name, args);
  }

  /** Gives all memory back. */
  close(): void {
    this.worker?.terminate();
    this.worker = undefined;
    for (const { reject } of this.open.values()) reject(new Error("closed"));
    this.open.clear();
    this.started = undefined;
  }

  private send<K extends QuestionName>(name: K, args: Questions[K]["args"]): Promise<Questions[K]["result"]> {
    return new Promise((resolve, reject) => {
      const ask = this.next++;
      this.open.set(ask, { resolve, reject });
      this.worker ??= this.spawn();
      this.worker.postMessage({ ask, name, args } as Question);
    });
  }

  private spawn(): Worker {
    const worker = new Worker(new URL("../worker/slide-view.ts", import.meta.url), { type: "module", name: "slide" });
    worker.addEventListener("message", ({ data }: MessageEvent<Answer>) => {
      const asked = this.open.get(data.ask);
      this.open.delete(data.ask);
      if (data.ok) asked?.resolve(data.result as never);
      else asked?.reject(new Error(data.message));
    });
    return worker;
  }
}
