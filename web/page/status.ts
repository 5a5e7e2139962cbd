import { byId } from "./dom";
import { megabytes, sentence } from "./format";
import type { WorkerEvent } from "./protocol";

const line = byId("status");
const bar = byId("progress", HTMLProgressElement);
const bytes = byId("progress-bytes");
const loaded = { program: 0, model: 0 };

/** One line on what happens; read out by screen readers when it changes. */
export function say(text: string): void {
  if (line.textContent !== text) line.textContent = text;
}

/** A share done, or null when nothing is under way. */
export function showProgress(share: number | null): void {
  bar.hidden = share === null;
  if (share !== null) bar.value = share;
  bytes.textContent = "";
}

/** Program and model load at the same time: one bar for both. */
export function showLoading({ part, loaded: now }: Extract<WorkerEvent, { event: "loading" }>): void {
  loaded[part] = now;
  const total = __BUILD__.programBytes + __BUILD__.modelBytes;
  const sum = loaded.program + loaded.model;
  say("Loading the program and the model…");
  showProgress(sum / total);
  bytes.textContent = `${megabytes(sum)} of ${megabytes(total)} MB`;
}

/** A message about the page as a whole, with at most one thing to do about it. */
export function notify(message: string, action?: { label: string; run: () => void }): void {
  byId("notice-text").textContent = sentence(message);
  const button = byId("notice-action", HTMLButtonElement);
  button.hidden = action === undefined;
  button.textContent = action?.label ?? "";
  button.onclick = () => {
    dismiss();
    action?.run();
  };
  byId("notice").hidden = false;
}

/** Keeps status and notice in view while the page scrolls, below them the picture; the device's line may go. */
export function stickBar(): void {
  const sticky = byId("bar");
  new ResizeObserver(() => {
    const hidden = Math.max(0, line.getBoundingClientRect().top - sticky.getBoundingClientRect().top - 14);
    const { style } = document.documentElement;
    style.setProperty("--bar-hidden", `${hidden}px`);
    style.setProperty("--bar", `${sticky.offsetHeight - hidden}px`);
  }).observe(sticky);
}

export function dismiss(): void {
  byId("notice").hidden = true;
}

byId("notice-close").addEventListener("click", dismiss);
