import type { Answer, Question, QuestionName, Questions } from "./view-protocol";

interface Open {
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
}

/** The Worker that reads a slide. Its script is loaded with the page, its memory is taken with the first slide. */
export class ViewHost {
  private worker = spawn();
  private started: Promise<unknown> | undefined;
  private next = 1;
  private readonly open = new Map<number, Open>();

  constructor() {
    this.listen();
  }

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
    this.worker.terminate();
    for (const { reject } of this.open.values()) reject(new Error("closed"));
    this.open.clear();
    this.started = undefined;
    this.worker = spawn();
    this.listen();
  }

  private send<K extends QuestionName>(name: K, args: Questions[K]["args"]): Promise<Questions[K]["result"]> {
    return new Promise((resolve, reject) => {
      const ask = this.next++;
      this.open.set(ask, { resolve, reject });
      this.worker.postMessage({ ask, name, args } as Question);
    });
  }

  private listen(): void {
    const { worker } = this;
    worker.addEventListener("message", ({ data }: MessageEvent<Answer>) => {
      const asked = this.open.get(data.ask);
      this.open.delete(data.ask);
      if (data.ok) asked?.resolve(data.result as never);
      else asked?.reject(new Error(data.message));
    });
  }
}

function spawn(): Worker {
  return new Worker(new URL("../worker/slide-view.ts", import.meta.url), { type: "module", name: "slide" });
}
